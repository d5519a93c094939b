"""The sensitivity page and what Explore takes from it: scans that end, stop, fail, are kept, and are found again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import explorer
from explorer.analysis.sensitivity.scan import LEVELS, Cell, Sensitivity, scan
from explorer.engine.evaluator import Evaluator
from explorer.engine.jobs import Job
from explorer.store.database import Store
from explorer.tasks import scan as scan_task
from explorer.tasks.context import Context
from explorer.tasks.scan import ScanRequest
from explorer.types import Evaluation
from explorer.types.stopping import Stopped, stoppable
from explorer.ui.sensitivity import scans
from explorer.ui.shell import cache, session
from tests.ui.pages import Open, jobs_of, link, rows_of, spoken

MODEL = "digits-mlp"


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A store that holds nothing yet."""
    store = Store(tmp_path / "kept")
    monkeypatch.setattr(cache, "store", lambda: store)
    return store


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """No scan is cheap enough to begin by itself."""
    monkeypatch.setattr(scans, "_CHEAP_MACS", 0)


def jobs() -> list[Job]:
    return jobs_of(ScanRequest)


def scanned(at: AppTest) -> AppTest:
    """The page once its scan was asked for and has ended."""
    at.button(key="scan_start").click().run()
    for job in jobs():
        assert job.wait(300)
    at.run()
    assert not at.exception
    return at


def keep(model: str, store: Store, **how: Any) -> list[Cell]:
    """A scan as the command line would keep it."""
    loaded = explorer.load(model)
    return list(scan(loaded, explorer.load_data("digits", model=loaded), keep=store, **how))


def strips(monkeypatch: pytest.MonkeyPatch) -> list[Sensitivity]:
    """What Explore draws its strips from, drawing by drawing."""
    seen: list[Sensitivity] = []
    known = scans.known

    def noted(*given: Any) -> tuple[Sensitivity, Job | None]:
        found, job = known(*given)
        seen.append(found)
        return found, job

    monkeypatch.setattr(scans, "known", noted)
    return seen


@pytest.mark.usefixtures("dear")
def test_a_scan_fills_heat_map_curves_and_ranking_and_its_files_say_how_it_was_measured(
    visit: Open, downloads: dict[str, Any]
) -> None:
    at = visit("sensitivity", model=MODEL)
    assert "no measure of accuracy" in spoken(at)
    said = spoken(scanned(at))
    assert "30 cells measured." in said
    assert "Δ accuracy in points, measured on 450 samples of the tune split" in said
    assert "Most fragile\\: fc2 \\(1 of 3 scanned layers" in said
    rows = rows_of(downloads["CSV"]())
    assert {(row["mode"], row["n"], row["origin"]) for row in rows} == {("exact", "450", "measured")}
    assert all(row["drop_low"] and row["drop_high"] for row in rows)
    told = json.loads(downloads["JSON"]())
    assert (told["model"]["address"], told["data"]["address"], told["mode"], len(told["cells"])) == (
        *(MODEL, "digits", "exact", 30),
    )
    assert downloads["PNG"]().startswith(b"\x89PNG")


@pytest.mark.usefixtures("dear")
def test_what_is_estimated_is_called_estimated(visit: Open) -> None:
    at = visit("sensitivity", model=MODEL)
    at.button_group(key="scan_mode").set_value("estimate").run()
    assert "Δ accuracy in points, estimated on" in spoken(scanned(at))


@pytest.mark.usefixtures("dear")
def test_the_sum_of_single_drops_is_estimated_and_the_joint_drop_measured(visit: Open) -> None:
    at = scanned(visit("sensitivity", model=MODEL, spec=link(allocation="uniform:sparsity=0.9")))
    for _ in range(20):
        if "Predicted" in spoken(at):
            break
        at.run()
    assert "(estimated: Sum of the single drops" in spoken(at)
    assert "Measured " in spoken(at)


@pytest.mark.usefixtures("dear")
def test_the_choice_of_a_scan_outlives_other_pages_and_a_reload(visit: Open) -> None:
    at = visit("sensitivity", model=MODEL)
    at.button_group(key="scan_mode").set_value("estimate").run()
    at.button_group(key="scan_grid").set_value("coarse").run()
    scanned(at)
    at.switch_page("pages/weights.py").run()
    at.switch_page("pages/sensitivity.py").run()
    assert "12 cells estimated" in spoken(at)
    again = visit("sensitivity", model=MODEL)
    assert "12 cells estimated" in spoken(again)
    assert again.button_group(key="scan_mode").value == "estimate"


@pytest.mark.usefixtures("dear")
def test_a_layer_is_left_when_it_costs_too_much_and_the_page_says_how_many_cells_that_saved(visit: Open) -> None:
    at = visit("sensitivity", model=MODEL)
    at.button_group(key="scan_left").set_value("5 points").run()
    said = spoken(scanned(at))
    assert "left out beyond 5 points" in said
    (job,) = jobs()
    assert 0 < job.n_done < 30


@pytest.mark.usefixtures("dear")
def test_cells_kept_before_the_server_began_are_shown_at_once_and_only_missing_ones_are_measured(
    visit: Open, own_store: Store
) -> None:
    keep(MODEL, own_store, levels=(0.1, 0.2), layers=["fc1"])
    at = visit("sensitivity", model=MODEL)
    assert "2 of 30 cells, recorded by an earlier run" in spoken(at)
    assert at.button(key="scan_start").label == "Go on"
    assert "30 cells measured" in spoken(scanned(at))
    (job,) = jobs()
    assert sum(cell.from_store for cell in job.results if isinstance(cell, Cell)) == 2


