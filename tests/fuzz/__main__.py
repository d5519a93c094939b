"""Valid files and values of every kind, changed at random, and opened as the app does it.

    python -m tests.fuzz --n 100000 --seed 1 [--kind slim --kind link] [--first 4711]

A case may open, open with a warning, or be refused in a sentence, within 10 s of computing and 1 GB; never anything
else. The same seed and number give the same case. Prints a row a kind and every violation; exits with 1 where there is
one.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch

from tests.fuzz import tables, values, weights
from tests.fuzz.apart import Outcome, outcomes
from tests.fuzz.kind import Kind
from tests.fuzz.readers import forked

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*weights.KINDS, *tables.KINDS, *values.KINDS)}


@dataclass
class Row:
    """What became of the cases of a kind."""

    kind: Kind
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    n_bytes: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one; a valid input that does not open is a violation, too."""
        self.seconds, self.n_bytes = max(self.seconds, outcome.seconds), max(self.n_bytes, outcome.n_bytes)
        is_valid = outcome.number < len(self.kind.seeds)
        if not outcome.is_allowed or (is_valid and outcome.what == "refuses"):
            self.violations.append(outcome)
        self.counts[outcome.what] += 1

    def __str__(self) -> str:
        counts = ", ".join(f"{n:,} {what}" for what, n in sorted(self.counts.items()))
        most = f"at most {self.seconds:.1f} s, {self.n_bytes / 1e6:.0f} MB"
        return f"{self.kind.name:24} {self.counts.total():7,}  {counts}; {most}"


def rows(n: int, seed: str, kinds: Sequence[Kind], first: int = 0) -> Iterator[Row]:
    """Each kind tried: ``n`` cases in all, shared out as the kinds say, each with its valid inputs at the least."""
    total = sum(kind.share for kind in kinds)
    with forked():
        for kind in kinds:
            row, count = Row(kind), max(round(n * kind.share / total), len(kind.seeds) + 1)
            for outcome in outcomes(partial(kind.tried, seed), range(first, first + count)):
                row.add(outcome)
            yield row


def prepare() -> None:
    """One thread, no words of the libraries, and a data folder that goes with the process."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["PRUNING_EXPLORER_DATA"] = tempfile.mkdtemp(prefix="fuzz-data-")


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, and print what came out."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--n", type=int, default=3000, help="how many cases")
    asked.add_argument("--seed", default="1", help="any text")
    asked.add_argument("--kind", action="append", choices=KINDS, help="only this kind, may be repeated")
    asked.add_argument("--first", type=int, default=0, help="the number of the first case of each kind")
    args = asked.parse_args(argv)
    prepare()
    began, n_tried, n_bad = time.monotonic(), 0, 0
    for row in rows(args.n, args.seed, [KINDS[name] for name in args.kind or KINDS], args.first):
        n_tried, n_bad = n_tried + row.counts.total(), n_bad + len(row.violations)
        _write(str(row))
        for outcome in row.violations[:20]:
            _write(f"  VIOLATION {row.kind.name} --first {outcome.number}: {outcome.what}, {outcome.text}")
    _write(f"{n_tried:,} cases, {n_bad:,} violations, seed {args.seed}, {time.monotonic() - began:.0f} s")
    return int(n_bad > 0)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
