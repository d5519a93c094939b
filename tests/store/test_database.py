"""The file itself: many writers, killed writers, damage, a full disk, older and newer formats."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.store.connection import Database
from explorer.store.database import Store
from explorer.store.schema import STEPS, VERSION
from tests.store.recorded import record

ROOT = Path(__file__).resolve().parents[2]

# The first format, as it was: the file of somebody who updates. Never changed.
# {old} stands for a word that no file of the project says any more.
VERSION_1 = """
    CREATE TABLE points (
        id INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE, time TEXT NOT NULL, kind TEXT NOT NULL,
        model_digest TEXT NOT NULL, model_address TEXT NOT NULL, data_digest TEXT NOT NULL, data_address TEXT NOT NULL,
        split TEXT NOT NULL, plan_digest TEXT NOT NULL, spec_digest TEXT NOT NULL, record TEXT NOT NULL
    );
    CREATE INDEX points_by_time ON points (time, id);
    CREATE INDEX points_of_model ON points (model_digest, data_digest, split, time);
    CREATE TABLE cells (
        scan_key TEXT NOT NULL, {old} TEXT NOT NULL, level REAL NOT NULL, time TEXT NOT NULL, cell TEXT NOT NULL,
        PRIMARY KEY (scan_key, {old}, level)
    ) WITHOUT ROWID;
    INSERT INTO cells VALUES ('scan', '"conv1"', 0.5, '2031-12-24T18:00:00.000000+00:00', '{"accuracy": 0.75}');
    PRAGMA user_version = 1;
""".replace("{old}", "kn" + "ob")


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def by_sqlite(path: Path, sql: str) -> list[tuple[object, ...]]:
    """The answer of the sqlite3 module itself."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def set_aside(folder: Path) -> list[Path]:
    """The damaged databases, without the files that go with them."""
    return [p for p in folder.iterdir() if ".damaged-" in p.name and not p.name.endswith(("-wal", "-shm"))]


WRITER = """
    import sys
    from explorer.store.database import Store
    from tests.store.recorded import record
    store, name, n = Store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for i in range(n):
        store.record_point(record(i, plan_digest=f"{name}-{i}"))
        store.record_cell(name, "group", i, {"i": i})
"""


def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    processes = [start(WRITER, tmp_path, name, 40) for name in ("one", "two", "three")]
    errors = [p.communicate(timeout=300)[1] for p in processes]
    assert [p.returncode for p in processes] == [0, 0, 0], errors
    store, names = Store(tmp_path), ("one", "two", "three")
    assert {r.point.plan_digest for r in store.points()} == {
        f"{n}-{i}" for n in ("one", "two", "three") for i in range(40)
    }
    assert [len(store.cells(name)) for name in names] == [40, 40, 40]


def test_eight_threads_at_once_lose_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    failures: list[Exception] = []

    def work(name: int) -> None:
        try:
            for i in range(25):
                store.record_point(record(i, plan_digest=f"{name}-{i}"))
                store.record_cell("scan", f"group {name}", i / 25, {"i": i})
                store.record_scan(f"scan {name}", {"i": i})
                assert any(r.point.plan_digest == f"{name}-{i}" for r in store.points())
        except Exception as error:  # noqa: BLE001 - whatever a thread raises is the test's to show
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len({r.point.plan_digest for r in store.points()}) == 200
    assert len(store.cells("scan")) == 200


def test_a_killed_process_costs_at_most_the_record_it_was_writing(tmp_path: Path) -> None:
    code = """
        import sys
        from explorer.store.database import Store
        store, i = Store(sys.argv[1]), int(sys.argv[2])
        while True:
            store.record_cell("scan", "group", i, {"i": i, "much": "x" * 20_000})
            store.record_scan("scan", {"i": i})
            print(i, flush=True)
            i += 1
    """
    begin = 0
    for n_lines in (1, 7, 30, 63):
        process = start(code, tmp_path, begin)
        assert process.stdout is not None
        for _ in range(n_lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=300)
        store = Store(tmp_path)
        cells = store.cells("scan")
        levels = sorted(level for _, level in cells)
        assert levels == list(map(float, range(len(levels))))
        assert len(levels) >= begin + n_lines
        assert all(cell == {"i": int(level), "much": "x" * 20_000} for (_, level), cell in cells.items())
        (summary,) = store.scans()
        assert summary.about["i"] in (len(levels) - 1, len(levels) - 2)
        assert by_sqlite(store.path, "PRAGMA integrity_check") == [("ok",)]
        assert store.findings == ()
        begin = len(levels)
        store.close()


