"""What a reload of the page brings back: undo and redo of the same work, and what was chosen on the pages."""

from __future__ import annotations

import json
from dataclasses import replace

from explorer.pruning.spec import PruneSpec
from explorer.workbench import history
from explorer.workbench.links import controls_of, parameters_of, restore
from explorer.workbench.workspace import Source, Workspace

LEVELS = [PruneSpec(allocation=f"global:sparsity={s}") for s in (0.1, 0.2, 0.3)]


def worked() -> Workspace:
    """Three settings, the last of them undone."""
    work = Workspace(source=Source("digits-mlp"))
    for spec in LEVELS:
        work.set(spec)
    work.undo()
    return work


def test_undo_and_redo_go_on_where_the_link_was_left() -> None:
    work = worked()
    text = history.to_text(work)
    again, _ = restore(parameters_of(work))

    assert history.restore(again, text)

    again.redo()
    assert again.spec == LEVELS[2]
    specs = []
    while again.can_undo:
        again.undo()
        specs.append(again.spec)
    assert specs == [LEVELS[1], LEVELS[0], PruneSpec()]


def test_the_history_of_other_work_is_not_taken() -> None:
    text = history.to_text(worked())
    others = [
        Workspace(source=Source("digits-mlp"), spec=LEVELS[2]),
        Workspace(source=Source("digits-cnn"), spec=LEVELS[1]),
        Workspace(source=replace(worked().source, arch="digits-mlp"), spec=LEVELS[1]),
    ]
    for other in others:
        assert not history.restore(other, text)
        assert not other.can_undo


def test_a_history_that_something_else_changed_is_no_history() -> None:
    sound = json.loads(history.to_text(worked()))
    broken = ["", "[]", "null", "{}", "[" * 100_000, json.dumps({**sound, "past": ["eJwrcut"]})]
    broken += [json.dumps({**sound, "past": 3}), json.dumps({**sound, "past": [3]}), json.dumps({**sound, "source": 1})]
    for text in broken:
        work = Workspace(source=Source("digits-mlp"), spec=LEVELS[1])
        assert not history.restore(work, text), text
        assert not work.can_undo


def test_a_link_carries_what_was_chosen_on_the_pages_and_the_scale() -> None:
    controls = {"scan_mode": "estimate", "recover_distil": True, "grid_shares": [0.5, 0.9], "search_drop": 2.5}
    parameters = parameters_of(Workspace(scale="log"), controls)

    assert controls_of(parameters) == controls
    assert restore(parameters)[0].scale == "log"
    assert parameters_of(Workspace(), {}) == {}


def test_controls_that_are_no_choices_are_left_out_and_a_cut_text_is_none() -> None:
    mixed = {"a": 1, "b": {"c": 1}, "d": None, "e": [[1]], "f": ["x"]}

    assert controls_of(parameters_of(Workspace(), mixed)) == {"a": 1, "f": ["x"]}
    for text in ("eJwrcut", "é", "x" * 30_000, "AAAA"):
        assert controls_of({"controls": text}) == {}


def test_a_link_carries_the_setting_that_is_held_as_a_also_the_dense_one() -> None:
    for held in (None, PruneSpec(), PruneSpec(allocation="global:sparsity=0.5")):
        work = Workspace(spec=PruneSpec(allocation="global:sparsity=0.9"))
        work.setting_a = held
        again, refusals = restore(parameters_of(work))
        assert (again.setting_a, again.spec, refusals) == (held, work.spec, ())
    again, refusals = restore({"a": "cut off"})
    assert again.setting_a is None
    assert len(refusals) == 1


def test_a_link_carries_how_many_samples_are_looked_at() -> None:
    work = Workspace(source=Source("digits-mlp", samples=100))
    again, refusals = restore(parameters_of(work))
    assert (again.source, refusals) == (work.source, ())
    for text in ("0", "-3", "x", "²", "9" * 400):
        again, refusals = restore({"samples": text})
        assert (again.source.samples, len(refusals)) == (None, 1)
