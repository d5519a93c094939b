"""Two processes with one data folder: neither takes anything from the other, and both give what one alone gives."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.store.database import Store

ROOT = Path(__file__).resolve().parents[2]


def scanning(data: Path, table: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "explorer", "scan", "digits-mlp", "--levels", "0.3", "0.6", "0.9", "--csv", table]
    environment = {**os.environ, "PRUNING_EXPLORER_DATA": str(data), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def cells_in(table: Path) -> list[dict[str, str]]:
    """The cells without the columns that say when one was measured, and whether it was read from the store."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: cell for name, cell in row.items() if name not in ("from_store", "date")} for row in rows]


@pytest.mark.slow
def test_two_scans_at_once_in_one_data_folder_give_the_table_of_one_alone(tmp_path: Path) -> None:
    alone = scanning(tmp_path / "alone", tmp_path / "alone.csv")
    assert alone.wait(300) == 0, alone.communicate()
    both = [scanning(tmp_path / "shared", tmp_path / f"{i}.csv") for i in range(2)]
    for process in both:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert "not recorded" not in said
    first = cells_in(tmp_path / "alone.csv")
    assert len(first) >= 9
    assert [cells_in(tmp_path / f"{i}.csv") for i in range(2)] == [first, first]
    (scan,) = Store(tmp_path / "shared").scans()
    assert len(Store(tmp_path / "shared").cells(scan.scan_key)) == len(first)
