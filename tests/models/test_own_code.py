"""Modules from the user's own functions: measured, or refused in words; what never comes back is ended."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from explorer import data, models
from explorer.cli.arguments import CODE_SECONDS
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.models.request import ModelRequest
from explorer.types import InputSet, LoadedModel, Split
from tests.models.weights_on_disk import assert_plain

SOURCE = """
import os, sys, time
import torch
from torch import nn

def plain():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    net.input_shape = (1, 8, 8)
    return net

def sized(net, *shape):
    net.input_shape = shape
    return net

def scripted(): return sized(torch.jit.script(plain()), 1, 8, 8)
class Holds(nn.Module):
    input_shape = (1, 8, 8)
    def __init__(self):
        super().__init__()
        self.body = torch.jit.script(plain())
    def forward(self, x): return self.body(x)
def lazy(): return sized(nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), 1, 8, 8)
def quantized(): return sized(torch.ao.nn.quantized.Linear(4, 2), 4)
def empty(): return sized(nn.Linear(4, 2, device="meta"), 4)
def leaves(): sys.exit(3)
def leaves_at_once(): os._exit(0)
def double(): return plain().double()
def half(): return plain().half()
def brain(): return plain().bfloat16()

class Net(nn.Module):
    input_shape, n_classes = (12,), 3
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.emb, self.rnn, self.fc = nn.Embedding(50, 16), nn.LSTM(16, 24, batch_first=True), nn.Linear(24, 3)
    def forward(self, x): return self.fc(self.rnn(self.emb(x))[0][:, -1])
class Drops(nn.Module):
    input_shape = (8,)
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 64), nn.Linear(64, 10)
    def forward(self, x): return self.b(nn.functional.dropout(self.a(x)))
class Shakes(nn.Module):
    def forward(self, x): return x + torch.rand_like(x)
def shaken(): return sized(nn.Sequential(nn.Linear(8, 8), Shakes(), nn.Linear(8, 3)), 8)
def of_the_batch():
    norm = nn.BatchNorm2d(4, track_running_stats=False)
    return sized(nn.Sequential(nn.Conv2d(1, 4, 3), norm, nn.Flatten(), nn.Linear(144, 3)), 1, 8, 8)
def of_a_flat_batch(): return sized(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8, track_running_stats=False)), 8)
def nan_in_a_buffer():
    net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    net[1].running_var[3] = float("nan")
    return sized(net, 8)
def steady():
    return sized(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(),
                                nn.Linear(144, 3)), 1, 8, 8)
class Two(nn.Module):
    input_shape = (8,)
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(8, 2)
    def forward(self, a, b): return self.out(a - b)
def stating():
    net = Two()
    net.example = (torch.zeros(2, 8), torch.ones(2, 8))
    return net
class Few(nn.Module):
    input_shape, n_classes = (4,), 2
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 2)
    def forward(self, x): return self.out(x)[:1]
class Dict(Few):
    def forward(self, x): return {"out": self.out(x)[:, :, None, None, None]}
class Leaves(Few):
    def forward(self, x):
        if len(x) > 1: sys.exit("enough")
        return self.out(x)
class Endless(Few):
    def forward(self, x):
        while len(x) > 3: time.sleep(0.01)
        return self.out(x)
class Never(Few):
    def forward(self, x):
        while True: pass
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_nets.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("own_nets", None)
    return "own_nets"


def load(place: str, name: str, timeout: float = 0.0) -> LoadedModel:
    return models.load(f"{place}:{name}", trust_code=True, code_timeout=timeout)


def test_what_cannot_be_pruned_here_is_refused_by_its_name(place: str) -> None:
    words = {
        "scripted": "TorchScript",
        "Holds": "'body', TorchScript",
        "lazy": "lazy",
        "quantized": "quantized",
        "empty": "meta",
        "leaves": "SystemExit",
    }
    for name, word in words.items():
        with pytest.raises(ExplorerError, match=word) as caught:
            load(place, name)
        assert_plain(caught.value)


def test_modules_of_another_type_are_computed_as_float32_and_remember_their_own(place: str) -> None:
    for name, dtype in (("double", torch.float64), ("half", torch.float16), ("brain", torch.bfloat16)):
        model = load(place, name)
        assert model.repairs == (f"Stored as {str(dtype).removeprefix('torch.')}; computed as float32.",)
        assert {t.dtype for t in model.weights.values()} == {torch.float32}
        expected = sys.modules[place].plain().to(dtype).state_dict()
        assert all(torch.equal(t.to(dtype), expected[n]) for n, t in model.weights.items())
        assert set(model.meta["dtypes"].values()) == {str(dtype).removeprefix("torch.")}
        assert Evaluator(model, data.load("none", model=model).splits["tune"], threads=1).dense().agreement.value == 1


