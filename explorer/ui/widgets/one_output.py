"""One output by hand, on demand: patch, kernel, mask and products as tables, and their sum."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.lessons.by_hand import Grid, OneOutput, by_hand, sums_of
from explorer.pruning.spec import PruneSpec
from explorer.text.names import clean_html, clean_markdown
from explorer.text.numbers import number
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import session, tasks
from explorer.ui.widgets.persistent_widget import remembered, value

_SHOWN = "by_hand"


def draw(model: LoadedModel, dataset: Dataset | None, layer: str, spec: PruneSpec) -> None:
    """A switch, and behind it the numbers of one output of this convolution under this setting."""
    st.toggle("One output by hand", key=_SHOWN, on_change=remembered(_SHOWN, False))
    if not value(_SHOWN, False) or dataset is None:
        return
    try:
        one = by_hand(tasks.context(model, dataset), layer, spec)
    except ExplorerError as error:
        session.refusal(error)
        return
    row, column = one.place
    st.markdown(
        f"{clean_markdown(one.layer)}, output channel {one.channel}, row {row}, column {column}, of the first picture. "
        f"A weight goes where its size is below the threshold, {number(one.threshold)}."
    )
    st.html(f'<div class="by-hand">{_tables(one)}</div>')
    st.markdown("  \n".join(clean_markdown(line, 300) for line in sums_of(one)))


def _tables(one: OneOutput) -> str:
    parts = (
        (f"patch of input {one.input_channel}", one.patch),
        ("kernel", one.kernel),
        ("mask", one.mask),
        ("products", one.products),
    )
    signs = ("×", "×", "=", "")
    return "".join(
        f'{_table(name, grid, one.mask)}<span class="sign" aria-hidden="true">{sign}</span>'
        for (name, grid), sign in zip(parts, signs, strict=True)
    )


def _table(name: str, grid: Grid, mask: Grid) -> str:
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="{"kept" if keeps else "gone"}">{clean_html(_short(cell))}</td>'
            for cell, keeps in zip(cells, kept, strict=True)
        )
        + "</tr>"
        for cells, kept in zip(grid, mask, strict=True)
    )
    return f"<table><caption>{clean_html(name)}</caption>{rows}</table>"


def _short(cell: float) -> str:
    return number(round(cell, 3) + 0.0)  # no zero with a sign
