"""Files whose names are not quite the network's load as ``load_state_dict`` takes them, or say why not."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from explorer import models
from explorer.errors import ExplorerError
from explorer.types import LoadedModel
from tests.models.weights_on_disk import mlp_state

OWN = """
import torch
from torch import nn
from torch.nn.utils import parametrizations, weight_norm

def net(wrap=lambda layer: layer):
    module = nn.Sequential(wrap(nn.Linear(6, 8)), nn.ReLU(), wrap(nn.Linear(8, 3)))
    module.input_shape = (6,)
    return module

def normed(): return net(parametrizations.weight_norm)
def old_normed(): return net(weight_norm)

class Renamed(nn.Module):
    input_shape = (6,)
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, 3)
        self.register_load_state_dict_pre_hook(self._older)
    @staticmethod
    def _older(module, state, prefix, *rest):
        for key in list(state):
            if "classifier." in key:
                state[key.replace("classifier.", "head.")] = state.pop(key).t() if "weight" in key else state.pop(key)
    def forward(self, x): return self.head(x)

class Scaled(nn.Module):
    input_shape = (6,)
    def __init__(self):
        super().__init__()
        self.head, self.scale = nn.Linear(6, 3), 1.0
    def get_extra_state(self): return {"scale": self.scale}
    def set_extra_state(self, state): self.scale = state["scale"]
    def forward(self, x): return self.head(x) * self.scale
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "names_of_mine.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))


def built(name: str, seed: int = 0) -> nn.Module:
    import names_of_mine  # type: ignore[import-not-found]

    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # weight_norm by its old name
        module: nn.Module = getattr(names_of_mine, name)()
    return module.eval()


def opened(saved: Any, folder: Path, arch: str = "digits-mlp", part: str = "") -> LoadedModel:
    torch.save(saved, folder / "w.ckpt")
    named = arch if arch.startswith("digits") else f"names_of_mine:{arch}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return models.load(f"{folder / 'w.ckpt'}{part}", arch=named, trust_code=True, code_timeout=0)


def answers(module: nn.Module | None, shape: tuple[int, ...]) -> Tensor:
    assert module is not None
    with torch.no_grad():
        out: Tensor = module(torch.randn(5, *shape, generator=torch.Generator().manual_seed(1)))
    return out


def reference(state: dict[str, Tensor]) -> Tensor:
    module = models.ARCHITECTURES.get("digits-mlp").build().eval()
    module.load_state_dict(state)
    return answers(module, (1, 8, 8))


def averaged_model() -> dict[str, Tensor]:
    module = models.ARCHITECTURES.get("digits-mlp").build()
    module.load_state_dict(mlp_state())
    return dict(AveragedModel(module).state_dict())


@pytest.mark.slow
def test_names_that_wrappers_and_other_tools_changed_load_and_the_repair_is_said(tmp_path: Path) -> None:
    state = mlp_state()
    counted = {
        f"{layer}{key}": torch.ones(1) for layer in ("", "fc1.", "fc2.") for key in ("total_ops", "total_params")
    }
    cases: dict[str, tuple[Any, str]] = {
        "compiled inside": ({"state_dict": {f"model._orig_mod.{k}": v for k, v in state.items()}}, "'_orig_mod'"),
        "sharded": ({f"_fsdp_wrapped_module.{k}": v for k, v in state.items()}, "'_fsdp_wrapped_module.'"),
        "averaged": (averaged_model(), "n_averaged"),
        "counted": ({**state, **counted}, "total_ops, total_params, fc1.total_ops"),
        "loss": ({"state_dict": {**state, "criterion.weight": torch.ones(10)}}, "criterion.weight"),
        "loss beside": (
            {"state_dict": {**{f"net.{k}": v for k, v in state.items()}, "criterion.weight": torch.ones(10)}},
            "criterion.weight",
        ),
        "deep": ({f"a.b.c.{k}": v for k, v in state.items()}, "'a.b.c.'"),
    }

    def check(name: str) -> None:
        saved, word = cases[name]
        model = opened(saved, tmp_path)
        assert torch.equal(answers(model.module, (1, 8, 8)), reference(state))
        assert word in " ".join(model.repairs), model.repairs

    for name in cases:
        check(name)


