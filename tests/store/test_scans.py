"""Finished cells of a scan."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from explorer.store.database import Store


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
