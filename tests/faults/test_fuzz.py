"""Files and values of every kind, changed at random: they open, warn or are refused, within time and memory.

The same as a program, with as many cases as one likes: ``python -m tests.fuzz --n 100000 --seed S``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.classroom.state import ClassState
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.tasks import SweepRequest, from_json
from tests.fuzz.__main__ import KINDS, rows
from tests.fuzz.apart import outcomes

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    "safetensors",
    "gguf",
    "spec",
    "recipe",
    "policy",
    "request",
    "link",
    "events",
    "corner or curve",
    "class",
    "lesson",
)


def test_values_and_weights_changed_at_random_open_or_are_refused() -> None:
    for row in rows(200, "quick", [KINDS[name] for name in QUICK]):
        assert not row.violations, str(row)
        assert row.counts["refuses"], str(row)
        assert row.counts["opens"] + row.counts["warns"] >= len(row.kind.seeds), str(row)


@pytest.mark.slow
def test_everything_that_opens_changed_at_random_opens_or_is_refused() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--n", "3000", "--seed", "slow"]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr[-2000:]}"
    assert " 0 violations" in ended.stdout


def test_what_breaks_a_process_is_found_and_the_next_case_is_tried() -> None:
    def case(number: int) -> str:
        if number == 1:
            os._exit(7)
        if number == 2:
            raise ExplorerError("No.")
        if number == 3:
            raise KeyError("a bug")
        if number == 4:
            bytearray(1_200_000_000)[::4096] = b"x" * len(range(0, 1_200_000_000, 4096))
        return "opens"

    tried = list(outcomes(case, range(6)))
    assert [(each.what.partition(" ")[0], each.is_allowed) for each in tried] == [
        *(("opens", True), ("ends", False), ("refuses", True), ("breaks", False), ("opens", False), ("opens", True))
    ]


def test_a_request_whose_kind_is_no_text_is_refused() -> None:
    for kind in ([], {}, None, 3):
        with pytest.raises(ExplorerError, match="There is no task"):
            from_json({"task": kind})


def test_numbers_beyond_all_floats_are_refused_in_requests_and_classes() -> None:
    sweep = SweepRequest(PruneSpec("weight", "lp_norm", "uniform"), ratios=(2.0, 4.0)).to_json()
    with pytest.raises(ExplorerError, match="does not suit"):
        from_json({**sweep, "ratios": [10**400]})
    state = ClassState("A class", "K7QFA", "d1ge5t").to_json()
    with pytest.raises(ExplorerError, match="no stored class"):
        ClassState.from_json({**state, "n_resets": float("inf")})
