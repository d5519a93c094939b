"""Finished cells of a scan, and saved workspaces."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.store.database import Store

STATE = {"spec": {"granularity": {"key": "weight"}}, "tried": [1.5, None, "näh"]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def change(store: Store, sql: str, *values: object) -> None:
    """What a fault or another program does to the file."""
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute(sql, values)
    connection.close()


def test_cells_come_back_by_group_and_level_of_their_own_scan(store: Store) -> None:
    store.record_cell("scan", "conv1", 0.1, {"accuracy": 0.5, "n": 450})
    store.record_cell("scan", "conv1", 0.1 + 0.2, {"accuracy": float("nan"), "mode": "exact"})
    store.record_cell("other", "conv1", 0.1, {"accuracy": 1.0})
    found = store.cells("scan")
    assert found[("conv1", 0.1)] == {"accuracy": 0.5, "n": 450}
    assert set(found) == {("conv1", 0.1), ("conv1", 0.1 + 0.2)}
    assert store.cells("absent") == {}


def test_a_cell_that_is_measured_again_replaces_the_old_one(store: Store) -> None:
    store.record_cell("scan", "conv1", 0.5, {"accuracy": 0.5})
    store.record_cell("scan", "conv1", 0.5, {"accuracy": 0.6})
    assert store.cells("scan") == {("conv1", 0.5): {"accuracy": 0.6}}


@pytest.mark.parametrize("group", ["", "a'b\"c", "näh\x00\n", "\udcff", "x" * 10_000])
def test_any_name_of_a_group_comes_back(store: Store, group: str) -> None:
    store.record_cell("scan", group, 1.0, {"n": 1})
    assert store.cells("scan") == {(group, 1.0): {"n": 1}}


def test_scans_are_listed_with_their_extent_latest_first(store: Store) -> None:
    for group, level in (("a", 0.1), ("a", 0.2), ("b", 0.1)):
        store.record_cell("first", group, level, {})
    store.record_cell("second", "a", 0.1, {})
    latest, before = store.scans()
    assert (latest.scan_key, latest.n_cells, latest.n_groups) == ("second", 1, 1)
    assert (before.scan_key, before.n_cells, before.n_groups) == ("first", 3, 2)
    assert before.first <= before.last <= latest.first == latest.last
    assert latest.about == {}


def test_what_a_scan_is_of_is_kept_once_and_listed_with_it(store: Store) -> None:
    store.record_scan("first", {"mode": "exact"})
    store.record_cell("first", "a", 0.1, {})
    store.record_scan("first", {"mode": "verified"})
    store.record_scan("without cells", {})
    assert [(scan.scan_key, scan.about) for scan in store.scans()] == [("first", {"mode": "verified"})]
    change(store, "UPDATE scans SET about = '['")
    assert store.scans() == []
    assert "scan could not be read" in store.findings[0].what


def test_a_cell_that_cannot_be_read_is_missing_and_told(store: Store) -> None:
    store.record_cell("scan", "a", 0.1, {"n": 1})
    store.record_cell("scan", "b", 0.1, {"n": 2})
    change(store, "UPDATE cells SET cell = '{' WHERE group_name = '\"a\"'")
    assert store.cells("scan") == {("b", 0.1): {"n": 2}}
    assert "cell could not be read" in store.findings[0].what


def test_a_workspace_comes_back_as_it_was_saved_last(store: Store, tmp_path: Path) -> None:
    assert store.save_workspace("w", {"old": 1}, "boot 1") == 1
    assert store.save_workspace("w", STATE, "boot 2") == 2
    store.save_workspace("other", {}, "boot 3")
    found = Store(tmp_path).workspace("w")
    assert found is not None
    assert (found.state, found.boot, found.version, found.fell_back) == (STATE, "boot 2", 2, False)
    assert store.workspace("absent") is None


@pytest.mark.parametrize(
    "damage", ["state = substr(state, 1, 9)", "state = '{}'", "state = '[]'", "digest = ''", "state = x'ff'"]
)
def test_a_damaged_state_falls_back_to_the_one_before(store: Store, damage: str) -> None:
    store.save_workspace("w", STATE, "boot 1")
    store.save_workspace("w", {"newer": 1}, "boot 2")
    change(store, f"UPDATE workspaces SET {damage} WHERE version = 2")
    found = store.workspace("w")
    assert found is not None
    assert (found.state, found.boot, found.fell_back) == (STATE, "boot 1", True)
    assert store.findings
    assert store.save_workspace("w", {"next": 1}, "boot 3") == 3
    change(store, f"UPDATE workspaces SET {damage} WHERE version = 3")
    assert getattr(store.workspace("w"), "state", None) == STATE


def test_a_state_that_the_app_does_not_take_falls_back_to_the_one_before(store: Store) -> None:
    store.save_workspace("w", {"format": 2}, "boot")
    store.save_workspace("w", {"format": 1}, "boot")
    found = store.workspace("w", lambda state: state["format"] == 2)
    assert found is not None
    assert (found.state, found.fell_back) == ({"format": 2}, True)
    assert store.workspace("w", lambda state: False) is None


def test_two_tabs_do_not_overwrite_each_other(store: Store) -> None:
    mine = store.save_workspace("w", {"by": "me"}, "boot")
    store.save_workspace("w", {"by": "you"}, "boot", after=mine)
    with pytest.raises(ExplorerError, match="another tab"):
        store.save_workspace("w", {"by": "me again"}, "boot", after=mine)
    assert getattr(store.workspace("w"), "state", None) == {"by": "you"}


def test_saving_often_does_not_fill_the_disk(store: Store) -> None:
    for i in range(40):
        store.save_workspace("w", {"i": i, "much": "x" * 20_000}, "boot")
    store.close()
    assert getattr(store.workspace("w"), "version", 0) == 40
    store.close()
    assert store.path.stat().st_size < 200_000
