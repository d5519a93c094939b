"""The challenge: entries are measured here, on the hidden split, equal masks once; the board ranks what came out."""

from __future__ import annotations

from dataclasses import replace

import pytest

import explorer as ex
from explorer import models
from explorer.classroom.challenge import Challenge, EntryRequest, EntryResult, TeamEntry, board
from explorer.data.given import given_data
from explorer.errors import ExplorerError
from explorer.export.measured_sizes import measure_sizes
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.types import LoadedModel

BASE = EntryResult("m", 0.24, 0.98, 0.005, None, None, 450)


@pytest.fixture(scope="module")
def context() -> Context:
    model = models.load(Challenge().model)
    return Context(model, given_data(None, model))


def smallest_written(model: LoadedModel, spec: PruneSpec, context: Context) -> float:
    """Bytes of the smallest file that is really written and opens again, so none that is zipped."""
    sizes = measure_sizes(model, plan(model, spec, context.scores(spec)))
    return min(m.value for kind, m in sizes.items() if kind != "dense_file_compressed")


def test_an_entry_is_measured_on_the_hidden_split_and_its_size_is_that_of_a_written_file(context: Context) -> None:
    spec = PruneSpec(allocation="global:sparsity=0.7")
    (outcome,) = EntryRequest(spec).run(context)
    evaluation = ex.evaluate(context.model, spec, context.dataset, split="test")
    assert outcome.accuracy == evaluation.accuracy.value
    assert outcome.drop == evaluation.drop.value
    assert outcome.n == 450
    whole = smallest_written(context.model, PruneSpec(), context)
    assert outcome.share == pytest.approx(smallest_written(context.model, spec, context) / whole, abs=1e-3)


def test_the_challenge_can_be_met_but_not_by_magnitude(context: Context) -> None:
    outcomes = {
        key: next(EntryRequest(PruneSpec(criterion=key, allocation="global:sparsity=0.816")).run(context))
        for key in ("lp_norm", "obs")
    }
    assert all(outcome.share <= Challenge().share for outcome in outcomes.values())
    assert outcomes["obs"].meets(Challenge())
    assert not outcomes["lp_norm"].meets(Challenge())


def test_equal_masks_are_the_same_work_in_whatever_words(context: Context) -> None:
    nothing = EntryRequest(PruneSpec(allocation="global:sparsity=0"))
    assert nothing.key(context) == EntryRequest(PruneSpec(allocation="uniform:sparsity=0")).key(context)
    other = EntryRequest(PruneSpec(allocation="uniform:sparsity=0.5"))
    assert nothing.key(context) != other.key(context)


def test_the_board_ranks_by_accuracy_then_size_and_those_that_miss_the_challenge_come_last() -> None:
    entries = {
        "best": replace(BASE, accuracy=0.99, share=0.25),
        "small": replace(BASE, share=0.20),
        "large": replace(BASE, share=0.22),
        "too-large": replace(BASE, accuracy=1.0, share=0.2501),
        "too-lossy": replace(BASE, accuracy=0.9, drop=0.0101),
    }
    rows = board(
        {team: TeamEntry({}, outcome) for team, outcome in entries.items()} | {"open": TeamEntry({})}, Challenge()
    )
    assert [row.team for row in rows] == ["best", "small", "large", "too-large", "too-lossy"]
    assert [row.meets for row in rows] == [True, True, True, False, False]
    assert [row.place for row in rows] == [1, 2, 3, 4, 5]
    assert {row.team for row in rows if row.is_on_front} == {"small", "best", "too-large"}


def test_two_teams_with_the_same_masks_stand_side_by_side_on_the_front() -> None:
    rows = board({"a": TeamEntry({}, BASE), "b": TeamEntry({}, replace(BASE))}, Challenge())
    assert [row.is_on_front for row in rows] == [True, True]


def test_a_refused_entry_is_settled_and_not_on_the_board() -> None:
    entry = TeamEntry({}, refusal="It cannot be run.")
    assert not entry.is_open
    assert board({"a": entry}, Challenge()) == ()


def test_an_entry_read_from_json_is_checked_as_a_whole() -> None:
    with pytest.raises(TypeError):
        TeamEntry({}, {"accuracy": 1.0})  # type: ignore[arg-type]
    with pytest.raises(ExplorerError):
        EntryRequest({"criterion": "nothing"})  # type: ignore[arg-type]
