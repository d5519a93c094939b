"""The trade-off page as a visitor finds it: fair comparisons, with their controls, seeds, protocols and verdict."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import explorer
from explorer.analysis import tradeoff
from explorer.errors import Refusal
from explorer.pruning import gathering, scoring
from explorer.pruning.criteria.gradient import Gradient
from explorer.store.records import record_of
from explorer.types import TradeOffPoint
from explorer.ui.shell import cache
from tests.ui.pages import VISITOR, Open, compared_points, measured, rows_of, spoken, work_of


def test_the_points_table_holds_what_the_jobs_measured(visit: Open, downloads: dict[str, Any]) -> None:
    at = measured(visit("tradeoff", model="digits-mlp"))
    assert not at.exception
    rows = rows_of(downloads["CSV"]())
    assert len(rows) == len(at.dataframe[0].value) == len(compared_points())
    assert {(row["allocation"], row["seed"]) for row in rows} == {
        ("Global", ""),
        ("Uniform", ""),
        ("Global", "0"),
        ("Global", "1"),
        ("Global", "2"),
        ("Uniform", "0"),
        ("Uniform", "1"),
        ("Uniform", "2"),
    }
    dense = [row for row in rows if float(row["sparsity"]) == 0]
    assert dense
    assert {(row["drop"], row["n"], row["split"]) for row in dense} == {("0.0", "450", "tune")}


def test_curves_come_out_as_pictures_for_print(visit: Open, downloads: dict[str, Any]) -> None:
    measured(visit("tradeoff", model="digits-mlp"))
    assert downloads["PNG"]().startswith(b"\x89PNG")
    assert b"<svg" in downloads["SVG"]()


def test_with_the_classifier_free_what_was_measured_here_is_not_measured_again_on_explore(visit: Open) -> None:
    at = visit("tradeoff", model="digits-mlp")
    at.toggle(key="compare_lock").set_value(False).run()
    first = {job.key: job.id for job in cache.jobs().of(VISITOR)}
    visit(model="digits-mlp")
    assert {job.key: job.id for job in cache.jobs().of(VISITOR)} == first
    assert not at.exception


def test_the_classifier_is_locked_in_every_method_and_control_until_the_switch_says_otherwise(
    visit: Open, downloads: dict[str, Any]
) -> None:
    at = measured(visit("tradeoff", model="digits-mlp"))
    rows = rows_of(downloads["CSV"]())
    weights = explorer.load("digits-mlp").weights
    n, n_free = sum(w.numel() for w in weights.values()), weights["fc1.weight"].numel() + weights["fc2.weight"].numel()
    assert max(float(row["compression_ratio"]) for row in rows) == pytest.approx(n / (n - n_free))
    at.toggle(key="compare_lock").set_value(False).run()
    measured(at)
    free = rows_of(downloads["CSV"]())
    assert max(float(row["compression_ratio"]) for row in free) == pytest.approx(32, rel=0.01)


def test_the_verdict_names_the_size_the_interval_and_how_far_it_reaches(visit: Open) -> None:
    at = measured(visit("tradeoff", model="digits-mlp"))
    said = spoken(at)
    assert re.search(
        r"Magnitude \\\(global\\\) is better than random \\\(global\\\) by [\d\\.]+ ± [\d\\.]+ points at \d+×", said
    )
    assert "On digits\\-mlp, 450 tune samples of digits, and on no other model or data" in said
    assert "3 seeds of the control" in said
    assert "looked at 0 times so far" in said
    at.selectbox(key="verdict_at").select(32.0).run()
    assert "at 32×" in spoken(at)


def test_magnitude_is_a_control_beside_another_criterion_and_not_twice_when_it_is_compared(
    visit: Open, downloads: dict[str, Any]
) -> None:
    at = visit("tradeoff", model="digits-mlp")
    at.multiselect(key="compare_Criteria").set_value(["Gradient"]).run()
    measured(at)
    assert not at.exception
    rows = rows_of(downloads["CSV"]())
    assert {row["criterion"] for row in rows if row["control"] == "True"} == {"Random (control)", "Magnitude"}
    assert "it is" in spoken(at).lower()
    assert {row["compression_ratio_asked"] for row in rows} >= {"1.0", "8.0", "32.0"}
    at.multiselect(key="compare_Criteria").set_value(["Gradient", "Magnitude"]).run()
    measured(at)
    assert {row["criterion"] for row in rows_of(downloads["CSV"]()) if row["control"] == "True"} == {"Random (control)"}


def test_data_is_looked_at_once_for_all_curves_of_a_criterion(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def gather(model: Any, criterion: Any, *given: Any, **options: Any) -> Any:
        looked.extend([criterion.key] if criterion.needs else [])
        return gathering.gather(model, criterion, *given, **options)

    monkeypatch.setattr(scoring, "gather", gather)
    cache._why_not_ranked.clear()
    cache._scores.clear()
    at = visit("tradeoff", model="digits-mlp")
    at.multiselect(key="compare_Criteria").set_value(["Gradient"]).run()
    measured(at)
    assert looked == ["gradient"]
    assert {p.spec["allocation"]["key"] for p in compared_points() if p.spec["criterion"]["key"] == "gradient"} == {
        "global",
        "uniform",
    }


def test_a_criterion_that_cannot_rank_the_unit_is_left_out_with_its_reason(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gradient, "why_not", lambda self, units: Refusal("It ranks nothing today."))
    at = visit("tradeoff", model="digits-mlp", data="digits")
    cache._why_not_ranked.clear()
    cache._scores.clear()
    at.multiselect(key="compare_Criteria").set_value(["Gradient", "Magnitude"]).run()
    assert not at.exception
    assert "is left out" in spoken(at)
    assert "It ranks nothing today" in spoken(at)
    cache._why_not_ranked.clear()
    cache._scores.clear()


def test_a_recovered_point_stands_beside_the_curves_and_the_other_protocol_is_named(visit: Open) -> None:
    model, data = explorer.load("digits-mlp"), explorer.load_data("digits")
    (sparse,) = tradeoff.sweep(model, None, data, sparsities=(0.9,))
    protocol = {"epochs": 5, "optimiser": ["adamw"], "seed": 0, "recipe": {"steps": [{"key": "finetune"}]}}
    cache.store().record_point(record_of(sparse, model, data, split="tune", kind="recover", protocol=protocol))
    at = measured(visit("tradeoff", model="digits-mlp"))
    assert "Not one protocol" not in spoken(at)
    table = next(table for table in at.dataframe if "kind" in table.value.columns)
    assert "Weights by magnitude, global" in set(table.value["setting"])
    row = list(table.value["kind"]).index("recovered")
    at.session_state[str(table.key)] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    at.run()
    assert "fine\\-tuned, 5 epochs, adamw" in spoken(at)
    at.checkbox(key="earlier_show").set_value(False).run()
    assert "Not one protocol" not in spoken(at)


def test_a_unit_the_model_has_none_of_says_why_instead_of_failing(visit: Open) -> None:
    at = measured(visit("tradeoff", model="digits-gru"))
    assert not at.exception
    assert "**Channels** cannot be compared here" in spoken(at)
    assert "tied through time" in spoken(at)
    assert "Channels" not in at.button_group(key="compare_Units").options


def test_channels_and_weights_stand_on_one_chart_each_with_its_control(visit: Open, downloads: dict[str, Any]) -> None:
    at = visit("tradeoff", model="digits-mlp")
    at.button_group(key="compare_Units").set_value(["weight", "out_channel"]).run()
    measured(at)
    found = {(row["unit"], row["seed"]) for row in rows_of(downloads["CSV"]())}
    assert found == {(unit, seed) for unit in ("Weights", "Channels") for seed in ("", "0", "1", "2")}


def test_a_row_opens_its_setting_on_the_explore_page(visit: Open) -> None:
    at = measured(visit("tradeoff", model="digits-mlp"))
    at.session_state["compare_points"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    at.run()
    asked = float(at.dataframe[0].value["asked"][2])
    at.button(key="open_point").click().run()
    assert work_of(at).spec.to_json()["allocation"]["sparsity"] == pytest.approx(asked)


def test_a_stopped_comparison_stays_stopped_and_goes_on_when_asked(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, sweep = threading.Event(), tradeoff.sweep

    def slow(*given: Any, **options: Any) -> Iterator[TradeOffPoint]:
        for point in sweep(*given, **options):
            yield point
            go_on.wait(300)

    monkeypatch.setattr(tradeoff, "sweep", slow)
    at = visit("tradeoff", model="digits-mlp")
    next(button for button in at.button if button.label == "Stop").click().run()
    go_on.set()
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300)
    at.run()
    n = sum(len(job.results) for job in cache.jobs().of(VISITOR))
    assert "Stopped" in spoken(at)
    at.run()
    assert sum(len(job.results) for job in cache.jobs().of(VISITOR)) == n
    next(button for button in at.button if button.label == "Go on").click().run()
    measured(at)
    assert "Stopped" not in spoken(at)
    assert all(job.state == "done" for job in cache.jobs().of(VISITOR))


def test_a_file_that_cannot_run_has_no_curves_and_says_why(visit: Open, own_file: str) -> None:
    at = visit("tradeoff", model=own_file)
    assert not at.exception
    assert "No curve without a measurement" in spoken(at)
    assert not at.dataframe
