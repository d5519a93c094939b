"""A check as one HTML page that needs nothing else: no script, no request, light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.result import Check
from explorer.report import pictures
from explorer.report.cells import HEAD, ORDER, cells, facts, subject, verdict_sentence, word
from explorer.text.names import clean_html
from explorer.text.numbers import number

_MOST_ROWS = 60
_LEGEND = "<p>Hollow: before. Filled: after. A larger dot holds more samples.</p>"
_CLASS = {"pass": "ok", "warn": "warn", "fail": "bad", "cannot tell": "open", "does not apply": "none"}
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


def card(check: Check) -> str:
    """The whole page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    title = f"{word(check.verdict)}: {subject(check)}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{clean_html(title, 300)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            *_parts(check),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _parts(check: Check) -> Iterator[str]:
    color = {"pass": "ok", "fail": "bad", "cannot tell": "open"}[check.verdict]
    yield f'<h1><span class="{color}">{word(check.verdict)}</span></h1>'
    yield f'<p class="subject">{_text(subject(check))}</p>\n<p>{_text(verdict_sentence(check))}</p>'
    yield _table("Every check, in the policy's order", HEAD, [_row(outcome) for outcome in check.outcomes])
    yield "<h2>Why</h2>"
    for outcome in sorted(check.outcomes, key=lambda outcome: ORDER[outcome.status]):
        yield _section(outcome)
    yield f"<h2>The same again</h2>\n<pre>{_text(check.command)}</pre>"
    yield "<h2>What it depends on</h2>\n<dl>"
    yield from (f"<dt>{_text(name)}</dt><dd>{_text(text)}</dd>" for name, text in facts(check))
    yield "</dl>\n<h2>The policy</h2>"
    yield f"<pre>{_text_lines(check.policy.to_toml())}</pre>"


def _section(outcome: Outcome) -> str:
    status = f'<span class="status {_CLASS[outcome.status]}">{outcome.status}</span>'
    picture = pictures.reliability(outcome.rows)
    picture += pictures.bars(outcome.rows, f"Change of accuracy, {outcome.label}, with 95 % intervals")
    picture += _LEGEND if any("bin" in row for row in outcome.rows) else ""
    head = f"<h3>{_text(outcome.label)}: {status}</h3>\n<p>{_text(outcome.why)}</p>"
    return f"<section>\n{head}{picture}{_details(outcome)}\n</section>"


def _details(outcome: Outcome) -> str:
    rows = [row for row in outcome.rows if "bin" not in row][:_MOST_ROWS]
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = ["".join(f"<td>{_text(_shown(row.get(name)))}</td>" for name in names) for row in rows]
    return _table(f"Behind it: {outcome.label}", tuple(names), [f"<tr>{cells_}</tr>" for cells_ in body])


def _row(outcome: Outcome) -> str:
    label, status, *rest = cells(outcome)
    others = "".join(f"<td>{_text(text)}</td>" for text in rest)
    return (
        f'<tr><th scope="row">{_text(label)}</th><td class="status {_CLASS[outcome.status]}">{status}</td>{others}</tr>'
    )


def _table(caption: str, head: tuple[str, ...], rows: list[str]) -> str:
    top = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    body = "\n".join(rows)
    return (
        f'<div class="scroll" role="region" aria-label="{_text(caption)}" tabindex="0"><table><caption>{_text(caption)}'
        f"</caption><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _shown(value: object) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _text(text: str) -> str:
    return clean_html(text, 20_000)


def _text_lines(text: str) -> str:
    return "\n".join(map(_text, text.splitlines()))
