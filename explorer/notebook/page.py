"""A page that was saved from the widget: one file, no server, no network."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

from explorer import component
from explorer.analysis.facts import Fact
from explorer.text.html import table
from explorer.types.aliases import JsonObject

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; img-src data:">
<title>{title}</title><style>:root {{ color-scheme: light dark; }} body {{ margin: 12px; background: Canvas; }}</style>
</head><body><main id="pruning-explorer"></main>
<script type="application/json" id="pruning-explorer-saved">{saved}</script>
<script type="module">{script}</script></body></html>
"""
_HEIGHT = 760


@dataclass(frozen=True, repr=False)
class StaticPage:
    """The whole page as text; in a notebook it is drawn in a frame of its own."""

    text: str

    def _repr_html_(self) -> str:
        source = html.escape(self.text, quote=True)
        frame = f'sandbox="allow-scripts" style="width:100%;height:{_HEIGHT}px;border:0"'
        return f'<iframe title="Pruning explorer" {frame} srcdoc="{source}"></iframe>'

    def __repr__(self) -> str:
        return f"<StaticPage of {len(self.text):,} characters>"


def page(saved: JsonObject) -> str:
    """The page that shows these parts. Names in them come from files: none of them ends the script they stand in."""
    text = json.dumps(saved).replace("<", "\\u003c")
    title = html.escape(f"{saved['around']['model']} · pruning explorer")
    return _PAGE.format(title=title, saved=text, script=f"{component.anywidget_js()}\nshowSaved();\n")


def facts_table(model: str, facts: Sequence[Fact]) -> str:
    """The four facts as a short table, for places that run no widget."""
    return table((model, "", "", "origin"), [(fact.name, fact.value, fact.note, fact.origin) for fact in facts])
