"""What is made of a scan's cells: expectations, rankings, strips, tables; and the look at the weights alone."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import pytest

from explorer.analysis.sensitivity.recording import ScanRecording
from explorer.analysis.sensitivity.scan import Cell, Joint, Sensitivity, energy, joint, scan
from explorer.engine.evaluator import Evaluator
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Measurement
from tests.analysis.scans import small, without_origin
from tests.engine import models as tiny


def share(value: float) -> Measurement:
    return Measurement("drop", value, "fraction", "measured", low=value - 0.01, high=value + 0.01, n=100)


def cell_of(group: str, level: float, drop: float, dense: float = 0.8) -> Cell:
    return Cell(
        group, level, round(100 * level), 100, share(dense - drop), share(drop), None, 100, 100, "exact", "labels"
    )


FOUND = Sensitivity.of(
    [cell_of("a", 0.5, 0.1), cell_of("b", 0.5, 0.0), cell_of("a", 0.9, 0.5), cell_of("b", 0.9, 0.02)]
)


def test_expectations_lie_on_straight_lines_between_measured_points_from_nothing_on() -> None:
    assert FOUND.expected_drop("a", 0.0) == 0.0
    assert FOUND.expected_drop("a", 0.25) == pytest.approx(0.05)
    assert FOUND.expected_drop("a", 0.5) == pytest.approx(0.1)
    assert FOUND.expected_drop("a", 0.7) == pytest.approx(0.3)
    assert FOUND.expected_drop("a", 0.9) == pytest.approx(0.5)
    assert FOUND.expected("a", 0.25).origin == "estimated"


def test_nothing_is_expected_where_nothing_was_measured() -> None:
    assert math.isnan(FOUND.expected_drop("a", 0.91))
    assert math.isnan(FOUND.expected_drop("c", 0.5))
    assert FOUND.expected("a", 1.0) is FOUND.expected("c", 0.25) is None


def test_strips_show_the_cost_as_a_share_of_the_dense_accuracy_and_stop_where_nothing_is_known() -> None:
    strip = FOUND.strips(11)["a"]
    assert strip[5] == pytest.approx(0.1 / 0.8)
    assert strip[9] == pytest.approx(0.5 / 0.8)
    assert strip[10] is None
    assert strip[0] == 0.0


def test_rankings_put_the_most_fragile_first() -> None:
    assert [cell.group for cell in FOUND.ranking(0.9)] == ["a", "b"]
    assert list(FOUND.fragility()) == ["a", "b"]
    assert FOUND.fragility()["a"] == pytest.approx(0.3)
    assert FOUND.most_fragile(0.05) == ("a",)


def test_a_layer_that_was_left_early_is_more_fragile_than_one_that_bore_it_longer() -> None:
    left = [cell_of("left", 0.1, 0.06)]
    bore = [cell_of("bore", 0.1, 0.0), cell_of("bore", 0.5, 0.01), cell_of("bore", 0.9, 0.9)]
    found = Sensitivity.of(left + bore, max_drop=0.05)
    assert found.fragility() == {"left": pytest.approx(0.05), "bore": pytest.approx(0.02)}
    assert found.most_fragile() == ("left",)
    assert found.to_json()["max_drop"] == 0.05


def test_a_layer_that_is_not_scanned_to_its_end_is_not_ranked_yet() -> None:
    found = Sensitivity.of([*FOUND.cells, cell_of("c", 0.5, 0.7)])
    assert list(found.fragility()) == ["a", "b"]
    running = Sensitivity.of([cell_of("a", 0.1, 0.5), cell_of("b", 0.5, 0.1)])
    assert running.fragile_words == "No layer is scanned to its end yet."


@pytest.mark.parametrize(
    ("drops", "said"),
    [
        ([0.0, -0.1], "No layer costs anything at these levels, in the mean."),
        ([0.3], "Most fragile: k0 (1 of 1 scanned layers, by the mean drop over these levels)."),
        ([0.1, 0.3], "Most fragile: k1 (1 of 2 scanned layers, by the mean drop over these levels)."),
        (
            [0.3, 0.4] + [0.0] * 38,
            "Most fragile 5 %: k1, k0 (2 of 40 scanned layers, by the mean drop over these levels).",
        ),
    ],
)
def test_the_words_for_the_most_fragile_say_how_many_of_how_many(drops: list[float], said: str) -> None:
    assert Sensitivity.of(cell_of(f"k{i}", 0.5, drop) for i, drop in enumerate(drops)).fragile_words == said


def test_a_refinement_takes_the_place_of_what_came_before() -> None:
    rough = replace(cell_of("a", 0.5, 0.3), n=10, complete=False)
    found = Sensitivity.of([rough, *FOUND.cells])
    assert found.cell("a", 0.5).drop.value == 0.1
    assert not Sensitivity.of([rough]).complete
    assert found.complete


def test_a_cell_comes_back_from_json_as_it_was() -> None:
    cell = FOUND.cells[0]
    back = Cell.from_json(json.loads(json.dumps(cell.to_json())))
    assert back.from_store
    assert without_origin(back) == cell


def test_a_cell_of_a_newer_version_is_read_as_far_as_it_is_known_and_what_is_no_cell_is_refused() -> None:
    told = json.loads(json.dumps(FOUND.cells[0].to_json()))
    newer = told | {"later": 1, "drop": told["drop"] | {"later": 2}}
    assert without_origin(Cell.from_json(newer)) == FOUND.cells[0]
    for broken in ({}, told | {"drop": None}, told | {"accuracy": {"value": "much"}}, {"group": "a"}):
        with pytest.raises((ValueError, TypeError, KeyError)):
            Cell.from_json(broken)


def test_the_table_says_how_each_number_was_measured_and_how_far_it_may_be_off() -> None:
    cell = replace(FOUND.cells[0], mode="verified", n_audited=9, n_equal=9, how="The whole model for each cell")
    (row,) = csv.DictReader(io.StringIO(Sensitivity.of([cell]).to_csv()))
    said = {name: row[name] for name in ("mode", "origin", "judged_by", "n", "total", "n_audited", "n_equal", "how")}
    assert said == {
        **{"mode": "verified", "origin": "measured", "judged_by": "labels", "n": "100", "total": "100"},
        **{"n_audited": "9", "n_equal": "9", "how": "The whole model for each cell"},
    }
    for name in ("accuracy", "drop"):
        assert float(row[f"{name}_low"]) < float(row[name]) < float(row[f"{name}_high"])


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    (row,) = csv.DictReader(io.StringIO(Sensitivity.of([cell_of("=cmd|'/C calc'!A0", 0.5, 0.1)]).to_csv()))
    assert row["group"] == "'=cmd|'/C calc'!A0"


def test_the_table_is_the_same_as_rows_csv_and_json() -> None:
    rows = list(csv.DictReader(io.StringIO(FOUND.to_csv())))
    assert [row["group"] for row in rows] == ["a", "b", "a", "b"]
    assert [float(row["drop"]) for row in rows] == [cell.drop.value for cell in FOUND.cells]
    told = json.loads(json.dumps(FOUND.to_json(), allow_nan=False))
    assert len(told["cells"]) == 4
    assert told["most_fragile"] == ["a"]


def test_the_joint_drop_is_predicted_by_the_sum_of_single_drops() -> None:
    model, samples = small("digits-cnn")
    spec = PruneSpec("weight", "lp_norm", "uniform:sparsity=0.8")
    found = Sensitivity.of(scan(model, samples, spec, levels=(0.8,)))
    together = plan(model, spec)
    measured = Evaluator(model, samples.splits["tune"]).final(together)
    both = joint(found, together, measured)
    assert isinstance(both, Joint)
    assert both.predicted.value == pytest.approx(sum(c.drop.value for c in found.cells), abs=1e-3)
    assert (both.predicted.origin, both.measured) == ("estimated", measured.drop)
    assert both.interaction == pytest.approx(measured.drop.value - both.predicted.value)
    certain = Measurement("drop", 0.2, "fraction", "measured", 0.18, 0.22)
    for value, said in ((0.1, "make each other worse"), (0.3, "cost less"), (0.19, "as far as the interval tells")):
        assert said in Joint(replace(certain, value=value), certain, {}).words
    partly = joint(Sensitivity.of(found.curve(found.groups[0])), together, measured)
    assert found.groups[1] in partly.predicted.note
    assert "not scanned so far" in partly.predicted.note


def test_weight_energy_is_the_share_of_squares_that_go() -> None:
    model = tiny.load("mlp")
    found = {(e.group, e.level): e for e in energy(model, levels=(0.0, 0.5, 1.0))}
    weight = model.weights["first.weight"].flatten()
    ranked = weight.abs().sort().values.double()
    half = found["first", 0.5]
    assert half.removed.value == pytest.approx(float(ranked[:1024].square().sum() / ranked.square().sum()))
    assert (found["first", 0.0].removed.value, found["first", 1.0].removed.value) == (0.0, pytest.approx(1.0))
    assert half.removed.origin == "counted"
    assert "not a measurement" in half.removed.note


def test_a_cell_that_an_older_version_stored_is_read_under_the_name_of_its_place() -> None:
    cell = FOUND.cells[0]
    older = {("kn" + "ob" if name == "group" else name): value for name, value in cell.to_json().items()}

    class Shelf:
        def cells(self, scan_key: str) -> dict[tuple[str, float], dict[str, object]]:
            return {(cell.group, cell.level): older}

    assert set(ScanRecording(Shelf(), {}).cells()) == {(cell.group, cell.level)}  # type: ignore[arg-type]