def test_a_file_differs_by_the_least_that_could_be_wrong_with_it(tmp_path: Path) -> None:
    state = mlp_state()
    short = {name: tensor for name, tensor in state.items() if name != "fc2.bias"}
    cases: dict[str, tuple[dict[str, Tensor], str]] = {
        "one too many": ({**state, "fc9.weight": torch.ones(2, 2)}, "Not expected: fc9.weight; all weights of the "),
        "prefix and one missing": ({f"net.{k}": v for k, v in short.items()}, "Missing: fc2.bias."),
        "prefix and a shape": (
            {f"net.{k}": v for k, v in {**state, "fc1.bias": torch.ones(7)}.items()},
            "Other shape: fc1.bias is 7 instead of 256.",
        ),
    }

    def check(name: str) -> None:
        saved, why = cases[name]
        with pytest.raises(ExplorerError) as caught:
            opened(saved, tmp_path)
        assert why in caught.value.why

    for name in cases:
        check(name)


@pytest.mark.slow
def test_of_two_whole_sets_the_trained_one_is_read_and_the_averaged_one_opens_by_its_name(tmp_path: Path) -> None:
    state, averaged = mlp_state(), mlp_state(seed=1)
    beside = {**{f"ema_model.{k}": v for k, v in averaged.items()}, **{f"model.{k}": v for k, v in state.items()}}
    cases: dict[str, tuple[Any, str]] = {
        "prefixes": ({"state_dict": beside}, "ema_model"),
        "containers": ({"state_dict": state, "state_dict_ema": averaged}, "state_dict_ema"),
        "wrapped": ({"model": state, "model_ema": {f"module.{k}": v for k, v in averaged.items()}}, "model_ema"),
    }

    def check(name: str) -> None:
        saved, key = cases[name]
        model = opened(saved, tmp_path)
        assert torch.equal(answers(model.module, (1, 8, 8)), reference(state))
        assert f"Open them by adding #{key} to the path." in [finding.what for finding in model.findings]
        other = opened(saved, tmp_path, part=f"#{key}")
        assert torch.equal(answers(other.module, (1, 8, 8)), reference(averaged))

    for name in cases:
        check(name)


def test_a_set_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="It holds no weights under 'swa'. It has state_dict") as caught:
        opened({"state_dict": mlp_state()}, tmp_path, part="#swa")
    assert caught.value.what == "w.ckpt cannot be opened."


@pytest.mark.slow
def test_load_hooks_and_weight_norm_of_either_name_give_what_load_state_dict_gives(tmp_path: Path) -> None:
    older = built("Renamed", 1).state_dict()
    older = {"classifier.weight": older["head.weight"].t().contiguous(), "classifier.bias": older["head.bias"]}
    cases: dict[str, tuple[dict[str, Tensor], str, str]] = {
        "own hook": (older, "Renamed", "Renamed"),
        "own hook under a prefix": ({f"net.{k}": v for k, v in older.items()}, "Renamed", "Renamed"),
        "old norm into new": (dict(built("old_normed", 1).state_dict()), "normed", "old_normed"),
        "new norm": (dict(built("normed", 1).state_dict()), "normed", "normed"),
        "plain into new norm": (dict(built("net", 1).state_dict()), "normed", "net"),
        "new norm into plain": (dict(built("normed", 1).state_dict()), "net", "normed"),
    }
    for name, (state, arch, saved_from) in cases.items():
        model = opened(state, tmp_path, arch)
        same = torch.allclose(answers(model.module, (6,)), answers(built(saved_from, 1), (6,)), atol=1e-6)
        assert same, name


def test_extra_state_travels_with_the_weights(tmp_path: Path) -> None:
    module = built("Scaled", 1)
    module.scale = 0.25  # type: ignore[assignment]
    model = opened(module.state_dict(), tmp_path, "Scaled")
    assert torch.equal(answers(model.module, (6,)), answers(module, (6,)))
    without = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    model = opened(without, tmp_path, "Scaled")
    assert "The file holds no plain _extra_state: what the module itself has is used." in model.repairs


def test_counters_of_other_tools_are_no_weights(tmp_path: Path) -> None:
    torch.save({**mlp_state(), "total_ops": torch.ones(1), "fc1.total_params": torch.ones(1)}, tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"))
    assert model.n_parameters == sum(t.numel() for t in mlp_state().values())
    assert model.buffers.keys() == {"total_ops", "fc1.total_params"}
