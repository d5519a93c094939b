"""Tables on the screen: numbers read by the rules of the house and are sorted by value."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui.widgets.table import AT_ONCE, window

UI = Path(__file__).resolve().parents[2] / "explorer" / "ui"


def drawn() -> None:
    from explorer.text.numbers import count, number, percent, points_bare, times
    from explorer.ui.widgets import table

    rows = [
        {"share": 0.9996, "change": -0.0001, "ratio": 12.0, "mean": -0.0, "n": 12345},
        {"share": 1.0, "change": 0.0034, "ratio": 2.5, "mean": 0.5, "n": None},
        {"share": 0.0001, "change": -0.25, "ratio": 1.0, "mean": -1.25, "n": 1},
    ]
    texts = {"share": percent, "change": points_bare, "ratio": times, "mean": number, "n": count}
    table.draw(rows, {}, texts)


def test_a_column_of_numbers_reads_by_the_rules_of_the_house_and_holds_its_values() -> None:
    at = AppTest.from_function(drawn, default_timeout=60).run()
    assert not at.exception
    values = at.dataframe[0].value
    shown = pa.ipc.open_stream(io.BytesIO(at.dataframe[0].proto.arrow_data.styler.display_values)).read_pandas()

    assert list(shown["share"]) == [">99.9%", "100.0%", "<0.1%"]
    assert list(shown["change"]) == ["0.0", "+0.3", "−25.0"]
    assert list(shown["ratio"]) == ["12×", "2.5×", "1×"]
    assert list(shown["mean"]) == ["0", "0.5", "−1.25"]
    assert list(shown["n"]) == ["12,345", "–", "1"]
    # What the browser sorts by.
    assert list(values["share"]) == [0.9996, 1.0, 0.0001]
    assert list(values["change"]) == [-0.0001, 0.0034, -0.25]


@pytest.mark.parametrize("kind", ["NumberColumn", "ProgressColumn"])
def test_no_column_is_formatted_by_the_browser(kind: str) -> None:
    calls = [
        (path.name, node.lineno)
        for path in UI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == kind
        and (kind == "ProgressColumn" or any(keyword.arg == "format" for keyword in node.keywords))
    ]
    assert calls == []


def test_a_very_long_table_is_drawn_around_the_chosen_row() -> None:
    assert window(30, 29) == slice(0, 30)
    assert window(AT_ONCE + 10, AT_ONCE + 3) == slice(AT_ONCE, AT_ONCE + 10)
    assert window(AT_ONCE + 10, 0) == slice(0, AT_ONCE)
