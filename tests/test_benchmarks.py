"""What `make bench` runs, and the figure that is drawn from it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from benchmarks._check_table import table as table_of_check
from benchmarks._doors_table import table as table_of_doors
from benchmarks._figure import draw
from benchmarks._zoo_table import table

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


def test_make_bench_runs_programs_and_leaves_their_helpers_alone() -> None:
    assert "benchmarks/[a-z]*.py" in (FOLDER.parent / "Makefile").read_text()
    programs = {path.stem for path in FOLDER.glob("[a-z]*.py")}
    assert {"scan", "order", "drag"} <= programs
    for path in FOLDER.glob("*.py"):
        defined = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
        assert ("main" in defined) == (path.stem in programs)


def test_the_figure_says_ratio_equality_coverage_machine_and_date(tmp_path: Path) -> None:
    equal = {"equal": 19, "of": 20, "different": {}}
    result = {
        "ratios": {"digits-cnn": {"exact": 4.25, "verified": 6.5, "estimate": 9.75}},
        "models": {
            "digits-cnn": {
                "equality": {"exact": equal, "verified": equal},
                "estimate": {"coverage": 0.985, "cells": 160},
            }
        },
        "machine": "A machine",
        "date": "2031-12-24",
    }
    draw(result, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    for words in ("4.2x", "9.8x", "19 of 20 cells", "98.5% of 160 intervals", "A machine, 2031-12-24", "digits-cnn"):
        assert words in text
    draw(result, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"


def test_the_table_of_published_architectures_is_that_of_its_rows() -> None:
    docs = FOLDER.parent / "docs"
    rows = json.loads((docs / "zoo.json").read_text())["architectures"]
    assert table(rows) in (docs / "results.md").read_text()
    for row in rows:
        ours = row["ours"]
        assert "error" in ours or ours["difference"] <= 1e-5


def test_the_time_of_a_check_is_that_of_its_run_under_a_minute_with_worse_pictures_among_it() -> None:
    docs = FOLDER.parent / "docs"
    result, text = json.loads((docs / "check.json").read_text()), (docs / "results.md").read_text()
    assert table_of_check(result) in text
    assert f"{result['machine']}, {result['date']}" in text
    assert f"{result['processor_seconds']:.0f} s of one core" in text
    assert f"{result['seconds']:.0f} s on two cores" in text
    assert max(result["seconds"], result["processor_seconds"]) < 60
    assert result["each"]["corruptions"] > 1
    assert result["n_images"] == 2000


def test_the_table_of_sources_is_that_of_its_run_with_machine_and_date() -> None:
    docs = FOLDER.parent / "docs"
    result, text = json.loads((docs / "doors.json").read_text()), (docs / "results.md").read_text()
    assert table_of_doors(result) in text
    assert f"{result['machine']}, {result['date']}" in text
