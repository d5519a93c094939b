"""Options that a function takes by name: declared once, shown everywhere, and never swallowed."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_type_hints

import pytest

import explorer as ex
from explorer.analysis.report import About, AboutKeywords
from explorer.analysis.search.options import SearchKeywords, SearchOptions
from explorer.analysis.sensitivity.options import ScanKeywords, ScanOptions
from explorer.analysis.tradeoff import MeasureKeywords, MeasureOptions
from explorer.charts.tradeoff import Look, LookKeywords
from explorer.data import DataKeywords, DataOptions

DECLARED = {
    ex.scan: (ScanOptions, ScanKeywords),
    ex.search: (SearchOptions, SearchKeywords),
    ex.sweep: (MeasureOptions, MeasureKeywords),
    ex.report: (About, AboutKeywords),
    ex.load_data: (DataOptions, DataKeywords),
    ex.charts.tradeoff: (Look, LookKeywords),
}


def test_help_shows_every_option_with_its_default() -> None:
    for function, (options, keywords) in DECLARED.items():
        shown = inspect.signature(function).parameters
        assert {field.name: field.default for field in fields(options)} == {
            name: shown[name].default for name in keywords.__annotations__
        }
        assert get_type_hints(options) == get_type_hints(keywords)


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TypeError, match="level"):
        ex.scan("digits-mlp", level=(0.5,))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="evaluation"):
        ex.search("digits-mlp", budget="params=0.5", evaluation=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="splits"):
        ex.sweep("digits-mlp", splits="tune")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="split"):
        ex.load_data("digits", split="0.5/0.2/0.3")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="hight"):
        ex.charts.tradeoff([], hight=1)  # type: ignore[call-arg]
