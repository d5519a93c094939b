"""Small pieces of HTML for places that show nothing richer: a saved notebook, a page in a repository."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.text.names import clean_html

_LONGEST = 600


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain texts, escaped."""
    return f"<table><thead>{_row('th', head)}</thead><tbody>{''.join(_row('td', row) for row in rows)}</tbody></table>"


def caption(text: str) -> str:
    """A sentence below it, escaped; nothing where there is none."""
    return f"<p><small>{clean_html(text, _LONGEST)}</small></p>" if text else ""


def _row(kind: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{clean_html(cell, _LONGEST)}</{kind}>' for cell in cells)}</tr>"
