"""A check as Markdown, for a pull request or the summary of a workflow."""

from __future__ import annotations

import re

from explorer.analysis.check.result import Check
from explorer.report.cells import HEAD, ORDER, cells, facts, subject, verdict_sentence, word
from explorer.text.names import clean

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#&@])")


def markdown(check: Check) -> str:
    """The verdict, the table, why, and how to do it again."""
    lines = [f"## {word(check.verdict)}: {_escaped(subject(check))}", "", _escaped(verdict_sentence(check)), ""]
    lines += [_row(HEAD), _row(["---"] * len(HEAD))]
    lines += [_row([_escaped(text) for text in cells(outcome)]) for outcome in check.outcomes]
    ranked = sorted(check.outcomes, key=lambda outcome: ORDER[outcome.status])
    lines += ["", *(f"- **{o.label}** ({o.status}): {_escaped(o.why)}" for o in ranked if ORDER[o.status] < 4)]
    lines += ["", "<details><summary>What it depends on</summary>", ""]
    lines += [f"- {name}: {_escaped(text)}" for name, text in facts(check)]
    lines += ["", "</details>", "", "```sh", clean(check.command.replace("`", ""), None), "```", ""]
    return "\n".join(lines)


def _row(texts: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(texts)} |"


def _escaped(text: str) -> str:
    """Text that stays text: no link, no mention, no markup."""
    return _MARKUP.sub(r"\\\1", clean(text, None))
