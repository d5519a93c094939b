"""A check as one HTML page that needs nothing else: no script, no request, light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.result import Check
from explorer.report import page, pictures
from explorer.report.cells import HEAD, ORDER, cells, facts, subject, verdict_sentence, word
from explorer.text.numbers import number

_MOST_ROWS = 60
_LEGEND = "<p>Hollow: before. Filled: after. A larger dot holds more samples.</p>"
_CLASS = {"pass": "ok", "warn": "warn", "fail": "bad", "cannot tell": "open", "does not apply": "none"}


def card(check: Check) -> str:
    """The whole page."""
    return page.page(f"{word(check.verdict)}: {subject(check)}", _parts(check))


def _parts(check: Check) -> Iterator[str]:
    color = {"pass": "ok", "fail": "bad", "cannot tell": "open"}[check.verdict]
    yield f'<h1><span class="{color}">{word(check.verdict)}</span></h1>'
    yield f'<p class="subject">{page.text(subject(check))}</p>\n<p>{page.text(verdict_sentence(check))}</p>'
    yield page.table("Every check, in the policy's order", HEAD, [_row(outcome) for outcome in check.outcomes])
    yield "<h2>Why</h2>"
    for outcome in sorted(check.outcomes, key=lambda outcome: ORDER[outcome.status]):
        yield _section(outcome)
    yield f"<h2>The same again</h2>\n<pre>{page.text(check.command)}</pre>"
    yield "<h2>What it depends on</h2>\n<dl>"
    yield from (f"<dt>{page.text(name)}</dt><dd>{page.text(text)}</dd>" for name, text in facts(check))
    yield "</dl>\n<h2>The policy</h2>"
    yield f"<pre>{page.text_lines(check.policy.to_toml())}</pre>"


def _section(outcome: Outcome) -> str:
    status = f'<span class="status {_CLASS[outcome.status]}">{outcome.status}</span>'
    picture = pictures.reliability(outcome.rows)
    picture += pictures.bars(outcome.rows, f"Change of accuracy, {outcome.label}, with 95 % intervals")
    picture += _LEGEND if any("bin" in row for row in outcome.rows) else ""
    head = f"<h3>{page.text(outcome.label)}: {status}</h3>\n<p>{page.text(outcome.why)}</p>"
    return f"<section>\n{head}{picture}{_details(outcome)}\n</section>"


def _details(outcome: Outcome) -> str:
    rows = [row for row in outcome.rows if "bin" not in row][:_MOST_ROWS]
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = ["".join(f"<td>{page.text(_shown(row.get(name)))}</td>" for name in names) for row in rows]
    return page.table(f"Behind it: {outcome.label}", tuple(names), [f"<tr>{cells_}</tr>" for cells_ in body])


def _row(outcome: Outcome) -> str:
    label, status, *rest = cells(outcome)
    others = "".join(f"<td>{page.text(text)}</td>" for text in rest)
    first = f'<th scope="row">{page.text(label)}</th><td class="status {_CLASS[outcome.status]}">{status}</td>'
    return f"<tr>{first}{others}</tr>"


def _shown(value: object) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
