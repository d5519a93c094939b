"""The table of promises names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_the_page_of_promises_names_is_there() -> None:
    page = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    files = set(re.findall(r"tests/[\w/]+\.py", page))
    assert len(files) > 40
    assert {name for name in files if not (ROOT / name).is_file()} == set()
    rows = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(rows) > 20
    absent = {(file, name) for file, name in rows if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")}
    assert absent == set()
