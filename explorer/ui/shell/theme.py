"""The look: chart colours for the visitor's theme, and the few rules of CSS that the pages share."""

from __future__ import annotations

import streamlit as st

from explorer.charts.theme import Theme

# The header is 3.75rem high; what sticks stays right below it. Streamlit leaves a band of empty
# space under the navigation, and shows elements of ours that draw nothing as gaps.
_CSS = """
<style>
.stMainBlockContainer { padding: 4.1rem 2rem 2rem; max-width: 1480px; }
.stMainBlockContainer > .stVerticalBlock { gap: .75rem; }
[class*="_card"] { background: var(--explorer-card); border-color: var(--explorer-line); }
[class*="_card"].stVerticalBlock { gap: .6rem; }
[class*="_card"] :is(p, li) { font-size: .9rem; }
[class*="st-key-"]:is(.st-key-controls, .st-key-top_line, [class*="_head"], .st-key-chart_foot) { gap: .5rem; }
:is(.st-key-controls, .st-key-top_line, [class*="_head"]) :is(.stButton, .stDownloadButton, .stPopover,
  .stButtonGroup) button { min-height: 2.1rem; padding: .1rem .65rem; }
.st-key-controls.st-key-controls { gap: .3rem; }
.st-key-controls.st-key-controls :is(.stButton, .stPopover, .stButtonGroup) button { padding: .1rem .42rem; }
.stHorizontalBlock:has(> .stColumn) { gap: 1rem; }
:is(.st-key-controls, .st-key-top_line, [class*="_head"]) button p { font-size: .85rem; }
.st-key-chart_head > :first-child { flex: 1 0 auto; }
.st-key-top_line > .stElementContainer:last-child { margin-left: auto; padding: 0 .25rem; }
.st-key-presets { gap: .3rem; }
a:focus-visible { outline: 2px solid var(--explorer-accent); outline-offset: -2px; }
.st-key-int8_on p { font-weight: 600; }
.stRadio label > div:first-child { box-shadow: 0 0 0 1px var(--explorer-muted); }
.st-key-hint { gap: .5rem; flex-wrap: nowrap; padding: 0 .25rem; }
.st-key-hint > :first-child { flex: 1; }
.st-key-hint p { font-size: .88rem; }
.st-key-hint button { min-height: 1.4rem; padding: 0 .4rem; white-space: nowrap; }
[data-testid="stLayoutWrapper"]:has(> .st-key-facts) { position: sticky; top: 3.75rem; z-index: 90; }
.st-key-facts { background: var(--explorer-page); padding: .25rem 0 .35rem; }
[class*="st-key-tick_"] { position: absolute; height: 0; }
.facts { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); border: 1px solid var(--explorer-line);
  border-radius: .75rem; background: var(--explorer-card); overflow: hidden; }
.facts > div { padding: .6rem 1.1rem .55rem; border-left: 1px solid var(--explorer-line); min-width: 0; }
.facts > div:first-child { border-left: 0; }
.facts .name { font-size: .8rem; color: var(--explorer-muted); display: flex; gap: .5rem; align-items: center;
  white-space: nowrap; }
.facts .value { font-size: 1.5rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.facts .note { margin-left: .2rem; font-size: .8rem; color: var(--explorer-muted); font-weight: 400;
  font-variant-numeric: tabular-nums; }
.stColumn .facts .note { display: block; margin: 0; }
.facts .stale { opacity: .4; }
.facts .better { color: var(--explorer-better); } .facts .worse { color: var(--explorer-worse); }
.tag { font-size: .68rem; border: 1px solid var(--explorer-line); border-radius: .4rem; padding: 0 .35rem; }
.facts .bar { height: 2px; background: var(--explorer-accent); margin: .35rem -1.1rem -.55rem; transition: width .2s; }
@media (max-width: 1150px) { .st-key-chart_head > :first-child { flex-basis: 100%; } }
@media (max-width: 700px) {
  .stMainBlockContainer { padding: 4.2rem .75rem 2rem; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .facts .name { flex-wrap: wrap; column-gap: .4rem; row-gap: 0; }
  .facts > div { padding: .4rem .7rem; } .facts > div:nth-child(3) { border-left: 0; }
  .facts > div:nth-child(n+3) { border-top: 1px solid var(--explorer-line); }
  .st-key-top_line > .stElementContainer:last-child { margin-left: 0; }
  .st-key-scan_heat { overflow-x: auto; } .st-key-scan_heat > * { min-width: 35rem; }
  .facts .value { font-size: 1.15rem; }
  .facts .note { display: block; margin: 0; font-size: .7rem; white-space: normal; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation-duration: .01ms !important; transition-duration: .01ms !important; }
}
</style>
"""
_LIGHT = {
    "page": "#fcfcfd", "card": "#ffffff", "line": "#e4e5ea", "muted": "#626873", "accent": "#4f56c8",
    "better": "#0b6fa4", "worse": "#b4470b",
}  # fmt: skip
_DARK = {
    "page": "#0f1116", "card": "#161920", "line": "#2a2e38", "muted": "#9aa1ad", "accent": "#8f95ff",
    "better": "#63b9e6", "worse": "#f0985c",
}  # fmt: skip


def is_dark() -> bool:
    """Whether this visitor's browser shows the dark theme."""
    return st.context.theme.type == "dark"


def chart_theme() -> Theme:
    """Explicit colours for every figure: the page's palette does not reach Plotly's traces."""
    return Theme.dark() if is_dark() else Theme.light()


def style() -> None:
    """Put the shared rules on the page; the text is ours alone, nothing from a file is in it."""
    colours = "".join(f"--explorer-{name}: {value};" for name, value in (_DARK if is_dark() else _LIGHT).items())
    st.html(f"<style>:root {{ {colours} }}</style>{_CSS}")
