"""One request, three faces: Python, the command line and the app's job give equal numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import explorer as ex
from explorer.cli import main
from explorer.cli.run.sweep import point_json
from explorer.engine.jobs import JobQueue
from explorer.store.database import Store
from explorer.tasks import ScanRequest, SearchRequest, SweepRequest, TaskRequest
from explorer.ui.shell import cache, session, tasks

MODEL = "digits-mlp"
Command = Callable[..., dict[str, Any]]
Submit = Callable[[TaskRequest[Any]], list[Any]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """What a command prints as JSON."""

    def printed(*argv: str) -> dict[str, Any]:
        assert main([argv[0], MODEL, *argv[1:], "--json", "--data-dir", str(tmp_path / "cli")]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return printed


@pytest.fixture
def submit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Submit:
    """The results of the app's job for a request."""
    queue, store = JobQueue(1), Store(tmp_path / "app")
    monkeypatch.setattr(cache, "jobs", lambda: queue)
    monkeypatch.setattr(cache, "store", lambda: store)
    monkeypatch.setattr(session, "owner", lambda: "ann")
    model = ex.load(MODEL)
    data = ex.load_data("digits", model=model)

    def submitted(request: TaskRequest[Any]) -> list[Any]:
        job = tasks.submit(model, data, request)
        assert job.wait(300)
        assert job.state == "done", job.reason
        assert job.n_done <= job.total
        return job.results

    return submitted


def numbers(point: dict[str, Any]) -> dict[str, Any]:
    """A point without the day and the machine it was measured on."""
    where = {"machine", "date"}
    measured = {n: {k: v for k, v in point[n].items() if k not in where} for n in ("accuracy", "drop", "loss")}
    return {**point, **measured}


def test_a_sweep_has_one_answer(command: Command, submit: Submit) -> None:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "uniform")
    request = SweepRequest(spec, ratios=(1, 2, 8))
    printed = command("sweep", "--ratios", "1,2,8", "--criterion", "lp_norm:p=1", "--allocation", "uniform")["points"]
    iterated, shown = list(ex.run(request, MODEL)), submit(request)
    expected = [numbers({k: v for k, v in point.items() if k != "on_front"}) for point in printed]
    for points in (iterated, shown):
        assert [numbers(json.loads(json.dumps(point_json(point)))) for point in points] == expected
    assert [point["asked_ratio"] for point in printed] == [1, 2, 8]


def test_a_scan_has_one_answer(command: Command, submit: Submit) -> None:
    request = ScanRequest(ex.PruneSpec("out_channel"), levels=(0.5, 0.9))
    printed = command("scan", "--granularity", "out_channel", "--levels", "0.5,0.9")["cells"]
    expected = {(cell["group"], cell["level"]): (cell["n_pruned"], cell["drop"]["value"]) for cell in printed}
    assert len(expected) >= 4
    for cells in (list(ex.run(request, MODEL)), submit(request)):
        assert {(cell.group, cell.level): (cell.n_pruned, cell.drop.value) for cell in cells} == expected


def test_a_search_has_one_answer(command: Command, submit: Submit) -> None:
    request = SearchRequest("params=0.4", evaluations=6)  # type: ignore[arg-type]
    printed = command("search", "--budget", "params=0.4", "--evaluations", "6")["tried"]
    expected = [(plan["by"], plan["cost"]["value"], numbers(plan["point"])["drop"]) for plan in printed]
    for results in (list(ex.run(request, MODEL)), submit(request)):
        plans = [json.loads(json.dumps(result.to_json())) for result in results if hasattr(result, "meets")]
        assert [(plan["by"], plan["cost"]["value"], numbers(plan["point"])["drop"]) for plan in plans] == expected


def test_what_one_face_recorded_another_does_not_measure_again(command: Command, tmp_path: Path) -> None:
    command("scan", "--levels", "0.5")
    cells = list(ex.run(ScanRequest(levels=(0.5,)), MODEL, store=tmp_path / "cli"))
    assert cells
    assert all(cell.from_store for cell in cells)
