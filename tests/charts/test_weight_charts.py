from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from explorer.analysis.distribution import signed_distribution
from explorer.analysis.histogram import LayerMap, layer_map
from explorer.analysis.statistics import unit_norms as ranked
from explorer.charts import group_heatmap, overview, signed_histogram, unit_norms, weight_heatmap
from explorer.charts.overview import picked
from explorer.charts.picture import groups_of, picture_of
from explorer.text.names import clean_plotly
from explorer.text.numbers import bytes_text, points, times


def named(figure, name):
    return next(trace for trace in figure.data if trace.name and trace.name.startswith(name))


def test_the_overview_is_one_image_with_a_row_for_each_of_150_layers():
    torch.manual_seed(0)
    layers = layer_map({f"conv{i}": torch.randn(64) for i in range(150)})
    figure = overview(layers, sparsities=dict.fromkeys(layers.names, 0.5), thresholds={"conv3": 0.7, "conv4": math.inf})
    assert len(figure.data) == 4
    assert np.shape(figure.data[0].z) == (150, 48)
    assert len(figure.to_json()) < 500_000


def test_the_overview_draws_each_line_across_its_own_row():
    layers = layer_map({"a": torch.linspace(0.001, 1, 500), "b": torch.linspace(0.001, 1, 500)})
    line = overview(layers, thresholds={"b": 0.1}).data[1]
    assert list(line.x)[:2] == pytest.approx([-1, -1])
    assert list(line.y)[:2] == [0.5, 1.5]


def test_a_click_anywhere_on_a_row_of_the_overview_tells_its_layer() -> None:
    layers = layer_map({"a": torch.linspace(0.001, 1, 500), "b": torch.linspace(0.001, 1, 500)})
    figure = overview(layers, chosen="b")
    bars = figure.data[1]
    assert [picked(data, layers) for data in bars.customdata] == ["a", "b"]
    assert "half of its weights" in bars.hovertext[0]
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (0.5, 1.5)
    assert picked(None, layers) is None


def test_the_overview_shows_names_from_a_file_as_text():
    layers = layer_map({"<a href='x'>$y$": torch.randn(50)})
    text = overview(layers, sparsities={}).to_json()
    assert "<a" not in text.replace("\\u003c", "<")
    assert "$" not in text


def test_an_overview_of_nothing_says_so():
    assert "No layer" in overview(LayerMap((), (), (), ())).layout.annotations[0].text


def test_the_signed_histogram_stacks_kept_and_pruned_and_says_which_law_fits_better():
    torch.manual_seed(0)
    weights = torch.distributions.Laplace(0.0, 1.0).sample((5000,))
    figure = signed_histogram(signed_distribution(weights, weights.abs() > 0.5), threshold=0.5)
    n_kept = sum(named(figure, "kept").y)
    assert n_kept == int((weights.abs() > 0.5).sum())
    assert n_kept + sum(named(figure, "pruned").y) == 5000
    assert named(figure, "Laplace").name == "Laplace (fits better)"
    assert [shape.x0 for shape in figure.layout.shapes] == [-0.5, 0.5]


def test_the_fitted_curve_expects_as_many_weights_as_there_are():
    torch.manual_seed(0)
    found = signed_distribution(torch.randn(20_000))
    curve = named(signed_histogram(found), "normal")
    area = np.trapezoid(np.array(curve.y), np.array(curve.x))
    width = (found.edges[-1] - found.edges[0]) / (len(found.edges) - 1)
    assert area / width == pytest.approx(20_000, rel=0.01)


def test_weights_that_cannot_be_drawn_are_said_in_words():
    assert (
        "no finite weights"
        in signed_histogram(signed_distribution(torch.full((3,), math.nan))).layout.annotations[0].text
    )
    with_nan = signed_histogram(signed_distribution(torch.tensor([1.0, math.nan, 2.0])))
    assert "1 weights are NaN" in with_nan.layout.annotations[0].text
    assert "no weights" in weight_heatmap(torch.zeros(0, 3)).layout.annotations[0].text


def test_kernels_are_tiled_with_a_gap_and_pruned_weights_are_marked_apart():
    weights = torch.arange(36.0).reshape(2, 2, 3, 3)
    mask = torch.ones(2, 2, 3, 3, dtype=torch.bool)
    mask[1, 0, 2, 2] = False
    picture = picture_of(weights, mask, 256)
    assert picture.values.shape == (7, 7)
    assert torch.equal(picture.values[:3, 4:], weights[0, 1])
    assert bool(picture.values[3].isnan().all())
    assert picture.pruned.nonzero().tolist() == [[6, 2]]
    assert math.isnan(picture.values[6, 2])


