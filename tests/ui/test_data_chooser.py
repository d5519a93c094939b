"""The data menu: every source with what it needs, refusals below their fields, and the metric of all pages."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import explorer
from explorer import data
from explorer.ui.shell import data_chooser, session
from tests.ui.pages import Open, html, link, spoken, work_of


def labelled(widgets: Any, label: str) -> Any:
    return next(widget for widget in widgets if widget.label == label)


def settled(at: AppTest) -> str:
    page = html(at)
    while "measuring" in page:  # until the last sample is looked at
        page = html(at.run())
    return page


def test_every_source_of_data_is_on_the_screen() -> None:
    assert set(data_chooser.KINDS) == set(data.SOURCES.members)


def test_a_refusal_finds_the_field_that_it_names() -> None:
    drawn: list[str] = []
    places = data_chooser.RefusalPlaces()
    places.below = {name: Place(name, drawn) for name in ("path", "mean", "splits")}  # type: ignore[misc]
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setattr(session, "refusal", lambda error: None)
        for what in ("mean has 2 numbers for 3 channel(s).", "splits = '1/1/1' does not divide the data.", "No file."):
            places.refuse(session.ExplorerError(what, fix="Do."))
    assert drawn == ["mean", "splits", "path"]


class Place:
    """A place that notes that something was drawn in it."""

    def __init__(self, name: str, drawn: list[str]) -> None:
        self._name, self._drawn = name, drawn

    def container(self) -> Place:
        return self

    def __enter__(self) -> Place:
        self._drawn.append(self._name)
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""


def test_the_chosen_metric_stands_in_the_place_of_accuracy_and_in_the_link(visit: Open) -> None:
    at = visit("explore", model="digits-mlp", metric="loss", spec=link(allocation="global:sparsity=0.9"))
    page = settled(at)

    assert not at.exception
    assert work_of(at).source.metric == "loss"
    assert at.query_params["metric"] in ("loss", ["loss"])
    assert labelled(at.selectbox, "Metric").value == "loss"
    assert ">Loss<" in page
    assert "Δ loss" in page
    assert " nats" in page
    for name in ("sensitivity", "search", "tradeoff"):
        other = visit(name, model="digits-mlp", metric="loss")
        assert not other.exception, name


def test_a_metric_that_does_not_suit_is_named_and_left(visit: Open) -> None:
    at = visit("explore", model="digits-mlp", metric="perplexity")
    assert work_of(at).source.metric is None
    assert "perplexity is not measured" in spoken(at)


def test_a_part_of_the_samples_comes_with_the_link_and_is_said_and_is_in_the_code(visit: Open) -> None:
    at = visit("explore", model="digits-mlp", samples="60", spec=link(allocation="global:sparsity=0.9"))
    page = settled(at)
    assert not at.exception
    assert at.query_params["samples"] in ("60", ["60"])
    report = explorer.evaluate("digits-mlp", work_of(at).spec, explorer.load_data("digits", samples=60))
    assert report.accuracy is not None
    assert f"{100 * report.accuracy.value:.1f}%" in page
    assert "samples=60" in "\n".join(code.value for code in at.code)
