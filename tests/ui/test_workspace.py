"""One source of truth: history, links and moves of lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.errors import ExplorerError
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, Plan, Scores, tensors_digest
from explorer.workbench.apply import apply
from explorer.workbench.events import DragEvent
from explorer.workbench.links import decode, encode, parameters_of, restore
from explorer.workbench.moves import moved, short_share
from explorer.workbench.workspace import Source, Workspace


@pytest.fixture
def model() -> LoadedModel:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)).eval().requires_grad_(False)
    weights = dict(module.named_parameters())
    return LoadedModel("tiny", module, weights, tensors_digest(weights), example=torch.zeros(1, 8), n_classes=4)


@pytest.fixture
def scores(model: LoadedModel) -> Scores:
    return score(model, PruneSpec())


def shares(found: Plan) -> dict[str, int]:
    return {k.group.name: k.n_pruned for k in found.groups}


def drag(kind: str, group: str, value: float, mode: str = "alone", **more: object) -> DragEvent:
    return DragEvent(kind=kind, seq=1, group=group, value=value, mode=mode, **more)  # type: ignore[arg-type]


def test_a_line_dragged_alone_prunes_what_lies_below_it_and_leaves_the_others(
    model: LoadedModel, scores: Scores
) -> None:
    start = PruneSpec(allocation="global:sparsity=0.3")
    before = plan(model, start, scores)
    line = float(model.weights["2.weight"].abs().median())
    after = plan(model, moved(start, drag("threshold", "2", line), scores, before), scores)
    assert shares(after)["0"] == shares(before)["0"]
    assert shares(after)["2"] == int((model.weights["2.weight"].abs() < line).sum())


def test_lines_dragged_together_stand_at_one_value(model: LoadedModel, scores: Scores) -> None:
    spec = moved(PruneSpec(), drag("threshold", "0", 0.2, "together"), scores, plan(model, PruneSpec(), scores))
    expected = {name: int((model.weights[f"{name}.weight"].abs() < 0.2).sum()) for name in ("0", "2")}
    assert shares(plan(model, spec, scores)) == expected


def test_lines_dragged_by_share_lose_the_same_share(model: LoadedModel, scores: Scores) -> None:
    spec = moved(PruneSpec(), drag("share", "0", 0.25, "share"), scores, plan(model, PruneSpec(), scores))
    assert shares(plan(model, spec, scores)) == {"0": 32, "2": 16}


def test_a_reset_brings_one_line_back_to_nothing(model: LoadedModel, scores: Scores) -> None:
    start = PruneSpec(allocation="uniform:sparsity=0.5")
    spec = moved(start, drag("reset", "0", 0.0), scores, plan(model, start, scores))
    assert shares(plan(model, spec, scores)) == {"0": 0, "2": 32}


def test_a_lock_holds_its_line_while_the_others_move_and_opens_where_it_stands(
    model: LoadedModel, scores: Scores
) -> None:
    start = PruneSpec(allocation="uniform:sparsity=0.5")
    spec = moved(start, drag("lock", "0", 0.5, locked=True), scores, plan(model, start, scores))
    more = moved(spec, drag("share", "2", 0.75, "share"), scores, plan(model, spec, scores))
    assert shares(plan(model, more, scores)) == {"0": 64, "2": 48}
    alone = moved(more, drag("share", "2", 0.25), scores, plan(model, more, scores))
    opened = moved(alone, drag("lock", "0", 0.5, locked=False), scores, plan(model, alone, scores))
    assert shares(plan(model, opened, scores)) == {"0": 64, "2": 16}


def test_a_floor_and_a_cap_are_kept_in_the_request(model: LoadedModel, scores: Scores) -> None:
    event = drag("limit", "0", 0.0, floor=0.1, cap=0.2)
    spec = moved(PruneSpec(allocation="uniform:sparsity=0.9"), event, scores, plan(model, PruneSpec(), scores))
    assert spec.limit("0") == Limit(None, 0.1, 0.2)
    assert shares(plan(model, spec, scores))["0"] == 25


def test_a_line_the_model_does_not_have_is_refused(model: LoadedModel, scores: Scores) -> None:
    with pytest.raises(ExplorerError, match="can be moved"):
        moved(PruneSpec(), drag("threshold", "nine", 0.1), scores, plan(model, PruneSpec(), scores))


@given(st.integers(1, 10**7), st.data())
def test_a_short_share_gives_exactly_its_count_back(of: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, of))
    assert round(short_share(n, of) * of) == n


def test_a_drag_is_one_step_of_history_however_many_moves_it_had() -> None:
    work = Workspace()
    start = work.spec
    levels = [PruneSpec(allocation=f"global:sparsity={s}") for s in (0.1, 0.2, 0.3)]
    work.set(levels[0], final=False)
    work.set(levels[1], final=False)
    work.set(levels[2], final=True)
    assert work.spec == levels[2]
    work.undo()
    assert work.spec == start
    assert not work.can_undo
    work.redo()
    assert work.spec == levels[2]


def test_a_drag_that_ends_where_its_last_move_was_is_still_one_step() -> None:
    work = Workspace()
    level = PruneSpec(allocation="global:sparsity=0.1")
    work.set(level, final=False)
    work.set(level, final=True)
    assert work.can_undo
    work.undo()
    assert work.spec == PruneSpec()


def test_a_new_step_after_undo_drops_what_could_be_redone() -> None:
    work = Workspace()
    work.set(PruneSpec(allocation="global:sparsity=0.1"))
    work.undo()
    work.set(PruneSpec(allocation="global:sparsity=0.2"))
    assert not work.can_redo


def test_every_change_raises_the_revision_and_no_change_does_not() -> None:
    work = Workspace()
    before = work.revision
    work.set(work.spec)
    assert work.revision == before
    work.set(PruneSpec(allocation="global:sparsity=0.1"))
    assert work.revision == before + 1


def test_opening_another_model_forgets_the_history_of_the_old_one() -> None:
    work = Workspace(mode="share")
    work.set(PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.5", {"a": Limit(True)}))
    work.open(Source(model="digits-cnn"))
    assert (work.mode, work.can_undo, work.spec.limits) == ("share", False, ())
    assert work.spec.granularity.key == "out_channel"
    assert work.spec.allocation == PruneSpec().allocation


@pytest.mark.parametrize(
    "spec",
    [
        PruneSpec(),
        PruneSpec(allocation="global:sparsity=0.8"),
        PruneSpec("out_channel", "random:seed=3", "uniform:sparsity=0.25", {"a.b": Limit(True, 0.1)}),
        replace(
            PruneSpec(),
            allocation=PruneSpec.from_json({"allocation": {"key": "per_layer", "shares": {"a": 0.5}}}).allocation,
        ),
    ],
)
def test_a_request_survives_the_trip_through_a_link(spec: PruneSpec) -> None:
    assert decode(encode(spec)) == spec


@pytest.mark.parametrize(
    "text", ["abc", "!!!!", "eJwr", "A" * 30_000, encode(PruneSpec(allocation="global:sparsity=0.8"))[:-6]]
)
def test_a_broken_link_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ExplorerError, match="cannot be read"):
        decode(text)


def test_an_undo_sent_behind_a_stale_line_is_done_and_the_stale_line_refused(
    model: LoadedModel, scores: Scores
) -> None:
    work = Workspace()
    work.set(PruneSpec(allocation="global:sparsity=0.3"))
    events = (drag("threshold", "a layer of yesterday", 0.1), DragEvent("undo", seq=2), DragEvent("mode", seq=3))
    refusals = apply(work, events, model, lambda spec: scores)
    assert [refusal.what for refusal in refusals] == ["No line called 'a layer of yesterday' can be moved."]
    assert work.spec == PruneSpec()
    assert work.mode == "alone"


def test_events_of_one_batch_build_on_one_another(model: LoadedModel, scores: Scores) -> None:
    work = Workspace()
    events = (drag("share", "0", 0.5), drag("share", "2", 0.25), drag("lock", "2", 0.25, locked=True))
    assert apply(work, events, model, lambda spec: scores) == ()
    assert shares(plan(model, work.spec, scores)) == {"0": 64, "2": 16}
    assert work.spec.limit("2").locked


def test_links_of_earlier_versions_still_open() -> None:
    """Written by version 0.1.0, and never made anew."""
    half = "eNqrVkrMyclPTizJzM9TsqpWyk6tVLJSSs_JT0rMUdJRKi5ILCrOLAGKGeiZ1tYCAHtyD80"
    work, refusals = restore({"model": "digits-cnn", "spec": half, "lines": "share", "layer": "conv1", "size": "32"})
    assert refusals == ()
    assert work.spec == PruneSpec(allocation="global:sparsity=0.5")
    assert (work.source, work.mode, work.layer) == (Source("digits-cnn", size=32), "share", "conv1")
    assert restore(parameters_of(work))[0].spec == work.spec


def test_a_link_is_read_part_by_part() -> None:
    work, refusals = restore({"model": "digits-cnn", "spec": "broken", "size": "²", "lines": "sideways"})
    assert len(refusals) == 2
    assert (work.source.model, work.source.size, work.spec) == ("digits-cnn", None, PruneSpec())
