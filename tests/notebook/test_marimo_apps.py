"""The committed marimo apps: their cells run in their order, with a stand-in for marimo's own functions."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import explorer as ex
from tests.every import for_each

ROOT = Path(__file__).resolve().parents[2]
APPS = sorted((ROOT / "notebooks").glob("*.py"))


class StandIn:
    """What the apps take of marimo: every element is drawn, and a slider stands where it begins."""

    def __init__(self) -> None:
        self.drawn: list[object] = []
        self.widgets: list[Any] = []
        self.ui = SimpleNamespace(anywidget=self.anywidget, slider=lambda *_, value, **__: SimpleNamespace(value=value))

    def anywidget(self, widget: Any) -> SimpleNamespace:
        self.widgets.append(widget)
        return SimpleNamespace(value={"spec": widget.spec.to_json()})

    def md(self, text: str) -> str:
        self.drawn.append(text)
        return text

    def vstack(self, parts: list[object]) -> list[object]:
        self.drawn += parts
        return parts


def cells(path: Path) -> list[tuple[list[str], str]]:
    """What each cell asks of others, and its lines but for the last, which hands names on."""
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    bodies = [[line for line in f.body if not isinstance(line, ast.Return)] for f in functions]
    return [([a.arg for a in f.args.args], ast.unparse(body)) for f, body in zip(functions, bodies, strict=True)]


@pytest.mark.slow
@for_each("path", APPS)
def test_the_cells_of_a_marimo_app_run_in_their_order(path: Path) -> None:
    marimo, names = StandIn(), {"__name__": "app"}
    for asked, lines in cells(path):
        assert set(asked) <= set(names), path.name
        exec(compile(lines.replace("import marimo as mo", ""), path.name, "exec"), names | {"mo": marimo}, names)
        names.setdefault("mo", marimo)  # type: ignore[arg-type]
    for widget in marimo.widgets:
        assert isinstance(widget.spec, ex.PruneSpec)
        widget.close()
    assert marimo.drawn


def test_there_is_an_app_for_the_first_and_the_third_notebook() -> None:
    assert [path.name[:2] for path in APPS] == ["01", "03"]
    notebooks = {path.stem.replace("-", "_") for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.stem for path in APPS} <= notebooks
