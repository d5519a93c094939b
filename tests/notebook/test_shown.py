"""A result says what it is in a few lines, and a notebook draws it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import plotly.graph_objects as go
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output

import explorer as ex
from explorer.notebook.shown import PLOTLY

ROOT = Path(__file__).resolve().parents[2]
SPEC = ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.8")
EVIL = "<img src=x onerror=alert(1)>"


class Cells(HTMLParser):
    """The texts in the cells of a table, and every tag that is written."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def results() -> Mapping[str, object]:
    model = ex.load("digits-mlp")
    points = tuple(ex.sweep(model, SPEC, ratios=(1, 4)))
    recipe = ex.recipes.one_shot(SPEC, ex.recipes.tuning_for(model))
    *_, last = ex.recover(model, recipe)
    plan, data = ex.plan(model, SPEC), ex.load_data("digits", model=model)
    tried = tuple(ex.search(model, budget="params=0.4", evaluations=4, levels=(0.5, 0.9)))
    return {
        "model": model,
        "data": data,
        "split": data.splits["tune"],
        "layers": ex.layers(model),
        "spec": SPEC.with_limit("a" * 500, ex.Limit(locked=True)),
        "scores": ex.score(model, SPEC),
        "plan": plan,
        "group": plan.groups[0],
        "masked": ex.masked(model, plan),
        "report": ex.evaluate(model, SPEC),
        "point": points[1],
        "tradeoff": ex.TradeOff("magnitude", points),
        "sensitivity": ex.Sensitivity.of(ex.scan(model, levels=(0.5, 0.9))),
        "tried": tried[0],
        "search": ex.SearchResult.of(tried),
        "comparison": ex.compare_methods(model, [ex.PruneSpec("weight", "lamp")], ratios=(2, 4), seeds=(0,)),
        "check": ex.check(against="digits-mlp", spec=SPEC, policy={"corruptions": False}),
        "policy": ex.Policy.of({"accuracy": {"margin": 0.02}, "corruptions": False}),
        "progress": last,
        "recovered": last.recovered,
        "recipe": recipe,
    }


def test_the_repr_of_every_public_result_is_at_most_five_short_lines(results: Mapping[str, object]) -> None:
    lines = {name: repr(result).splitlines() for name, result in results.items()}
    assert {name: text for name, text in lines.items() if len(text) > 5 or max(map(len, text)) > 250} == {}


def test_a_repr_is_one_line_whatever_is_in_it() -> None:
    class Odd:
        def __repr__(self) -> str:
            return "two\nlines"

    point = ex.TradeOff("a\nb" * 100, (Odd(),) * 3)  # type: ignore[arg-type]
    assert "\n" not in repr(point)
    module = ex.load(torch.nn.Linear(4, 2), example=torch.zeros(1, 4), name="x" * 2000)
    assert len(repr(module)) < 250


def test_results_that_are_drawn_give_a_table_a_line_and_where_there_are_points_a_chart(
    results: Mapping[str, object],
) -> None:
    drawn = {name: r._repr_mimebundle_() for name, r in results.items() if hasattr(r, "_repr_mimebundle_")}
    assert set(drawn) == {"report", "point", "tradeoff", "sensitivity", "search", "comparison", "check"}
    assert {name for name, bundle in drawn.items() if PLOTLY in bundle} == {
        "tradeoff",
        "sensitivity",
        "search",
        "comparison",
    }
    for name, bundle in drawn.items():
        assert len(bundle["text/plain"].splitlines()) == 1, name
        assert {"table", "th", "td"} <= Cells(bundle["text/html"]).tags, name
        assert len(bundle["text/html"]) < 8000, name
        if PLOTLY in bundle:
            assert go.Figure(bundle[PLOTLY]).data, name


def test_a_notebook_with_these_outputs_is_valid(results: Mapping[str, object]) -> None:
    from plotly.utils import PlotlyJSONEncoder

    bundle = json.loads(json.dumps(results["tradeoff"]._repr_mimebundle_(), cls=PlotlyJSONEncoder))  # type: ignore[attr-defined]
    cell = new_code_cell("points", outputs=[new_output("execute_result", data=bundle, execution_count=1)])
    nbformat.validate(new_notebook(cells=[cell]))
    assert len(json.dumps(bundle)) < 60_000


def test_the_table_of_a_report_says_the_numbers_of_the_report(results: Mapping[str, object]) -> None:
    report = results["report"]
    assert isinstance(report, ex.Report)
    assert report.accuracy is not None
    texts = Cells(report._repr_mimebundle_()["text/html"]).texts
    assert f"measured on {report.accuracy.n} (tune)" in texts
    assert any(text.startswith(f"{100 * report.accuracy.value:.1f}%") for text in texts)
    assert f"{report.compression_ratio:.3g}×" in texts
    assert {"counted"} <= set(texts)


def test_the_table_of_a_check_has_the_worst_first_and_says_the_verdict(results: Mapping[str, object]) -> None:
    check = results["check"]
    assert isinstance(check, ex.Check)
    texts = Cells(check._repr_mimebundle_()["text/html"]).texts
    statuses = [text for text in texts if text in ("fail", "cannot tell", "warn", "pass", "does not apply")]
    assert statuses == sorted(statuses, key=["fail", "cannot tell", "warn", "pass"].index)
    assert statuses[0] == "fail"
    assert any(text.endswith("450 samples.") and "Fail: " in text for text in texts)
    assert repr(check).startswith("<Check of digits-mlp against digits-mlp: fail (")


def test_names_from_a_file_are_text_in_a_drawing(results: Mapping[str, object]) -> None:
    curve = results["tradeoff"]
    assert isinstance(curve, ex.TradeOff)
    html = ex.TradeOff(EVIL, curve.points)._repr_mimebundle_()["text/html"]
    assert Cells(html).tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert EVIL in Cells(html).texts


def test_in_a_terminal_no_chart_is_made_for_nothing(
    results: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object()))
    assert PLOTLY not in results["tradeoff"]._repr_mimebundle_()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_neither_the_package_nor_a_drawing_imports_anywidget() -> None:
    code = (
        "import sys, explorer as ex, explorer.notebook.shown; ex.evaluate('digits-mlp')._repr_mimebundle_();"
        "sys.exit(bool({'anywidget', 'ipywidgets'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
