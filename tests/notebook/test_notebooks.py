"""The committed notebooks run as they stand, and what is committed of them is small and holds no widget's state."""

from __future__ import annotations

import json
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.every import for_each

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 5


@for_each("name", NOTEBOOKS)
def test_what_is_committed_is_small_was_run_in_order_and_holds_no_state(name: str) -> None:
    text = (ROOT / "notebooks" / name).read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(text) < 200_000
    assert "widgets" not in notebook.metadata
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if WIDGET in output.get("data", {}) or output.output_type == "error"]
    assert "/tmp/" not in json.dumps(outputs)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_as_it_stands_within_two_minutes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    begin = time.monotonic()
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert time.monotonic() - begin < 120
    assert not [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
