"""The slider on Explore walks the measured front, and moves by nothing but a hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.text.numbers import times
from explorer.types import TradeOffPoint
from explorer.ui.explore import front
from explorer.ui.shell import cache
from tests.ui.pages import VISITOR, Open, work_of


def measured(visit: Open) -> tuple[AppTest, list[TradeOffPoint]]:
    """The page once its curves are there, and what a reader of them would walk."""
    at = visit(model="digits-mlp")
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300)
    at.run()
    points = [point for job in cache.jobs().of(VISITOR) for point in job.results if isinstance(point, TradeOffPoint)]
    dense = min(points, key=lambda point: point.compression_ratio)
    unbeaten = [
        point
        for point in points
        if not any(
            other.compression_ratio >= point.compression_ratio
            and other.accuracy.value >= point.accuracy.value
            and (other.compression_ratio, other.accuracy.value) != (point.compression_ratio, point.accuracy.value)
            for other in points
        )
    ]
    sizes = {point.compression_ratio: point for point in (*reversed(unbeaten), dense)}
    return at, [sizes[size] for size in sorted(sizes)]


def slider(at: AppTest) -> Any:
    return next(one for one in at.select_slider if one.key.startswith(front.NAME))


def test_a_stop_opens_the_setting_that_no_other_measured_one_beats(visit: Open) -> None:
    at, walked = measured(visit)
    labels = list(slider(at).options)
    assert slider(at).value == labels[0]
    assert [label.partition(",")[0] for label in labels] == [times(point.compression_ratio) for point in walked]
    assert all(small.accuracy.value < large.accuracy.value for large, small in pairwise(walked[1:]))

    touched = slider(at).key
    slider(at).set_value(labels[3]).run()
    assert work_of(at).spec.to_json() == walked[3].spec
    assert (slider(at).value, slider(at).key) == (labels[3], touched)

    next(button for button in at.button if button.label == "Dense").click().run()
    assert slider(at).value == labels[0]


def test_a_setting_that_is_beaten_has_a_stop_of_its_own_that_opens_nothing(visit: Open) -> None:
    at, walked = measured(visit)
    work_of(at).set(ex.PruneSpec(allocation="uniform:sparsity=0.95"))
    for _ in range(100):
        at.run()
        if work_of(at).tried and work_of(at).tried[-1].spec == work_of(at).spec.to_json():
            break
    tried = work_of(at).tried[-1]
    assert slider(at).value == front.PRESENT
    n_larger = sum(point.compression_ratio <= tried.compression_ratio for point in walked)
    assert list(slider(at).options).index(front.PRESENT) == n_larger

    slider(at).set_value(slider(at).options[1]).run()
    assert work_of(at).spec.to_json() == walked[1].spec
    assert front.PRESENT not in slider(at).options


def test_a_message_that_was_on_its_way_while_the_front_or_the_setting_changed_moves_nothing(visit: Open) -> None:
    at, _ = measured(visit)
    now = at._tree.get_widget_states()
    slider(at).set_value(slider(at).options[2])
    late = at._tree.get_widget_states()
    other = ex.PruneSpec(allocation="global:sparsity=0.123")
    work_of(at).set(other)
    at._run(widget_state=now)
    for _ in range(3):
        at._run(widget_state=late)
        assert work_of(at).spec == other

    past, future = work_of(at).history
    assert (past, future) == ((ex.PruneSpec(),), ())


def test_without_a_front_there_is_no_slider(visit: Open, own_file: str) -> None:
    at = visit(model=own_file)
    assert not at.exception
    assert not at.select_slider