def test_the_n_of_m_picture_sets_groups_of_neighbouring_inputs_apart_and_marks_what_each_lost():
    torch.manual_seed(0)
    weights = torch.randn(3, 8, 2, 2)
    mask = torch.ones(3, 8, 2, 2, dtype=torch.bool)
    lost = weights.reshape(3, 2, 4, 2, 2).abs().argsort(dim=2)[:, :, :2]  # the two smallest of each four inputs
    mask.view(3, 2, 4, 2, 2).scatter_(2, lost, False)

    picture = groups_of(weights, mask, 4, position=3, most=64)

    assert picture.values.shape == (3, 4 + 1 + 4)
    assert bool(picture.values[:, 4].isnan().all())
    assert not bool(picture.pruned[:, 4].any())
    assert picture.pruned[:, :4].sum(dim=1).tolist() == picture.pruned[:, 5:].sum(dim=1).tolist() == [2, 2, 2]
    kept = torch.cat([picture.values[:, :4], picture.values[:, 5:]], dim=1)
    assert torch.equal(kept.nan_to_num(0.0), weights[:, :, 1, 1] * mask[:, :, 1, 1])
    values, pruned = group_heatmap(weights, mask, 4, position=3).data
    assert values.text[1][5] == "output 1, input 4"
    assert pruned.colorscale[0][1] not in {stop[1] for stop in values.colorscale}


def test_of_a_large_layer_the_first_whole_groups_are_shown_and_the_picture_says_so():
    picture = groups_of(torch.ones(100, 48, 1, 1), torch.ones(100, 48, 1, 1, dtype=torch.bool), 8, 0, most=20)
    assert picture.values.shape == (20, 16 + 1)
    assert picture.note == "The first 20 of 100 outputs and 16 of 48 inputs."


def test_a_large_matrix_is_reduced_to_means_of_kept_magnitudes_and_says_so():
    weights = torch.tensor([[1.0, -3.0, 5.0], [-1.0, 7.0, 9.0], [2.0, 2.0, 4.0]])
    mask = torch.tensor([[True, True, False], [True, False, False], [True, True, True]])
    picture = picture_of(weights, mask, 2)
    assert picture.values.shape == (2, 2)
    assert picture.values[0, 0] == pytest.approx(5 / 3)
    assert picture.values[1].tolist() == [2.0, 4.0]
    assert picture.pruned.tolist() == [[False, True], [False, False]]
    assert "block of 2 x 2" in picture.note
    assert "block of 4 x 8" in weight_heatmap(torch.randn(1000, 2000)).layout.annotations[0].text


def test_no_picture_is_larger_than_its_limit():
    for shape in ((700,), (3, 5000), (64, 64, 3, 3), (2, 3, 4, 5, 6), ()):
        picture = picture_of(torch.randn(shape), None, 100)
        assert max(picture.values.shape) <= 100


def test_ranked_units_are_bars_or_points_with_the_unit_behind_each():
    few = ranked(torch.tensor([[1.0], [3.0], [2.0]]), torch.tensor([[False], [True], [True]]))
    figure = unit_norms(few, threshold=1.5)
    assert (list(named(figure, "kept").x), list(named(figure, "kept").y)) == ([1, 2], [3.0, 2.0])
    assert [row[0] for row in named(figure, "kept").customdata] == [1, 2]
    assert list(named(figure, "pruned").x) == [3]
    assert figure.layout.shapes[0].y0 == 1.5
    assert unit_norms(ranked(torch.randn(300, 2))).data[0].type == "scatter"


def test_numbers_read_as_people_write_them():
    assert [bytes_text(n) for n in (0, 999, 1000, 133_120, 12_345_678, 5e9, 3e12)] == [
        "0 B", "999 B", "1 kB", "133 kB", "12.3 MB", "5 GB", "3 TB",
    ]  # fmt: skip
    assert [times(r) for r in (1.0, 2.53, 16.0, math.inf)] == ["1×", "2.53×", "16×", "∞×"]
    assert [points(d) for d in (0.003, -0.012, 0.0, -0.0001)] == ["+0.3 pt", "−1.2 pt", "0.0 pt", "0.0 pt"]


def test_a_long_name_keeps_its_ends_on_one_line():
    name = clean_plotly("a" * 50 + "\n" + "b" * 50)
    assert len(name) == 60
    assert (name[0], name[-1]) == ("a", "b")
    assert clean_plotly("<&>$") == "&lt;&amp;&gt;&#36;"
