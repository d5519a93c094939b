"""A slim file is hostile until proven otherwise: refused in one sentence, nothing of it runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from explorer import models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.models import slim
from explorer.models.slim import trial
from explorer.models.slim.document import read
from explorer.models.slim.network import build
from explorer.types import Split
from explorer.types.files.reading.refusal import RefusedError
from tests.every import for_each
from tests.export.made import graph, header_of, slim_bytes, step, tensors_of
from tests.models.weights_on_disk import assert_plain


def refusal(document: Any, **more: Any) -> str:
    """Why the checks of the reading process refuse it."""
    content = slim_bytes(document, **more)
    with pytest.raises(RefusedError) as caught:
        slim.check(header_of(content), tensors_of(content), {})
    assert_plain(ExplorerError("It cannot be opened.", why=caught.value.why, fix=caught.value.fix))
    return caught.value.why


def refusal_of_the_file(document: Any) -> str:
    """What whoever opens the file is told; the reading process has its limits."""
    with pytest.raises(ExplorerError) as caught:
        models.open_upload(slim_bytes(document), "slim.safetensors")
    assert_plain(caught.value)
    return str(caught.value)


def with_steps(*steps: dict[str, Any], output: Any = None) -> dict[str, Any]:
    last = {"node": steps[-1]["name"]} if output is None else output
    return graph(steps=[step("x", "input", "x"), step("fc", "layer", "fc", {"node": "x"}), *steps], output=last)


FC = {"node": "fc"}


def test_the_innocent_file_opens_and_computes() -> None:
    model = models.open_upload(slim_bytes(graph()), "slim.safetensors")
    assert model.module is not None
    x = torch.randn(7, 4)
    expected = torch.relu(x @ model.weights["fc.weight"].T + model.weights["fc.bias"])
    assert torch.allclose(model.module(x), expected)


@pytest.mark.parametrize(
    "target",
    [
        *("os.system", "builtins.eval", "builtins.exec", "builtins.__import__", "torch.load", "torch.hub.load"),
        *("torch.ops.load_library", "torch.jit.load", "torch.compile", "torch.as_strided", "torch.save"),
        *("torch.Tensor.numpy", "torch.Tensor.apply_", "torch.Tensor.__reduce_ex__", "torch.Tensor.tofile"),
        *("torch.Tensor.register_hook", "torch.Tensor.item", "torch.from_file", "operator.call", "__import__", "", 7),
        *("operator.methodcaller", "torch.relu\n", "torch..relu", ["torch.relu"], None, {"a": 1}),
    ],
)
def test_a_function_that_is_not_on_the_list_is_refused_by_name(target: Any, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    text = refusal(with_steps(step("bad", "call", target, f"touch '{marker}'")))
    assert "not among the functions" in text
    assert not marker.exists()


@for_each("kind", ["Module", "Sequential", "__class__", "ModuleList", "Conv2d.__init__", "LazyLinear", 3])
def test_a_layer_that_is_not_on_the_list_is_refused_by_name(kind: Any) -> None:
    text = refusal(graph(layers={"fc": {"type": kind, "args": {}}}))
    assert "not among the layers" in text


@for_each("name", ["__class__", "__dict__", "data", "grad_fn", "is_cuda", "_base", "storage", "numpy", 0])
def test_only_plain_attributes_may_be_asked_for(name: Any) -> None:
    assert "may not be asked for" in refusal(with_steps(step("bad", "call", "builtins.getattr", FC, name)))


def test_attributes_are_asked_of_values_and_not_by_other_ways() -> None:
    for bad in (
        step("bad", "call", "builtins.getattr", "text", "shape"),
        step("bad", "call", "builtins.getattr", FC, "shape", None),
        {**step("bad", "call", "builtins.getattr", FC), "kwargs": {"name": "shape"}},
    ):
        assert "may not be asked for" in refusal(with_steps(bad))


def test_a_circle_is_refused() -> None:
    bad = with_steps(step("a", "call", "torch.relu", {"node": "b"}), step("b", "call", "torch.relu", {"node": "a"}))
    assert "which no step before it makes" in refusal(bad)
    assert "which no step before it makes" in refusal(with_steps(step("a", "call", "torch.relu", {"node": "a"})))


def test_two_steps_of_one_name_are_refused() -> None:
    bad = with_steps(step("a", "call", "torch.relu", FC), step("a", "call", "torch.exp", FC))
    assert "two steps are called 'a'" in refusal(bad)


@for_each("name", ["__import__", "__builtins__", "a b", "a;import os", "", "ä", "x" * 300, 5, None])
def test_names_that_could_become_code_are_refused(name: Any) -> None:
    assert "is no name for" in refusal(with_steps(step(name, "call", "torch.relu", FC), output=FC))


@for_each("path", ["forward", "training", "_modules", "__class__", "a..b", "fc.weight.x y", "_run", ""])
def test_layers_cannot_take_the_place_of_what_a_module_is_made_of(path: str) -> None:
    layer = {"type": "ReLU", "args": {}}
    assert "is no name for a layer" in refusal(graph(layers={**graph()["layers"], path: layer}))


@pytest.mark.slow
@for_each(
    ("bad", "words"),
    [
        (step("b", "call", "torch.Tensor.repeat", FC, 10**6, 10**6), "MiB|memory"),
        (step("b", "call", "torch.Tensor.expand", {"node": "x"}, 2**40, 2**10, 4), "MiB|does not run|memory"),
        (step("b", "call", "torch.zeros", [2**20, 2**20]), "MiB|memory"),
        (step("b", "call", "torch.arange", 2**50), "MiB|memory"),
        (step("b", "call", "torch.nn.functional.pad", FC, {"tuple": [2**30, 2**30]}), "MiB|memory"),
        (step("b", "call", "torch.nn.functional.interpolate", FC, 10**9), "MiB|does not run|memory"),
        (step("b", "call", "operator.pow", 10, 10**9), "no numbers"),
        (step("b", "call", "operator.mul", "text", 10**9), "no numbers"),
        (step("b", "call", "operator.mul", [1], 10**9), "no numbers"),
        (step("b", "call", "operator.mod", "%1000000000d", 1), "no numbers"),
        (step("b", "call", "operator.mul", 2**53, 2**53), "no tensor or number"),
        (step("b", "call", "torch.unbind", {"node": "x"}, 9), "does not run"),
    ],
)
def test_a_step_that_would_fill_the_memory_is_refused_before_it_does(bad: dict[str, Any], words: str) -> None:
    assert re.search(words, refusal_of_the_file(with_steps(bad)))


def test_pieces_beyond_counting_are_refused() -> None:
    big = step("big", "call", "torch.zeros", [100_000])
    for bad in (
        step("b", "call", "torch.unbind", {"node": "big"}),
        step("b", "call", "torch.split", tensor={"node": "big"}, split_size_or_sections=1),
    ):
        assert "too many pieces" in refusal(with_steps(big, bad))


def test_what_grows_with_the_square_of_the_batch_is_refused() -> None:
    n = step("n", "call", "torch.Tensor.size", FC, 0)
    assert "grows faster" in refusal(with_steps(n, step("b", "call", "torch.Tensor.repeat", FC, {"node": "n"}, 1)))


def test_what_is_repeated_as_often_as_the_input_says_is_refused() -> None:
    n = step("n", "call", "torch.Tensor.long", FC)
    bad = step("b", "call", "torch.repeat_interleave", {"node": "n"})
    assert "as often as its input says" in refusal(with_steps(n, bad))
    more = step("b", "call", "torch.Tensor.repeat_interleave", FC, {"node": "n"})
    assert "as often as its input says" in refusal(with_steps(n, more))


@pytest.mark.slow
def test_a_computation_without_end_is_stopped() -> None:
    big = step("a", "call", "torch.ones", [3000, 3000])
    many = [step(f"m{i}", "call", "torch.mm", {"node": "a"}, {"node": f"m{i - 1}" if i else "a"}) for i in range(110)]
    document = graph(steps=[*graph()["steps"][:2], big, *many], output={"node": "m109"})
    assert "of computing" in refusal_of_the_file(document)


def test_tensors_that_do_not_fit_the_graph_are_refused() -> None:
    wrong = {"fc.weight": torch.zeros(3, 5), "fc.bias": torch.zeros(3)}
    assert "has the shape (3, 5), where its graph says (3, 4)" in refusal(graph(), tensors=wrong)
    assert "missing: fc.bias" in refusal(graph(), tensors={"fc.weight": torch.zeros(3, 4)})
    more = {"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(3), "other": torch.zeros(1)}
    assert "more: other" in refusal(graph(), tensors=more)
    whole = {"fc.weight": torch.zeros(3, 4, dtype=torch.int64), "fc.bias": torch.zeros(3)}
    assert "does not compute with" in refusal(graph(), tensors=whole)


@pytest.mark.parametrize("arguments", [{"num_layers": 10**9}, {"num_layers": 0}, {"num_layers": -3}])
def test_layers_stacked_beyond_reason_are_refused(arguments: dict[str, Any]) -> None:
    layer = {"type": "GRU", "args": {"input_size": 4, "hidden_size": 4, **arguments}}
    assert refusal(graph(layers={"fc": layer}))


@pytest.mark.parametrize("value", [{"code": "x"}, {"node": "x", "tuple": []}, {"torch": "load"}, {"float": "1e9"}, {}])
def test_values_of_an_unknown_kind_are_refused(value: Any) -> None:
    assert refusal(with_steps(step("b", "call", "torch.relu", value)))


def test_nesting_without_end_is_refused() -> None:
    value: Any = 1
    for _ in range(60):
        value = [value]
    assert "too many or too deep" in refusal(with_steps(step("b", "call", "torch.relu", value)))
    text = '{"kind": "slim", "version": 1, "graph": ' + "[" * 100_000 + "]" * 100_000 + "}"
    content = save({"w": torch.zeros(1)}, metadata={"explorer": text})
    assert models.open_upload(content, "slim.safetensors").module is None


@for_each("document", [None, [], "graph", {}, {"steps": []}, graph(steps=7), graph(inputs=[]), graph(extra=1)])
def test_a_graph_that_is_none_is_refused(document: Any) -> None:
    assert refusal(document)


def test_another_version_is_refused() -> None:
    assert "version 1 is read here" in refusal(graph(), version=2)


def test_whoever_opens_a_file_is_told_in_a_sentence() -> None:
    text = refusal_of_the_file(with_steps(step("bad", "call", "os.system", "true")))
    assert text.startswith("slim.safetensors cannot be opened. It claims to be a slim model, but it calls 'os.system'")


def test_an_endless_number_of_steps_is_refused() -> None:
    steps = [step(f"s{i}", "call", "torch.relu", FC) for i in range(20_001)]
    assert "at most 20,000" in refusal(with_steps(*steps))


def test_a_description_beside_a_file_cannot_turn_it_into_a_program(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(3)}, tmp_path / "w.safetensors")
    about = {"kind": "slim", "version": 1, "graph": graph()}
    (tmp_path / "w.spec.json").write_text(json.dumps(about))
    assert models.load(str(tmp_path / "w.safetensors")).module is None


X, N = {"node": "x"}, {"node": "n"}
NUMBER = (
    step("one", "call", "torch.Tensor.select", FC, 0, 0),
    step("two", "call", "torch.Tensor.select", {"node": "one"}, 0, 0),
    step("n", "call", "torch.Tensor.long", {"node": "two"}),
)
FROM_TENSORS = (
    step("b", "call", "torch.arange", N),
    step("b", "call", "torch.arange", 0, N),
    step("b", "call", "torch.full", [N], 1.0),
    step("b", "call", "torch.zeros", N),
    step("b", "call", "torch.Tensor.new_ones", FC, {"tuple": [N, 3]}),
    step("b", "call", "torch.Tensor.repeat", FC, 1, N),
    step("b", "call", "torch.Tensor.expand", FC, N, -1, -1),
    step("b", "call", "torch.tile", FC, {"tuple": [1, N]}),
    step("b", "call", "torch.nn.functional.pad", FC, [0, N]),
    step("b", "call", "torch.nn.functional.interpolate", FC, size=N),
    step("b", "call", "torch.nn.functional.interpolate", FC, scale_factor=[N]),
    step("b", "call", "torch.Tensor.narrow", FC, 0, 0, N),
    step("b", "call", "operator.getitem", FC, {"slice": [0, N, None]}),
)


def test_a_number_or_size_that_is_read_out_of_a_tensor_is_refused() -> None:
    for bad in FROM_TENSORS:
        assert "from what a tensor holds" in refusal(with_steps(*NUMBER, bad)), bad


def test_as_many_values_as_a_mask_has_places_are_refused() -> None:
    mask = step("m", "call", "torch.gt", FC, 0)
    for bad in (
        step("b", "call", "operator.getitem", FC, {"node": "m"}),
        step("b", "call", "operator.getitem", FC, {"tuple": [{"node": "m"}, None]}),
        step("b", "call", "torch.where", {"node": "m"}),
    ):
        assert "from what a tensor holds" in refusal(with_steps(mask, bad)), bad


def test_tensors_are_allowed_where_a_function_takes_tensors() -> None:
    steps = (
        step("m", "call", "torch.gt", FC, 0),
        step("w", "call", "torch.where", {"node": "m"}, FC, 0.0),
        step("c", "call", "torch.clamp", {"node": "w"}, min={"node": "two"}),
        step("s", "call", "torch.stack", [{"node": "c"}, FC], dim=1),
        step("e", "call", "torch.einsum", "nij,nkj->nik", {"node": "s"}, {"node": "s"}),
        step("i", "call", "torch.argmax", FC, 1),
        step("z", "call", "torch.Tensor.mul", {"node": "i"}, 0),
        step("g", "call", "operator.getitem", FC, {"node": "z"}),
        step("p", "call", "torch.Tensor.masked_fill", FC, {"node": "m"}, {"node": "two"}),
        step("b", "call", "torch.nn.functional.linear", input=FC, weight={"node": "eye"}),
    )
    eye = step("eye", "call", "torch.ones", [3, 3])
    content = slim_bytes(with_steps(*NUMBER[:2], eye, *steps))
    slim.check(header_of(content), tensors_of(content), {})
    assert models.open_upload(content, "slim.safetensors").module is not None


def test_a_batch_that_would_take_too_much_is_refused_before_it_is_run_whatever_smaller_ones_took() -> None:
    # Rows beyond the 64th are repeated a million times: no trial with few rows can see it.
    more = step("more", "call", "operator.getitem", FC, {"slice": [64, None, None]})
    big = step("big", "call", "torch.Tensor.repeat", {"node": "more"}, 1, 10**7)
    total = step("total", "call", "torch.sum", {"node": "big"})
    document = with_steps(more, big, total, step("out", "call", "torch.add", FC, {"node": "total"}))
    network = build(read(document), tensors_of(slim_bytes(document)))
    assert network(torch.zeros(64, 4)).shape == (64, 3)
    with pytest.raises(ExplorerError, match="cannot be run on 100 inputs at once"):
        network(torch.zeros(100, 4))


def test_the_engine_asks_before_each_batch_too() -> None:
    document = graph()
    model = models.open_upload(slim_bytes(document), "slim.safetensors")
    assert model.module is not None
    asked: list[int] = []
    model.module.foresight.check = asked.append  # type: ignore[union-attr, method-assign]
    split = Split("tune", torch.randn(40, 4), torch.zeros(40, dtype=torch.long))
    Evaluator(model, split, batch_size=16).dense()
    assert {8, 16} <= set(asked)


def test_the_inputs_of_a_trial_are_not_foreseeable(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    real = trial.example_inputs
    monkeypatch.setattr(trial, "example_inputs", lambda *given: seen.append(real(*given)[0]) or (seen[-1],))
    content = slim_bytes(graph())
    for _ in range(2):
        slim.check(header_of(content), tensors_of(content), {})
    assert not torch.equal(seen[0], seen[2])
