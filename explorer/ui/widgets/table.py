"""Tables whose numbers are sorted by value and read as everywhere else: formatted here, not by the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from explorer.types.aliases import JsonDict

Texts = Mapping[str, Callable[[Any], str]]
AT_ONCE = 5_000  # rows that are formatted in less than half a second; see :func:`window`
_NOTHING = "–"


def draw(rows: Sequence[Mapping[str, object]], columns: JsonDict, texts: Texts, **options: Any) -> Any:
    """A table of rows; ``texts`` says how the numbers of a column read. What was chosen in it, where it can be.

    The columns of ``texts`` have no ``format`` of their own: it would overrule this one.
    """
    frame = pd.DataFrame(list(rows))
    formatted: Any = {name: text for name, text in texts.items() if name in frame.columns}
    return st.dataframe(
        frame.style.format(formatted, na_rep=_NOTHING), hide_index=True, column_config=columns, **options
    )


def window(n_rows: int, at: int) -> slice:
    """Which rows of a very long table are drawn: those around row ``at``, or all of them."""
    start = at // AT_ONCE * AT_ONCE
    return slice(start, min(n_rows, start + AT_ONCE))
