"""Requested work as a value: JSON and back, keys, what is refused, and what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import explorer as ex
from explorer.errors import ExplorerError
from explorer.recovery.recipe import Recipe
from explorer.recovery.steps import Finetune, Prune
from explorer.store.database import Store
from explorer.store.looks import looks
from explorer.tasks import (
    MEMBERS,
    ActivationRequest,
    BlameRequest,
    CheckRequest,
    CompareRequest,
    Context,
    GridRequest,
    LayerActivationsRequest,
    OrderRequest,
    RecoveryOutcome,
    RecoveryRequest,
    RemovalRequest,
    ScanRequest,
    SearchRequest,
    SweepRequest,
    TaskRequest,
    from_json,
)
from explorer.tasks.advice import AdviceRequest
from explorer.tasks.running import results
from explorer.types import LoadedModel
from tests.recovery.tiny import flowers, half, normed, two

REQUESTS: tuple[TaskRequest[Any], ...] = (
    SweepRequest(half(), ratios=(1, 2), label="a curve"),
    ScanRequest(half(), levels=[0.5], layers=["fc1"], max_drop=0.1),  # type: ignore[arg-type]
    SearchRequest("params=0.5", half(), 2, levels=(0.5,)),  # type: ignore[arg-type]
    GridRequest(half(), shares=(0.0, 0.5), forms=("float32", "int8")),
    OrderRequest(half(), 0.5, 8, Finetune(epochs=1)),
    ActivationRequest(half(), (0.0, 0.5)),
    RecoveryRequest(Recipe((Prune(half()), Finetune(epochs=1))), label="one epoch"),
    CheckRequest(
        spec=half(), policy={"accuracy": {"margin": 0.02}, "parity": False}, slices={"light": ["day", "night"] * 30}
    ),  # type: ignore[arg-type]
    AdviceRequest(0.02),
    BlameRequest("1", spec=half()),
    CompareRequest((half(), half(0.9)), times=2),
    LayerActivationsRequest(half(), "tune", 20),
    RemovalRequest(ex.PruneSpec("out_channel", "lp_norm", "global:sparsity=0.5"), batch=2, pairs=3),
)


def model_for(request: TaskRequest[Any]) -> LoadedModel:
    """A network for it: skipping needs activations of its own."""
    return normed() if isinstance(request, ActivationRequest) else two()


def test_every_kind_of_request_becomes_json_and_an_equal_request_again() -> None:
    assert {type(request) for request in REQUESTS} == set(MEMBERS)
    for request in REQUESTS:
        again = from_json(json.dumps(request.to_json()))
        assert again == request
        assert again.to_json() == request.to_json()


def test_kinds_are_told_apart_and_a_request_can_be_looked_up() -> None:
    assert len({member.kind for member in MEMBERS}) == len(MEMBERS)
    assert len(dict.fromkeys(REQUESTS)) == len(REQUESTS)


def test_the_key_depends_on_every_part_but_the_label_and_on_model_and_data() -> None:
    model, data = two(), flowers()
    here = Context(model, data)
    request = SweepRequest(half(), ratios=(1, 2))
    others = [
        SweepRequest(ex.PruneSpec(), ratios=(1, 2)),
        SweepRequest(half(), ratios=(1, 3)),
        SweepRequest(half(), ratios=(1, 2), sparsities=(0.5,)),
        SweepRequest(half(), ratios=(1, 2), split="test"),
    ]
    assert request.key(here) == replace(request, label="another name").key(here)
    elsewhere = [Context(replace(model, digest="another"), data), Context(model, replace(data, digest="another"))]
    keys = [request.key(here), *(other.key(here) for other in others), *(request.key(where) for where in elsewhere)]
    assert len(set(keys)) == 7


def test_what_does_not_count_makes_no_other_scan_or_search() -> None:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.7", {"fc1": ex.Limit(locked=True)})  # type: ignore[arg-type]
    assert ScanRequest(spec) == ScanRequest(ex.PruneSpec("weight", "lp_norm:p=1"))
    question: Any = "params=0.5"
    assert SearchRequest(question, spec) == SearchRequest(question, replace(spec, allocation=ex.PruneSpec().allocation))
    assert SearchRequest(question, spec) != SearchRequest(question, replace(spec, limits=()))


def test_parts_that_do_not_suit_are_refused_in_words_from_python_and_from_json() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"task": "scan", "levels": [1.5]}, "levels: A level is a share"),
        ({"task": "scan", "levels": "0.5"}, "levels: '0.5' is no list"),
        ({"task": "scan", "mode": "quick"}, "mode: There is no 'quick'"),
        ({"task": "scan", "n_samples": True}, "n_samples: True"),
        ({"task": "sweep", "ratios": [float("nan")]}, "ratios: nan"),
        ({"task": "sweep", "depth": 3}, "no part 'depth'"),
        ({"task": "search"}, "needs 'question'"),
        ({"task": "search", "question": {"cost": "params", "limit": "half"}}, "question: 'half'"),
        ({"task": "scan", "spec": 3}, "spec: 3 is no PruneSpec"),
        ({"task": "dance"}, "no task 'dance'"),
        ({"task": "recover", "recipe": {"steps": []}}, "recipe: A recipe of 0 steps"),
    ]
    for document, words in wrong:
        with pytest.raises(ExplorerError, match=words):
            from_json(document)
    with pytest.raises(ExplorerError, match=r"levels: A level is a share"):
        ScanRequest(levels=(1.5,))
    with pytest.raises(ExplorerError, match="not JSON"):
        from_json("{")


def test_every_request_gives_as_many_complete_results_as_its_size_says_at_most() -> None:
    data = flowers()
    for request in REQUESTS[:-1]:  # removal needs a network of channels
        context = Context(model_for(request), data)
        complete = [result for result in results(request, context) if getattr(result, "complete", True)]
        assert 0 < len(complete) <= request.size(context), request.kind
        assert all(isinstance(request.describe(result), str) for result in complete)
        assert request.title(context)


def test_points_of_every_kind_are_recorded_as_what_asked_for_them(tmp_path: Path) -> None:
    recorded = {}
    for request in REQUESTS[:-1]:
        store = Store(tmp_path / request.kind)
        for _ in range(2):
            points = [request.point(r) for r in results(request, Context(model_for(request), flowers(), store=store))]
        recorded[request.kind] = {record.point.plan_digest for record in store.points()}
        assert {record.kind for record in store.points()} <= {request.kind}
        assert recorded[request.kind] == {point.plan_digest for point in points if point is not None}
    assert {kind for kind, digests in recorded.items() if digests} == {
        "sweep",
        "search",
        "quantize",
        "recover",
        "advise",
    }


def test_cells_that_are_in_the_store_are_not_measured_again(tmp_path: Path) -> None:
    first = list(ex.run(ScanRequest(levels=(0.5,)), two(), flowers(), store=tmp_path))
    second = list(ex.run(ScanRequest(levels=(0.5, 0.9)), two(), flowers(), store=tmp_path))
    assert [cell.from_store for cell in first] == [False, False]
    assert {(cell.level, cell.from_store) for cell in second} == {(0.5, True), (0.9, False)}


def test_a_store_that_fails_is_reported_once_and_the_work_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    heard: list[ExplorerError] = []
    context = Context(two(), flowers(), store=Store(tmp_path / "a file" / "folder"), report=heard.append)
    points = list(results(SweepRequest(half(), ratios=(1, 2, 3)), context))
    assert len(points) == 3
    assert len(heard) == 1


def test_each_look_at_the_test_split_is_counted_and_what_is_refused_is_none(tmp_path: Path) -> None:
    model, data = two(), flowers()
    context = Context(model, data, folder=tmp_path)
    with pytest.raises(ExplorerError):
        list(results(ScanRequest(layers=("no such layer",), split="test"), context))
    assert looks(model.digest, data.digest, tmp_path) == 0
    list(results(ScanRequest(levels=(0.5,), split="test"), context))
    assert (context.n_looks, looks(model.digest, data.digest, tmp_path)) == (1, 1)
    list(results(ScanRequest(levels=(0.5,)), context))
    assert looks(model.digest, data.digest, tmp_path) == 1


def test_a_recovery_ends_with_its_outcome_and_goes_on_from_its_checkpoints(tmp_path: Path) -> None:
    request = RecoveryRequest(Recipe((Prune(half()), Finetune(epochs=2))))
    *epochs, outcome = results(request, Context(two(), flowers(), checkpoints=tmp_path))
    assert isinstance(outcome, RecoveryOutcome)
    assert outcome.point.accuracy == outcome.evaluation.accuracy
    assert outcome.point.protocol["summary"] == "prune, finetune, 2 epochs"
    *_, again = results(request, Context(two(), flowers(), checkpoints=tmp_path))
    assert isinstance(again, RecoveryOutcome)
    assert again.recovered.model.digest == outcome.recovered.model.digest
    assert len(epochs) >= 3


def test_checkpoints_that_a_user_names_and_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    request = RecoveryRequest(Recipe((Prune(half()),)))
    with pytest.raises(ExplorerError):
        list(results(request, Context(two(), flowers(), checkpoints=tmp_path / "a file" / "folder")))


def test_every_part_of_every_request_is_read_by_a_function_that_checks_it() -> None:
    def parts() -> Iterator[Any]:
        for member in MEMBERS:
            yield from fields(member)  # type: ignore[arg-type]

    assert all(callable(each.metadata.get("read")) for each in parts())