def test_words_reach_an_embedding_as_whole_numbers(place: str, tmp_path: Path) -> None:
    model = load(place, "Net")
    assert model.example is not None
    assert model.example.dtype == torch.int64
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 50, (200, 12)), rng.integers(0, 3, 200)
    with torch.no_grad():
        expected = (sys.modules[place].Net().eval()(torch.from_numpy(x)).argmax(1).numpy() == y).mean()
    for dtype in (np.int64, np.uint8, np.float32):  # bytes are no pictures here, and are not scaled
        np.savez(tmp_path / "words.npz", x=x.astype(dtype), y=y)
        split = data.load(f"npz:{tmp_path / 'words.npz'}", model=model).splits["tune"]
        assert Evaluator(model, split, threads=1).dense().accuracy.value == pytest.approx(expected)
    np.savez(tmp_path / "words.npz", x=x + 0.5, y=y)
    with pytest.raises(ExplorerError, match="whole numbers"):
        data.load(f"npz:{tmp_path / 'words.npz'}", model=model)


def test_a_word_beyond_the_vocabulary_late_in_the_data_is_a_sentence(place: str, tmp_path: Path) -> None:
    x = np.zeros((400, 12), dtype=int)
    x[200:] = 50
    np.savez(tmp_path / "words.npz", x=x)
    model = load(place, "Net")
    with pytest.raises(ExplorerError, match="does not take samples"):
        Evaluator(model, data.load(f"npz:{tmp_path / 'words.npz'}", model=model).splits["tune"], threads=1).dense()


def test_a_module_of_two_inputs_shows_its_weights_and_says_why_it_does_not_run(place: str) -> None:
    model = load(place, "Two")
    assert model.module is None
    assert model.weights["out.weight"].shape == (2, 8)
    assert "several inputs (a, b)" in str(model.why_not_runnable)


def test_a_module_that_states_an_example_of_two_inputs_runs_and_is_evaluated(place: str) -> None:
    model = load(place, "stating")
    assert isinstance(model.example, InputSet)
    x = InputSet((torch.randn(40, 8), torch.randn(40, 8)))
    assert model.module is not None
    answers = Evaluator(model, Split("tune", x, None), threads=1).dense().predictions
    assert torch.equal(answers, model.module(*x.args).argmax(dim=1))


def test_outputs_that_cannot_be_compared_are_refused_when_they_are_needed(place: str) -> None:
    for name, word in (("Few", "1 outputs for"), ("Dict", "cannot be judged"), ("Leaves", "SystemExit: enough")):
        model = load(place, name)
        with pytest.raises(ExplorerError, match=word):
            Evaluator(model, data.load("none", model=model).splits["tune"], threads=1).dense()


def test_a_model_that_disagrees_with_itself_fails_before_the_first_number_and_names_the_module(place: str) -> None:
    for name, layer, word in (
        ("Drops", None, "two passes"),
        ("shaken", "1", "two passes"),
        ("of_the_batch", "1", "batch"),
        ("nan_in_a_buffer", "1.running_var", "NaN"),
    ):
        findings = load(place, name).findings
        assert [(f.level, f.layer) for f in findings] == [("fail", layer)], name
        assert word in findings[0].what
    for name in ("steady", "Net"):
        assert load(place, name).findings == (), name
    with pytest.raises(ExplorerError, match="Batch norm without running statistics: 1"):
        load(place, "of_a_flat_batch")


def test_code_that_never_comes_back_is_ended_before_it_runs_here(place: str) -> None:
    started = time.monotonic()
    with pytest.raises(ExplorerError, match="--code-timeout") as caught:
        load(place, "Never", timeout=0.5)
    assert_plain(caught.value)
    assert time.monotonic() - started < 120
    with pytest.raises(ExplorerError, match="ended the process"):
        load(place, "leaves_at_once", timeout=60)
    assert "own_nets" not in sys.modules


def test_a_pass_that_never_comes_back_ends_the_evaluation(place: str) -> None:
    model = models.load(f"{place}:Endless", trust_code=True, code_timeout=0)
    model = LoadedModel(**{**vars(model), "code_seconds": 0.5})
    with pytest.raises(ExplorerError, match="took longer than 0.5 s"):
        Evaluator(model, data.load("none", model=model).splits["tune"], threads=1).dense()


def test_what_does_come_back_is_measured_alike_with_and_without_a_limit(place: str) -> None:
    free, limited = load(place, "plain"), load(place, "plain", timeout=300)
    assert isinstance(limited.module, nn.Module)
    assert (free.code_seconds, limited.code_seconds) == (None, 300)
    split = data.load("none", model=free).splits["tune"]
    answers = [Evaluator(m, split, threads=2).dense().predictions for m in (free, limited)]
    assert torch.equal(*answers)


def test_the_command_line_and_python_have_one_default() -> None:
    assert ModelRequest("").code_timeout == CODE_SECONDS