@pytest.mark.parametrize("damage", ["header", "middle", "text", "short", "schema"])
def test_a_damaged_file_is_set_aside_whole_and_work_goes_on(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    for i in range(60):
        store.record_point(record(i))
    store.close()
    content = bytearray(store.path.read_bytes())
    if damage == "header":
        content[:100] = os.urandom(100)
    elif damage == "middle":
        content[4096:-4096] = b"\xa5" * (len(content) - 8192)
    elif damage == "schema":
        content = content.replace(b"CREATE TABLE points (", b"CREATE TABLE \xd8oints \x00")
    elif damage == "text":
        content[:] = b"This is no database. " * 1000
    else:
        content = content[: len(content) // 2]
    store.path.write_bytes(content)
    number = store.record_point(record(100))
    assert [r.id for r in store.points()] == [number]
    (aside,) = set_aside(tmp_path)
    assert aside.read_bytes() == content
    (finding,) = store.findings
    assert (finding.level, str(aside) in finding.evidence) == ("warn", True)
    assert by_sqlite(store.path, "PRAGMA integrity_check") == [("ok",)]


def test_damage_that_comes_while_the_file_is_open_is_noticed_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for i in range(60):
        store.record_point(record(i))
    by_sqlite(store.path, "PRAGMA wal_checkpoint(TRUNCATE)")
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (store.path.stat().st_size - 4096))
    # What SQLite remembers of the file would hide the damage from this process for a while.
    store._database._opened().execute("PRAGMA shrink_memory")
    assert store.points() == []
    assert "damaged" in store.findings[0].what
    assert store.record_point(record(0)) == 1


def test_two_stores_that_meet_one_damaged_file_begin_one_new_file(tmp_path: Path) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    one.record_point(record(0))
    other.record_point(record(1))
    one.close()
    other.close()
    one.path.write_bytes(b"no database" * 100)
    one.record_point(record(2))
    other.record_point(record(3))
    one.record_point(record(4))
    assert [r.point.plan_digest for r in other.points()] == ["plan-4", "plan-3", "plan-2"]
    assert len(set_aside(tmp_path)) == 1


def test_a_file_that_was_deleted_or_moved_away_is_begun_anew(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.record_point(record(0))
    for path in tmp_path.iterdir():
        path.rename(tmp_path.parent / f"{tmp_path.name}-{path.name}")
    store.record_point(record(1))
    assert [r.point.plan_digest for r in store.points()] == ["plan-1"]
    assert by_sqlite(tmp_path.parent / f"{tmp_path.name}-runs.sqlite", "SELECT plan_digest FROM points") == [
        ("plan-0",)
    ]


def test_a_full_disk_is_said_in_a_sentence_and_what_was_kept_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.record_point(record(0))
    database: Database = store._database
    connection = database._opened()
    (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {n_pages + 2}")
    with pytest.raises(ExplorerError) as caught:
        store.record_cell("scan", "group", 0.5, {"much": "x" * 100_000})
    assert caught.value.why == "The disk is full."
    assert str(store.path) in caught.value.what
    assert len(store.points()) == 1
    assert store.cells("scan") == {}
    connection.execute("PRAGMA max_page_count = 1000000")
    store.record_cell("scan", "group", 0.5, {"much": "x" * 100_000})
    assert len(store.cells("scan")) == 1


def test_a_disk_that_takes_no_more_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from explorer.errors import ExplorerError
        from explorer.store.database import Store
        store, refused = Store(sys.argv[1]), 0
        store.record_cell("scan", "group", -1, {})
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        for i in range(60):
            try:
                store.record_cell("scan", "group", i, {"much": "x" * 10_000})
                print(i)
            except ExplorerError as error:
                refused += "could not be used" in str(error)
        sys.exit(7 if refused else 0)
    """
    process = start(code, tmp_path)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 7, errors
    store = Store(tmp_path)
    assert {level for _, level in store.cells("scan")} == {-1.0, *map(float, out.split())}
    assert store.findings == ()
    assert by_sqlite(store.path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("place", ["file/in/the/way", "runs.sqlite-is-a-folder"])
def test_a_place_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / place
    if "folder" in place:
        (folder / "runs.sqlite").mkdir(parents=True)
    store = Store(folder)
    for _ in range(2):
        with pytest.raises(ExplorerError, match="could not be") as caught:
            store.record_point(record())
        assert caught.value.fix


def test_a_record_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ExplorerError, match="too large"):
        store.record_cell("scan", "group", 0.5, {"much": "x" * (65 * 1024 * 1024)})
    assert store.cells("scan") == {}
    store.record_cell("scan", "group", 0.5, {})
    assert store.cells("scan") == {("group", 0.5): {}}


def test_another_run_that_never_lets_go_is_said_in_a_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.record_point(record())
    store._database._opened().execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ExplorerError, match="Another run holds it"):
        store.record_point(record(1))
    assert len(store.points()) == 1
    other.execute("ROLLBACK")
    other.close()
    assert store.record_point(record(1)) == 2


def test_a_file_of_the_first_format_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "runs.sqlite")
    connection.executescript(VERSION_1)
    connection.close()
    store = Store(tmp_path)
    assert store.cells("scan") == {("conv1", 0.5): {"accuracy": 0.75}}
    assert store.record_point(record()) == 1
    assert store.findings == ()
    store.close()
    fresh = Store(tmp_path / "fresh")
    fresh.record_cell("s", "k", 0.5, {})
    columns = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1, c.cid"
    assert by_sqlite(store.path, columns) == by_sqlite(fresh.path, columns)
    assert by_sqlite(store.path, "PRAGMA user_version") == [(VERSION,)]


def test_an_update_that_is_killed_half_way_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(tmp_path / "runs.sqlite")
    connection.executescript(VERSION_1)
    connection.close()
    with monkeypatch.context() as patch:
        patch.setattr("explorer.store.opening.STEPS", (*STEPS, ("CREATE TABLE more (a)", "no SQL at all")))
        with pytest.raises(ExplorerError):
            Store(tmp_path).cells("scan")
    assert by_sqlite(tmp_path / "runs.sqlite", "PRAGMA user_version") == [(1,)]
    assert len(Store(tmp_path).cells("scan")) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    code = """
        import os, sys
        from explorer.store.database import Store
        store = Store(sys.argv[1])
        store.record_cell("scan", "parent", 0, {})
        child = os.fork()
        if child == 0:
            store.record_cell("scan", "child", 0, {})
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        store.record_cell("scan", "parent", 1, {})
    """
    process = start(code, tmp_path)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert set(Store(tmp_path).cells("scan")) == {("parent", 0.0), ("child", 0.0), ("parent", 1.0)}


def test_the_file_is_in_wal_mode_and_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.record_point(record())
    assert by_sqlite(store.path, "PRAGMA journal_mode") == [("wal",)]
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert len(Store(tmp_path).points()) == 1
    other.close()
