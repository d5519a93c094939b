"""The facts of the present setting, and the field that sets a line by number."""

from __future__ import annotations

import re
from typing import Any

import pytest

import explorer as ex
from tests.ui.pages import Open, html, link, rows_of, work_of


def test_what_a_fact_means_opens_by_a_press_and_not_by_hovering_alone(visit: Open) -> None:
    at = visit("explore", model="digits-mlp", spec=link(allocation="global:sparsity=0.5"))
    assert not at.exception
    page = next(e.proto.body for e in at.get("html") if 'class="facts"' in e.proto.body)
    names = re.findall(r'<summary class="name"><span>([^<]+)</span>', page)
    assert {"Δ accuracy", "Weights removed"} <= {*names}
    assert "50.0%" in page
    assert "title=" not in page


def test_agreement_on_generated_inputs_does_not_look_like_a_measurement(visit: Open) -> None:
    at = visit("explore", model="digits-mlp", data="none", spec=link(allocation="global:sparsity=0.9"))
    assert not at.exception
    page = html(at)
    while "measuring" in page:  # until the last sample is looked at
        page = html(at.run())
    assert "generated inputs" in page
    assert re.search(r"on noise, which excites \d+ of 10 classes: no accuracy", page)
    assert 'class="value unsure"' in page


def test_the_exact_field_opens_where_the_lines_stand_and_keeps_what_was_typed(visit: Open) -> None:
    at = visit("explore", model="digits-mlp", spec=link(allocation="threshold:value=0.03"))
    assert at.number_input(key="exact_value").value == pytest.approx(0.03)
    at.number_input(key="exact_value").set_value(0.0412).run()
    at.button(key="exact_set").click().run()
    assert work_of(at).spec.to_json()["allocation"]["value"] == pytest.approx(0.0412)
    assert at.number_input(key="exact_value").value == pytest.approx(0.0412)
    at.selectbox(key="exact_line").select("fc1").run()
    assert at.number_input(key="exact_value").value == pytest.approx(0.0412)


def test_the_histograms_are_taken_away_as_a_table_of_all_units_and_of_those_that_go(
    visit: Open, downloads: dict[str, Any]
) -> None:
    visit("explore", model="digits-mlp", spec=link(allocation="global:sparsity=0.7"))
    rows = rows_of(downloads["Histograms as a table"]())
    model = ex.load("digits-mlp")
    plan = ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.7"))  # type: ignore[arg-type]
    for layer in plan.layers.prunable:
        of_layer = [row for row in rows if row["group"] == layer.name]
        assert sum(int(row["units"]) for row in of_layer) == layer.n_weights
        assert sum(int(row["pruned"]) for row in of_layer) == plan.n_pruned_in(layer)
        assert float(of_layer[-1]["high"]) == float(model.weights[layer.parameter].abs().max())
