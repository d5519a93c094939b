"""A store's file is looked at before it is written to: whose it is, who may read it, and whether one may write."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.store.connection import Database
from explorer.store.database import Store
from explorer.store.schema import STEPS, VERSION
from tests.store.recorded import record


def database(folder: Path, *statements: str) -> Path:
    folder.mkdir()
    connection = sqlite3.connect(folder / "runs.sqlite", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that cannot be written, also where the tests run as a user who may write everywhere."""
    folder.chmod(0o500)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "_may_be_written", lambda _: False)
        yield
    folder.chmod(0o700)


def test_a_file_that_is_not_ours_keeps_every_byte_and_gets_no_neighbours(tmp_path: Path) -> None:
    theirs = {
        "another program's": ("CREATE TABLE mails (a)",),
        "another program's, with a version": ("CREATE TABLE mails (a)", "PRAGMA user_version = 2"),
        "another program's, by its number": ("PRAGMA application_id = 77",),
        "a newer explorer's": ("CREATE TABLE points (a)", f"PRAGMA user_version = {VERSION + 1}"),
    }
    for name, statements in theirs.items():
        folder = database(tmp_path / name, *statements)
        before = content(folder)
        why = "newer version" if "newer" in name else "something else"
        for use in (lambda store: store.points(), lambda store: store.record_point(record())):
            with pytest.raises(ExplorerError, match=why):
                use(Store(folder))
        assert content(folder) == before, name


def test_what_is_new_in_the_log_alone_is_refused_too(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE mails (a)")
    with pytest.raises(ExplorerError, match="something else"):
        Store(tmp_path).record_point(record())
    assert writer.execute("SELECT name FROM sqlite_master").fetchall() == [("mails",)]


@pytest.mark.skipif(os.name == "nt", reason="permissions are not in the mode there")
def test_the_store_is_for_this_user_alone_also_where_it_was_not_before(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    store = Store(folder)
    store.record_point(record())
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {"runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm", "runs.lock"}
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == dict.fromkeys(names, 0o600)
    store.close()
    store.path.chmod(0o644)
    store.record_point(record(1))
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}


def test_who_sees_the_file_sees_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    real = os.replace

    def look(old: str, new: str) -> None:
        real(old, new)
        connection = sqlite3.connect(new)
        seen.append({row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")})
        connection.close()

    monkeypatch.setattr("os.replace", look)
    store = Store(tmp_path)
    assert not store.path.exists()
    store.record_point(record())
    assert len(seen) == 1
    assert {"points", "cells", "scans", "workspaces"} <= seen[0]


def test_a_folder_that_cannot_be_written_is_read_with_what_its_log_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "first")
    store.record_point(record(0))
    store.close()
    store.record_point(record(1))
    folder = tmp_path / "copied while it was open"
    folder.mkdir()
    for end in ("", "-wal"):
        shutil.copyfile(f"{store.path}{end}", folder / f"runs.sqlite{end}")
    assert (folder / "runs.sqlite-wal").stat().st_size > 0
    before = content(folder)
    with read_only(folder, monkeypatch):
        reader = Store(folder)
        assert [r.point.plan_digest for r in reader.points()] == ["plan-1", "plan-0"]
        assert reader.scans() == []
    assert content(folder) == before


def test_an_older_format_and_news_are_read_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = database(tmp_path / "old", *STEPS[0], "PRAGMA user_version = 1")
    before = content(folder)
    with read_only(folder, monkeypatch):
        reader = Store(folder)
        assert (reader.points(), reader.scans()) == ([], [])
    assert content(folder) == before
    Store(folder).record_point(record())
    with read_only(folder, monkeypatch):
        assert len(reader.points()) == 1


def test_a_log_merged_into_the_file_while_it_is_copied_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.record_point(record(0))
    copyfile = shutil.copyfile

    def copy_as_the_writer_ends(source: object, *others: object) -> object:
        # Closing the last connection merges the log into the file and deletes it.
        copied = copyfile(source, *others)  # type: ignore[arg-type, call-overload]
        store.close()
        return copied

    monkeypatch.setattr("explorer.store.read_only.shutil.copyfile", copy_as_the_writer_ends)
    with read_only(tmp_path, monkeypatch):
        assert [r.point.plan_digest for r in Store(tmp_path).points()] == ["plan-0"]
    assert not store.path.with_name("runs.sqlite-wal").exists()


def test_damage_where_nothing_can_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("runs.sqlite").write_bytes(b"no database" * 500)
    with read_only(tmp_path, monkeypatch), pytest.raises(ExplorerError, match="could not be used"):
        Store(tmp_path).points()
    assert [p.name for p in tmp_path.iterdir()] == ["runs.sqlite"]
