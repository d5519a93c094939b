"""A prediction is locked before anything is measured, and what is said of it is arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from explorer import lessons
from explorer.errors import ExplorerError
from explorer.lessons.by_hand import by_hand
from explorer.lessons.handouts import handout, write
from explorer.lessons.lesson import ChoiceQuestion, Condition, CurveQuestion, Number
from explorer.lessons.outcome import checked_answer, filled, outcome, verdict
from explorer.lessons.readings import Reading
from explorer.lessons.taking import Taking, take
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Measurement


def reading(label: str, value: float, low: float | None = None, high: float | None = None) -> Reading:
    return Reading(label, Measurement("accuracy", value, "fraction", "measured", low, high, n=100), value)


def test_nothing_is_measured_before_a_prediction_is_locked_and_no_prediction_changes() -> None:
    taking = Taking.of(lessons.lesson("histogram"))
    with pytest.raises(ExplorerError, match="A prediction comes first"):
        taking.reveal("quarter")
    taking.lock("quarter", 40)
    with pytest.raises(ExplorerError, match="is locked"):
        taking.lock("quarter", 75)
    assert taking.reveal("quarter").readings[0].measurement.origin == "counted"


def test_a_lesson_with_an_answer_missing_measures_nothing() -> None:
    lesson = lessons.lesson("histogram")
    with pytest.raises(ExplorerError, match="no answer to 'curve'"):
        take(lesson, Taking.of(lesson).context, {"quarter": 40})


def test_an_answer_must_be_one_to_its_question() -> None:
    for form, good, bad in (
        (ChoiceQuestion(("a", "b")), "a", "c"),
        (Number(0, 100), 40, 101),
        (Number(0, 100), 40, True),
        (CurveQuestion((0.1, 0.9)), [1, 2], [1]),
        (CurveQuestion((0.1, 0.9)), [1, 2], [1, "2"]),
    ):
        assert checked_answer(form, good) in ("a", 40.0, (1.0, 2.0))
        with pytest.raises(ExplorerError):
            checked_answer(form, bad)


def test_a_number_is_right_inside_the_interval_or_within_its_tolerance() -> None:
    measured = [reading("", 0.5, 0.42, 0.58)]
    near = {n: outcome(Number(tolerance=1), float(n), measured).is_right for n in (41, 42, 58, 59)}
    assert near == {41: False, 42: True, 58: True, 59: False}
    assert outcome(Number(tolerance=9), 41.0, measured).is_right
    assert "9 points away" in outcome(Number(tolerance=1), 41.0, measured).words


def test_the_right_option_is_the_highest_the_lowest_or_the_range_that_was_measured() -> None:
    measured = [reading("a", 0.2), reading("b", 0.9), reading("c", 1.0)]
    assert outcome(ChoiceQuestion(("a", "b")), "b", measured).is_right
    assert outcome(ChoiceQuestion(("a", "b"), "lowest"), "a", measured).is_right
    ranges = ChoiceQuestion(("few", "some", "many"), bounds=(10, 20))
    assert [outcome(ranges, "many", [reading("", v)]).is_right for v in (0.05, 0.15, 0.2)] == [False, False, True]


def test_a_curve_is_right_by_its_mean_distance() -> None:
    measured = [reading("10%", 0.1), reading("30%", 0.3)]
    form = CurveQuestion((0.1, 0.3), tolerance=10)
    assert outcome(form, (20.0, 40.0), measured).is_right
    assert not outcome(form, (21.0, 40.0), measured).is_right


def test_a_claim_holds_by_its_values_and_is_sure_by_its_intervals() -> None:
    measured = [reading("a", 0.6, 0.5, 0.7), reading("b", 0.4, 0.3, 0.55)]
    above = verdict([Condition("above", "a", "b")], measured)
    assert (above.holds, above.is_sure) == (True, False)
    assert verdict([Condition("above", "a", value=0.45)], measured).is_sure
    assert not verdict([Condition("below", "", value=0.5)], measured).holds
    assert verdict([Condition("at most", "", value=0.6)], measured).holds
    with pytest.raises(ExplorerError, match="'c' was not measured"):
        verdict([Condition("above", "c")], measured)


def test_a_text_is_filled_with_what_was_measured() -> None:
    assert filled("{a} here", [reading("a", 0.5, 0.4, 0.6)]) == "50.0% (40.0 – 60.0%) here"


def test_one_output_by_hand_is_that_of_torch() -> None:
    taking = Taking.of(lessons.lesson("histogram"))
    model, spec = taking.context.model, PruneSpec(allocation="global:sparsity=0.6")
    for layer in ("block1.conv1", "block1.conv2"):
        one = by_hand(taking.context, layer, spec)
        info = next(each for each in layer_table(model).prunable if each.name == layer)
        weights = model.weights[info.parameter].detach()
        mask = plan(model, spec).masks[info.parameter]
        seen = []
        assert model.module is not None
        inner = dict(model.module.named_modules())[layer]
        hook = inner.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0]))
        with torch.no_grad():
            model.module(taking.context.dataset.splits["tune"].x[:1])
        hook.remove()
        for values, expected in ((weights, one.dense), (weights * mask, one.pruned)):
            outputs = functional.conv2d(seen[0], values, inner.bias, inner.stride, inner.padding)
            assert float(outputs[0, one.channel, one.place[0], one.place[1]]) == pytest.approx(expected, abs=1e-4)
        assert one.sum + one.rest + one.bias == pytest.approx(one.pruned, abs=1e-9)
        kept = torch.tensor(one.kernel).abs()[torch.tensor(one.mask).bool()]
        assert not len(kept) or float(kept.min()) >= one.threshold - 1e-7
    with pytest.raises(ExplorerError, match="no plain convolution"):
        by_hand(taking.context, "head.fc")


def test_a_hand_out_on_paper_has_the_questions_and_only_the_teachers_has_answers(tmp_path: Path) -> None:
    for lesson in lessons.lessons():
        paper, teachers = (handout(lesson, ".html", is_teachers=of) for of in (False, True))
        assert paper.count('class="kind">Predict') == len(lesson.predictions)
        assert lesson.misconception.split("'")[0][:30] not in paper
        assert "It corrects" in teachers
        assert "<script" not in paper
        assert "http" not in paper
    with pytest.raises(ExplorerError, match=r"no hand-out '\.pdf'"):
        write(lessons.lesson("histogram"), tmp_path / "one.pdf")


def test_the_notebook_of_a_lesson_runs_and_its_asserts_hold() -> None:
    notebook = json.loads(handout(lessons.lesson("channels"), ".ipynb"))
    graded = [cell["metadata"]["nbgrader"] for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    assert len({each["grade_id"] for each in graded}) == len(graded) >= 4
    space: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], "lesson.ipynb", "exec"), space)
    taking = space["taking"]
    assert isinstance(taking, Taking)
    assert set(taking.answers) == {prediction.key for prediction in taking.lesson.predictions}
