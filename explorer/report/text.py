"""A check as lines for a terminal: the rows of its table, and the sentences below it."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.analysis.check.result import Check
from explorer.report.cells import ORDER, cells, facts, verdict_sentence


def rows(check: Check) -> list[tuple[str, ...]]:
    """One row a check, in the policy's order."""
    return [cells(outcome) for outcome in check.outcomes]


def sentences(check: Check) -> Iterator[str]:
    """The verdict, why each check came out as it did (the worst first), and what it depends on."""
    yield verdict_sentence(check)
    yield ""
    for outcome in sorted(check.outcomes, key=lambda outcome: ORDER[outcome.status]):
        if outcome.status != "does not apply":
            yield f"{outcome.status}: {outcome.label}: {outcome.why}"
    yield ""
    for name, text in facts(check):
        yield f"{name}: {text}"
    yield ""
    yield "The same again:"
    yield f"  {check.command}"
