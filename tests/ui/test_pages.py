"""Every page as a visitor finds it: run without a browser, on bundled models and on files of the visitor's own."""

from __future__ import annotations

from typing import Any

import pytest

import explorer
from explorer.ui.shell import cache
from tests.ui.pages import VISITOR, Open, html, link, rows_of, spoken, work_of

# Explore


@pytest.mark.parametrize("model", ["digits-mlp", "digits-gru"])
def test_explore_prunes_what_a_preset_says(visit: Open, model: str) -> None:
    at = visit(model=model)
    next(button for button in at.button if button.label == "80%").click().run()
    assert not at.exception
    assert work_of(at).spec.to_json()["allocation"] == {"key": "global", "sparsity": 0.8}
    assert "80.0%" in html(at)


def test_every_registered_metric_that_applies_is_on_the_explore_page(visit: Open) -> None:
    at = visit(model="digits-mlp")
    for _ in range(200):
        shown = [text.value for text in at.text if ": " in text.value]
        if shown:
            break
        at.run()
    measured = explorer.evaluate("digits-mlp", explorer.PruneSpec()).evaluation
    assert measured is not None
    assert len(shown) == len(measured.metrics) >= 4
    assert any(text.startswith("Expected calibration error: ") for text in shown)


def test_explore_opens_the_weights_of_a_file_whose_network_is_unknown(visit: Open, own_file: str) -> None:
    at = visit(model=own_file)
    assert not at.exception
    assert "Weights only" in spoken(at)
    assert "not available" in html(at)


def test_a_path_outside_the_allowed_folder_is_refused_in_a_sentence(visit: Open) -> None:
    at = visit(model="/etc/hostname.pt")
    assert not at.exception
    assert len(at.error) == 1
    assert "outside the folder" in at.error[0].value


# Weights


@pytest.mark.parametrize("model", ["digits-resnet", "digits-vit"])
def test_the_weights_table_has_a_row_for_each_layer_that_can_be_pruned(visit: Open, model: str) -> None:
    at = visit("weights", model=model)
    assert not at.exception
    layers = explorer.layers(explorer.load(model))
    assert list(at.dataframe[0].value["layer"]) == [layer.name for layer in layers.prunable]
    assert list(at.dataframe[0].value["weights"]) == [layer.n_weights for layer in layers.prunable]


def test_all_tensors_are_listed_when_asked_for(visit: Open) -> None:
    at = visit("weights", model="digits-mlp")
    at.toggle[0].set_value(True).run()
    assert list(at.dataframe[0].value["layer"]) == ["fc1", "fc1.bias", "fc2", "fc2.bias", "fc3", "fc3.bias"]


