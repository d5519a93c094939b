"""Runs of a recovery beside one another."""

from __future__ import annotations

import pytest

from explorer.charts.recovery import RunStages, runs_by_stage
from explorer.types import Measurement


def share(value: float) -> Measurement:
    return Measurement("accuracy", value, "fraction", "measured", value - 0.01, value + 0.01, n=450)


def test_runs_of_one_size_have_a_row_each_with_their_name() -> None:
    one = RunStages("refresh", 4.0, (share(0.3), share(0.9), None))
    other = RunStages("gradual <b>, 20 epochs", 4.0, (share(0.3), None, share(0.97)))
    figure = runs_by_stage([one, other], dense=0.99)
    assert list(figure.layout.yaxis.ticktext) == ["refresh<br>4×", "gradual &lt;b&gt;, 20 epochs<br>4×"]
    rows = [trace for trace in figure.data if trace.hovertext is not None]
    assert [list(row.x) for row in rows] == [pytest.approx([0.3, 0.9]), pytest.approx([0.3, 0.97])]
    assert [set(row.y) for row in rows] == [{0}, {1}]
    assert "after training: 97.0%" in rows[1].hovertext[1]


def test_before_a_run_has_finished_it_says_so() -> None:
    assert "Finished runs" in runs_by_stage([]).layout.annotations[0].text