@pytest.mark.usefixtures("dear")
@pytest.mark.parametrize(
    "how", [{"mode": "estimate"}, {"levels": (0.33, 0.66)}, {"mode": "verified", "layers": ["fc1"]}]
)
def test_the_strips_of_explore_come_from_any_kept_scan_after_a_restart(
    visit: Open, own_store: Store, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Sensitivity.of(keep(MODEL, own_store, **how))
    seen = strips(monkeypatch)
    assert not visit(model=MODEL).exception
    assert seen[-1].strips() == wanted.strips()
    assert jobs() == []


@pytest.mark.usefixtures("dear")
def test_the_most_exact_cell_of_a_place_counts_on_explore(
    visit: Open, own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(MODEL, own_store, levels=(0.9,), mode="estimate")
    keep(MODEL, own_store, levels=(0.9,), layers=["fc1"])
    seen = strips(monkeypatch)
    visit(model=MODEL)
    assert {cell.group: cell.mode for cell in seen[-1].cells} == {"fc1": "exact", "fc2": "estimate", "fc3": "estimate"}


def test_a_disk_that_takes_nothing_stops_no_scan_and_no_page(
    visit: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cache, "store", lambda: Store(tmp_path / "file"))
    at = visit(model=MODEL)
    assert not at.exception
    for job in jobs():
        assert job.wait(300)
    assert [job.state for job in jobs()] == ["done"]
    at.switch_page("pages/sensitivity.py").run()
    assert "30 cells measured" in spoken(at)


@pytest.mark.usefixtures("dear")
def test_a_stopped_scan_keeps_what_it_has_and_goes_on_and_a_failed_one_says_why(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slow(*given: Any, **options: Any) -> Iterator[Cell]:
        for n, cell in enumerate(scan(*given, **options)):
            yield cell
            if n == 4:
                begun.set()
                go_on.wait(300)

    with monkeypatch.context() as patch:
        patch.setattr(scan_task, "scan", slow)
        at = visit("sensitivity", model=MODEL)
        at.button(key="scan_start").click().run()
        assert begun.wait(300)
        at.run()
        at.button(key="scan_stop").click().run()
        go_on.set()
        assert jobs()[0].wait(300)
        at.run()
    assert "Stopped after" in spoken(at)
    assert at.button(key="scan_start").label == "Go on"

    def broken(*_: Any, **__: Any) -> Iterator[Cell]:
        raise ValueError("no such layer")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(scan_task, "scan", broken)
        at.button(key="scan_start").click().run()
        assert jobs()[0].wait(300)
        assert "The scan ended early: This is a bug of the explorer" in spoken(at.run())
    assert "30 cells measured" in spoken(scanned(at))


@pytest.mark.usefixtures("dear")
def test_only_who_began_a_scan_is_offered_to_stop_it(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def waiting(*_: Any, **__: Any) -> Iterator[Cell]:
        go_on.wait(300)
        return
        yield

    monkeypatch.setattr(scan_task, "scan", waiting)
    at = visit("sensitivity", model=MODEL)
    at.button(key="scan_start").click().run()
    assert at.button(key="scan_stop")
    monkeypatch.setattr(session, "owner", lambda: "somebody else")
    at.run()
    assert not [button for button in at.button if button.label == "Stop"]
    go_on.set()


def test_a_scan_can_be_stopped_while_the_dense_model_is_run_for_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    stop = threading.Event()
    model = explorer.load(MODEL)
    data = explorer.load_data("digits", model=model)
    monkeypatch.setattr(scan_task, "scan", lambda *given, **_: begun.append(given))
    evaluator = Evaluator(model, data.splits["tune"], batch_size=64, threads=1)
    run, evaluations = evaluator.run, []

    def stopped_after_the_first_batch() -> Iterator[Evaluation]:
        for evaluation in run():
            evaluations.append(evaluation)
            stop.set()
            yield evaluation

    monkeypatch.setattr(evaluator, "run", stopped_after_the_first_batch)
    context = Context(model, data)
    context.evaluator = evaluator
    with stoppable(stop), pytest.raises(Stopped):
        list(ScanRequest().run(context))
    assert [evaluation.complete for evaluation in evaluations] == [False]
    assert begun == []


@pytest.mark.usefixtures("dear")
def test_curves_and_ranking_fill_in_while_the_scan_runs(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    model = explorer.load(MODEL)
    cells = list(scan(model, levels=LEVELS))
    step, more = threading.Semaphore(0), threading.Semaphore(0)

    def stepwise(*_: Any, **__: Any) -> Iterator[Cell]:
        for cell in cells:
            yield cell
            more.release()
            step.acquire(timeout=300)

    monkeypatch.setattr(scan_task, "scan", stepwise)
    at = visit("sensitivity", model=MODEL)
    at.button(key="scan_start").click().run()
    seen = []
    for n in range(1, 21):
        assert more.acquire(timeout=300)
        if n % 10 == 0:
            seen.append(at.run().multiselect[0].value)
        step.release()
    assert seen == [["fc1"], ["fc2", "fc1"]]
    assert at.selectbox(key="scan_level_10").value == 0.6
    step.release(100)
