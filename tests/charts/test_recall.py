"""Recall by class as bars."""

from __future__ import annotations

import pytest
import torch

from explorer.charts.classes import recall_by_class
from explorer.metrics.per_class import class_counts


def test_each_class_has_a_bar_with_its_interval_and_a_mark_for_the_dense_model() -> None:
    labels = torch.tensor([0] * 10 + [1] * 10)
    pruned = torch.tensor([0] * 10 + [1] * 4 + [0] * 6)
    figure = recall_by_class(["cat", "<dog>", "none"], class_counts(pruned, labels, 3), class_counts(labels, labels, 3))
    bars, marks = figure.data
    assert list(bars.x) == pytest.approx([1.0, 0.4])
    assert list(marks.x) == [1.0, 1.0]
    assert list(figure.layout.yaxis.ticktext) == ["cat", "&lt;dog&gt;"]
    # Wilson, by hand: 4 of 10 right is 16.8 % to 68.7 %.
    assert bars.error_x.array[1] == pytest.approx(0.687 - 0.4, abs=1e-3)
    assert bars.error_x.arrayminus[1] == pytest.approx(0.4 - 0.168, abs=1e-3)
    assert "4 of 10" in bars.hovertext[1]


def test_without_samples_it_says_so() -> None:
    assert "No class" in recall_by_class([], [], []).layout.annotations[0].text
