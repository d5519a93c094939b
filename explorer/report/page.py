"""A page that needs nothing else: no script, no request, light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.text.names import clean_html

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f27; --soft: #4b5363; --page: #ffffff; --card: #f4f6f9; --line: #c9d0da;
  --ok: #0b6b3a; --warn: #7a4b00; --bad: #a3122a; --open: #38419d; --before: #5f6b7d; --after: #1559b7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9edf4; --soft: #b3bccb; --page: #14171d; --card: #1e232c;
  --line: #3c4554; --ok: #6fd39b; --warn: #f2c066; --bad: #ff96a3; --open: #b3bcff;
  --before: #98a3b5; --after: #7fb2ff; } }
@media print { :root { --ink: #000; --soft: #333; --page: #fff; --card: #fff; } section { break-inside: avoid; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; } p { margin: .25rem 0 .75rem; max-width: 50rem; }
.subject { color: var(--soft); overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td, th { white-space: nowrap; } td.wide { white-space: normal; }
.status { font-weight: 650; } .ok { color: var(--ok); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.open { color: var(--open); } .none { color: var(--soft); }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.45 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; margin: .5rem 0; } svg text { fill: var(--ink); font-size: 12px; }
.frame { fill: none; stroke: var(--line); } .whisker { stroke: var(--before); stroke-width: 2; }
circle.before { fill: none; stroke: var(--before); stroke-width: 1.5; } circle.after { fill: var(--after); }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole page around its parts; ``title`` is plain text."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{clean_html(title, 300)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            *parts,
            "</main>\n</body>\n</html>\n",
        ]
    )


def table(caption: str, head: Iterable[str], rows: Iterable[str]) -> str:
    """A table that scrolls by itself where it is too wide; ``rows`` are HTML."""
    top = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    body = "\n".join(rows)
    return (
        f'<div class="scroll" role="region" aria-label="{text(caption)}" tabindex="0"><table><caption>{text(caption)}'
        f"</caption><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def text(plain: str) -> str:
    """Plain text as HTML."""
    return clean_html(plain, 20_000)


def text_lines(plain: str) -> str:
    """The same, line by line."""
    return "\n".join(map(text, plain.splitlines()))
