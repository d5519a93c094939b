"""The slider on Explore walks the measured front, and says where the present setting stands on it."""

from __future__ import annotations

from itertools import pairwise

import explorer as ex
from explorer.text.numbers import times
from explorer.types import TradeOffPoint
from explorer.ui.explore import front
from explorer.ui.shell import cache
from tests.ui.pages import VISITOR, Open, spoken, work_of

BESIDE = "The present setting is not on the front"


def test_the_slider_takes_over_the_settings_that_no_other_measured_one_beats(visit: Open) -> None:
    at = visit(model="digits-mlp")
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300)
    at.run()
    slider = at.select_slider(key=front.KEY)
    assert slider.value == 0
    labels = list(slider.options)
    assert labels[0].startswith("1×, ")

    points = [point for job in cache.jobs().of(VISITOR) for point in job.results if isinstance(point, TradeOffPoint)]
    best = ex.pareto(points)
    dense = min(points, key=lambda point: point.compression_ratio)
    walked = best if best[0].compression_ratio == 1 else (dense, *best)
    assert [label.partition(",")[0] for label in labels] == [times(point.compression_ratio) for point in walked]
    assert all(small.compression_ratio > large.compression_ratio for large, small in pairwise(walked))
    assert BESIDE not in spoken(at)
    slider.set_value(3).run()
    assert work_of(at).spec.to_json() == walked[3].spec
    assert at.select_slider(key=front.KEY).value == 3
    work_of(at).set(ex.PruneSpec(allocation="uniform:sparsity=0.95"))
    for _ in range(100):
        at.run()
        if BESIDE in spoken(at):
            break
    assert BESIDE in spoken(at)
    next(button for button in at.button if button.label == "Dense").click().run()
    assert at.select_slider(key=front.KEY).value == 0


def test_without_a_front_there_is_no_slider(visit: Open, own_file: str) -> None:
    at = visit(model=own_file)
    assert not at.exception
    assert not at.select_slider
