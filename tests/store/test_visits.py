"""A visitor's files and histories: found by nobody else, within a quota, gone after a day."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.store.visits import DAY_S, StoredFile, Visit, sweep

PLENTY = {"most_each": 10**6, "most": 10**6}


def aged(visit: Visit, digest: str, seconds: float) -> None:
    """As if the file had been used last so long ago."""
    moment = time.time() - seconds
    os.utime(visit.place / f"{digest}.json", (moment, moment))


def test_a_file_is_found_by_its_digest_by_its_owner_alone(tmp_path: Path) -> None:
    ann, bob = Visit(tmp_path / "visits", "ann"), Visit(tmp_path / "visits", "bob")
    content = bytes(range(256)) * 10
    digest = hashlib.sha256(content).hexdigest()[:16]

    assert ann.store("net.pt", content, "digits-mlp", **PLENTY) == StoredFile(digest, "net.pt", "digits-mlp", 2560)

    assert ann.find(digest) == ann.files()[0]
    assert ann.read(digest) == content
    assert (bob.find(digest), bob.files()) == (None, [])
    assert "ann" not in "".join(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))


def test_what_a_link_may_say_instead_of_a_digest_finds_nothing(tmp_path: Path) -> None:
    ann = Visit(tmp_path / "visits", "ann")
    ann.store("net.pt", b"weights", None, **PLENTY)
    (tmp_path / "private.json").write_text("{}")
    for digest in ("", "../../private", "0" * 16, f"{ann.files()[0].digest}\n", "a" * 17, "é" * 16):
        assert ann.find(digest) is None


def test_bytes_that_were_changed_on_the_disk_are_refused(tmp_path: Path) -> None:
    ann = Visit(tmp_path / "visits", "ann")
    digest = ann.store("net.pt", b"weights", None, **PLENTY).digest
    (ann.place / f"{digest}.weights").write_bytes(b"weightz")

    with pytest.raises(ExplorerError, match="cannot be read any more"):
        ann.read(digest)


def test_the_oldest_files_go_where_a_visitor_has_too_many_and_nobody_elses_do(tmp_path: Path) -> None:
    ann, bob = Visit(tmp_path / "visits", "ann"), Visit(tmp_path / "visits", "bob")
    bobs = bob.store("b.pt", b"b" * 60, None, **PLENTY).digest
    digests = []
    for i in range(3):
        digests.append(ann.store(f"{i}.pt", bytes([i]) * 40, None, most_each=100, most=1000).digest)
        aged(ann, digests[-1], 100 - i)
    last = ann.store("3.pt", b"z" * 40, None, most_each=100, most=1000).digest

    assert {file.digest for file in ann.files()} == {digests[2], last}
    assert bob.find(bobs) is not None
    with pytest.raises(ExplorerError, match="not kept"):
        ann.store("large.pt", b"z" * 101, None, most_each=100, most=1000)
    with pytest.raises(ExplorerError, match="all visitors"):
        ann.store("more.pt", b"y" * 80, None, most_each=100, most=100)


def test_a_file_goes_a_day_after_its_last_use_and_a_use_renews_it(tmp_path: Path) -> None:
    ann = Visit(tmp_path / "visits", "ann")
    old, used = (ann.store(f"{b!r}.pt", b, None, **PLENTY).digest for b in (b"old", b"used"))
    for digest in (old, used):
        aged(ann, digest, DAY_S + 60)
    assert ann.find(used) is not None

    sweep(ann.folder)

    assert [file.digest for file in ann.files()] == [used]
    assert sorted(path.name for path in ann.place.iterdir()) == [f"{used}.json", f"{used}.weights"]
    sweep(ann.folder, now=time.time() + 2 * DAY_S)
    assert not ann.place.exists()


def test_removing_all_files_leaves_the_history(tmp_path: Path) -> None:
    ann = Visit(tmp_path / "visits", "ann")
    ann.store("net.pt", b"weights", None, **PLENTY)
    ann.write_history("ab", "what undo brings back")

    ann.forget()

    assert ann.files() == []
    assert list(ann.histories()) == ["what undo brings back"]


def test_the_histories_of_the_last_twelve_tabs_stay_newest_first(tmp_path: Path) -> None:
    ann = Visit(tmp_path / "visits", "ann")
    for i in range(15):
        ann.write_history(f"{i:x}", str(i))
        os.utime(ann.place / f"{i:x}.history", (i, i))
    ann.write_history("f0", "newest")

    assert list(ann.histories()) == ["newest", *(str(i) for i in range(14, 3, -1))]


def test_a_clock_that_is_set_back_costs_no_history(tmp_path: Path) -> None:
    ann, ahead = Visit(tmp_path / "visits", "ann"), time.time() + 10 * DAY_S
    for i in range(12):
        ann.write_history(f"{i:x}", str(i))
        os.utime(ann.place / f"{i:x}.history", (ahead + i, ahead + i))

    ann.write_history("f0", "after the clock was set back")

    assert "after the clock was set back" in list(ann.histories())