def test_the_weights_file_holds_every_tensor_in_full(visit: Open, downloads: dict[str, Any]) -> None:
    visit("weights", model="digits-mlp", spec=link(allocation="uniform:sparsity=0.5"))
    rows = rows_of(downloads["CSV"]())
    weights = explorer.load("digits-mlp").weights
    assert [row["parameter"] for row in rows] == list(weights)
    first = weights["fc1.weight"].double()
    assert float(rows[0]["std"]) == pytest.approx(float(first.std(correction=0)), rel=1e-12)
    assert float(rows[0]["min"]) == float(first.min())
    assert [int(row["pruned"]) for row in rows] == [weights["fc1.weight"].numel() // 2, 0] + [
        n for name in ("fc2.weight", "fc3.weight") for n in (weights[name].numel() // 2, 0)
    ]


def test_the_threshold_is_shown_in_its_three_forms(visit: Open) -> None:
    at = visit("weights", model="digits-mlp", spec=link(allocation="uniform:sparsity=0.5"))
    w = explorer.load("digits-mlp").weights["fc1.weight"].abs().flatten().sort().values
    line = float(w[len(w) // 2])
    deviation = float(explorer.load("digits-mlp").weights["fc1.weight"].double().std(correction=0))
    assert f">{line:.4g}<" in html(at)
    assert f">{line / deviation:.2f} σ<" in html(at)
    assert ">50.0<" in html(at)


def test_a_row_of_the_table_chooses_the_layer_and_the_choice_survives_other_pages(visit: Open) -> None:
    at = visit("weights", model="digits-mlp")
    at.selectbox(key="layer_box").select("fc2").run()
    assert at.session_state["weights_table"]["selection"]["rows"] == [1]
    at.switch_page("pages/tradeoff.py").run()
    at.switch_page("pages/weights.py").run()
    assert at.selectbox(key="layer_box").value == "fc2"
    assert any("128" in text.value for text in at.text)


@pytest.mark.parametrize(
    ("model", "words"), [("digits-vit", "fits better"), ("digits-gru", "fits better"), ("digits-mlp", "fits better")]
)
def test_the_better_fit_is_said_in_words(visit: Open, model: str, words: str) -> None:
    assert words in spoken(visit("weights", model=model))


def test_a_file_without_a_network_shows_its_weights_and_its_broken_layer(visit: Open, own_file: str) -> None:
    at = visit("weights", model=own_file)
    assert not at.exception
    table = at.dataframe[0].value.set_index("layer")
    assert set(table.index) == {"encoder.0", "stem", "=cmd|'/C calc'!A0", "broken"}
    assert table.loc["broken", "nan"] == 1
    for name in table.index:
        at.selectbox(key="layer_box").select(name).run()
        assert not at.exception
    assert "NaN or infinite values" in spoken(at.selectbox(key="layer_box").select("broken").run())


def test_every_kind_of_tensor_can_be_looked_at(visit: Open, own_file: str) -> None:
    at = visit("weights", model=own_file)
    at.toggle[0].set_value(True).run()
    names = list(at.dataframe[0].value["layer"])
    assert set(names) == {"encoder.0", "encoder.0.bias", "stem", "=cmd|'/C calc'!A0", "broken"}  # no count of steps
    for name in names:
        at.selectbox(key="layer_box").select(name).run()
        assert not at.exception, name


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless(
    visit: Open, own_file: str, downloads: dict[str, Any]
) -> None:
    visit("weights", model=own_file)
    names = [row["layer"] for row in rows_of(downloads["CSV"]())]
    assert "'=cmd|'/C calc'!A0" in names
    assert not any(name.startswith("=") for name in names)


def test_under_channels_a_layer_that_cannot_be_cut_says_why(visit: Open) -> None:
    at = visit("weights", model="digits-gru", spec=link(granularity="out_channel"))
    assert not at.exception
    assert "tied through time" in spoken(at)


def test_under_channels_the_norms_are_those_of_the_units_with_their_line(visit: Open) -> None:
    at = visit("weights", model="digits-mlp", spec=link(granularity="out_channel", allocation="uniform:sparsity=0.5"))
    at.selectbox(key="layer_box").select("fc2").run()
    assert not at.exception
    assert "64 of 128 go" in html(at)
    assert "removes whole channels" in spoken(at)


# Sensitivity and what is kept


def test_the_sensitivity_page_teaches_before_a_scan_and_fills_every_cell_of_it(visit: Open) -> None:
    at = visit("sensitivity", model="digits-mlp")
    cache.jobs()
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300)
    at.run()
    assert not at.exception
    said = " ".join(c.value for c in at.caption)
    assert "cells measured" in said or at.button(key="scan_start")
    if "cells measured" not in said:
        at.button(key="scan_start").click().run()
        for job in cache.jobs().of(VISITOR):
            assert job.wait(300)
        at.run()
    said = " ".join(c.value for c in at.caption)
    assert "30 cells measured" in said
    assert "Most fragile" in said


def test_a_setting_measured_on_explore_is_kept_on_disk(visit: Open) -> None:
    at = visit("explore", model="digits-mlp")
    assert not at.exception
    at.button(key="preset_0.8").click().run()
    assert not at.exception
    for _ in range(20):
        drags = [r for r in cache.store().points() if r.kind == "drag" and r.point.asked == 0.8]
        kept = [r for r in drags if r.model_address == "digits-mlp"]
        if kept:
            break
        at.run()
    assert kept[0].n == 450
