"""A policy's checks, one after another, and what they come to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.policy import Policy
from explorer.analysis.check.result import Check, Identity
from explorer.analysis.report import data_json
from explorer.metrics.origin import machine, today
from explorer.store.records import versions
from explorer.types.stopping import check as check_whether_stopped


@dataclass(frozen=True)
class CheckAbout:
    """What a check says of itself beside its outcomes."""

    command: str
    looks_at_test: int | None = None


def outcomes_and_check(policy: Policy, evidence: CheckEvidence, about: CheckAbout) -> Iterator[Outcome | Check]:
    """The outcome of each check as it comes, and last all of them as one value."""
    start, outcomes = time.perf_counter(), []
    for rule in policy:
        check_whether_stopped()
        outcomes.append(rule.outcome(evidence))
        yield outcomes[-1]
    yield Check(
        candidate=Identity.of(evidence.candidate),
        dense=Identity.of(evidence.dense),
        outcomes=tuple(outcomes),
        policy=policy,
        data=data_json(evidence.dataset),
        split=evidence.split.name,
        n=evidence.n,
        seed=evidence.seed,
        command=about.command,
        machine=machine(evidence.device),
        date=today(),
        versions=versions(),
        looks_at_test=about.looks_at_test,
        seconds=time.perf_counter() - start,
    )
