"""The scan on screen and on paper: every measured cell is there, unmeasured ones are empty, names are text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer import charts
from explorer.analysis.sensitivity.by_block import by_block
from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.scan import Joint, Sensitivity
from explorer.analysis.sensitivity.weight_energy import energy
from explorer.charts import sensitivity as drawn
from explorer.charts.printed_sensitivity import caption
from explorer.charts.theme import Theme
from explorer.types import Measurement

LEVELS = (0.5, 0.9)


def cell(group: str, level: float, drop: float) -> Cell:
    accuracy = Measurement("accuracy", 0.99 - drop, "fraction", "measured", 0.9 - drop, 1.0 - drop, 450)
    lost = Measurement("drop", drop, "fraction", "measured", drop - 0.01, drop + 0.01, 450)
    return Cell(group, level, round(level * 100), 100, accuracy, lost, None, 450, 450, "exact", "labels")


@pytest.fixture
def found() -> Sensitivity:
    return Sensitivity.of([cell("a", 0.5, 0.0), cell("a", 0.9, 0.25), cell("<b>$x$", 0.5, -0.01)])


def test_the_heat_map_holds_every_measured_cell_and_leaves_the_others_empty(found: Sensitivity) -> None:
    figure = drawn.heatmap(found, ["a", "<b>$x$", "c"], LEVELS)
    assert [list(row) for row in figure.data[0].z] == [[0.0, -0.5], [0.0, None], [None, None]]
    assert list(figure.data[1].text) == ["0", "−25.0", "+1.0"]


def test_a_cell_of_some_of_the_samples_is_marked_as_such(found: Sensitivity) -> None:
    partial = replace(found.cells[1], n=64, complete=False)
    drawn_cell, written = drawn.heatmap(Sensitivity.of([partial]), ["a"], (0.9,)).data
    assert list(written.text) == ["≈ −25.0"]
    assert "64 of 450, so far" in drawn_cell.customdata[0][0]


def test_hostile_names_are_shown_as_text(found: Sensitivity) -> None:
    for figure in (
        drawn.heatmap(found, found.groups, LEVELS),
        drawn.ranked(found, 0.5),
        drawn.curves(found, found.groups),
    ):
        assert "<b>$x$" not in figure.to_json().replace("<b>&lt;b&gt;", "")
        assert "&lt;b&gt;" in figure.to_json()


def test_a_curve_starts_at_the_dense_accuracy_and_goes_through_its_cells(found: Sensitivity) -> None:
    line = drawn.curves(found, ["a"]).data[1]
    assert list(line.x) == [0.0, 0.5, 0.9]
    assert list(line.y) == pytest.approx([0.99, 0.99, 0.74])


def test_bands_are_the_paired_intervals_of_the_drops_down_to_nothing_at_all() -> None:
    all_wrong = replace(cell("a", 0.9, 0.99), drop=Measurement("drop", 0.99, "fraction", "measured", 0.97, 0.99, 450))
    band = drawn.curves(Sensitivity.of([all_wrong]), ["a"]).data[0]
    assert list(band.y) == pytest.approx([0.99, 0.02, 0.0, 0.99])


def test_what_was_estimated_or_judged_by_agreement_is_called_so() -> None:
    told = replace(cell("a", 0.5, 0.1), judged_by="agreement", mode="estimate")
    told = replace(told, accuracy=replace(told.accuracy, name="agreement"), drop=replace(told.drop, origin="estimated"))
    found = Sensitivity.of([told])
    assert drawn.ranked(found, 0.5).layout.xaxis.title.text == ("Δ agreement with the dense model in points, estimated")
    assert drawn.curves(found, ["a"]).layout.yaxis.title.text == "agreement with the dense model"
    hover = drawn.heatmap(found, ["a"], (0.5,)).data[0].customdata[0][0]
    assert "agreement 89.0%" in hover
    assert "estimate (estimated) on 450 of 450" in hover


def test_the_ranking_begins_with_the_most_fragile_layer(found: Sensitivity) -> None:
    bars = drawn.ranked(Sensitivity.of([cell("a", 0.5, 0.1), cell("b", 0.5, 0.3)]), 0.5).data[0]
    assert list(bars.x) == pytest.approx([-30.0, -10.0])
    assert "not been measured" in drawn.ranked(found, 0.7).layout.annotations[0].text


def test_single_drops_are_stacked_above_the_joint_one() -> None:
    both = Joint(
        Measurement("drop", 0.03, "fraction", "estimated"),
        Measurement("drop", 0.1, "fraction", "measured", 0.05, 0.15, 450),
        {"a": 0.01, "b": 0.02},
    )
    bars = drawn.interaction(both).data
    assert [list(bar.x) for bar in bars] == [pytest.approx([-2.0]), pytest.approx([-1.0]), pytest.approx([-10.0])]
    assert drawn.interaction(both, judged="agreement").layout.xaxis.title.text == "Δ agreement in points"
    assert [("estimated" in bar.y[0], "measured" in bar.y[0]) for bar in bars] == [(True, False)] * 2 + [(False, True)]
    assert (bars[2].error_x.array, bars[2].error_x.arrayminus) == (pytest.approx((5,)), pytest.approx((5,)))


def test_the_printed_heat_map_says_how_its_numbers_came_and_how_far_they_may_be_off(found: Sensitivity) -> None:
    checked = [replace(c, mode="verified", n_audited=40, n_equal=40) for c in found.cells]
    said = caption(Sensitivity.of(checked))
    assert "Δ accuracy in points, measured; mode verified, 450 samples." in said
    assert "Equal to float32 in 3 of 3 audited cells" in said
    assert "95 % intervals: ±1.0 points or less." in said
    assert caption(Sensitivity(())) == "Nothing has been measured."
    some = replace(found.cells[0], mode="estimate", n=300)
    assert "300 or more of 450 samples" in caption(Sensitivity.of([some, found.cells[1]]))


def test_the_heat_map_prints_as_a_picture(found: Sensitivity) -> None:
    assert charts.sensitivity_png(found, found.groups, LEVELS).startswith(b"\x89PNG")


def test_what_may_be_nothing_has_no_colour_in_the_heat_map_and_none_in_the_ranking() -> None:
    unsure = replace(cell("b", 0.5, 0.02), drop=Measurement("drop", 0.02, "fraction", "measured", -0.01, 0.05, 450))
    both = Sensitivity.of([cell("a", 0.5, 0.25), unsure])
    heat, written = drawn.heatmap(both, ["a", "b"], (0.5,)).data
    assert [list(row) for row in heat.z] == [[pytest.approx(-0.5)], [0]]
    assert list(written.text) == ["−25.0", "−2.0"]
    assert (heat.zmin, heat.zmax, heat.colorbar.title.text) == (-1, 0, "Δ accuracy, pt")
    bars = drawn.ranked(both, 0.5).data[0]
    assert list(bars.marker.color) == [Theme.light().bad, Theme.light().control]
    assert both.strips(3)["b"] == [0.0, 0.0, None]


def test_a_number_on_the_heat_map_tells_its_layer_and_level(found: Sensitivity) -> None:
    written = drawn.heatmap(found, ["a"], LEVELS).data[1]
    assert [list(place) for place in written.customdata] == [["a", 0.5], ["a", 0.9]]


def test_before_a_scan_the_same_picture_shows_what_the_weights_hold_and_calls_it_counted() -> None:
    energies = energy("digits-mlp", levels=(0.5, 0.9))
    groups = list(dict.fromkeys(e.group for e in energies))
    cells, clicks = drawn.energy_heatmap(energies, groups, (0.5, 0.9)).data
    assert [value for row in cells.z for value in row] == pytest.approx([e.removed.value for e in energies])
    assert "(counted)" in clicks.hovertext[0]
    assert [list(place) for place in clicks.customdata[:2]] == [[groups[0], 0.5], [groups[0], 0.9]]


def test_a_network_of_blocks_is_drawn_by_kind_and_depth_and_each_cell_opens_its_layer() -> None:
    names = ["h.0.q", "h.0.down", "h.1.q", "h.10.down", "head"]
    table = by_block(names)
    assert table is not None
    assert table.kinds == ("q", "down")
    assert table.blocks == (0, 1, 10)
    assert table.layers == (("h.0.q", "h.1.q", None), ("h.0.down", None, "h.10.down"))
    measured = Sensitivity.of([cell("h.0.q", 0.5, 0.25), cell("h.10.down", 0.5, 0.0), cell("h.1.q", 0.9, 1.0)])
    colours, written = drawn.by_block_map(measured, table, 0.5).data
    assert [list(row) for row in colours.z] == [[-0.5, None, None], [None, None, 0.0]]
    assert list(zip(written.x, written.y, written.text, strict=True)) == [(0, 0, "−25.0"), (2, 1, "0")]
    assert [list(each) for each in written.customdata] == [["h.0.q", 0.5], ["h.10.down", 0.5]]
    large = [f"h.{block}.{kind}" for block in range(40) for kind in ("q", "k", "v", "o", "up", "down")]
    many = by_block(large)
    assert many is not None
    every = Sensitivity.of([cell(name, 0.5, 0.25) for name in large])
    assert list(drawn.by_block_map(every, many, 0.5).data[1].customdata[-1]) == ["h.39.down", 0.5]


def test_only_networks_of_repeated_blocks_are_drawn_by_depth() -> None:
    """An encoder with its decoder is; stages for pictures, a list of one kind, and names without numbers are not."""
    both = [f"{part}.block.{i}.{kind}" for part in ("encoder", "decoder") for i in (0, 1) for kind in ("q", "wi")]
    table = by_block(both)
    assert table is not None
    assert table.kinds[0] == "encoder.block: q"
    stages = [f"layer{stage}.{i}.conv{j}" for stage in (1, 2, 3) for i in (0, 1) for j in (1, 2)]
    for names in (stages, ["features.0.weight", "features.1.weight"], ["fc1", "fc2"], ["a", "b", "h.0.q"], []):
        assert by_block(names) is None, names
