"""To a server a relative path begins in the folder that it was given, wherever it was started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from explorer.cli.run.app import _from_here
from explorer.errors import ExplorerError
from explorer.types.files import paths


def test_a_relative_path_begins_in_the_first_folder_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, here = tmp_path / "root", tmp_path / "here"
    for folder in (root, here):
        folder.mkdir()
    (root / "in_root.pt").write_bytes(b"x")
    (here / "in_here.pt").write_bytes(b"x")
    monkeypatch.chdir(here)
    assert paths.real("in_here.pt") == here / "in_here.pt"  # in one's own shell
    monkeypatch.setenv(paths.ROOT_VARIABLE, os.pathsep.join([str(root), str(here)]))
    assert paths.real("in_root.pt") == root / "in_root.pt"
    assert paths.real(str(here / "in_here.pt")) == here / "in_here.pt"
    for outside in ("in_here.pt", "../here/../nothing", "../../etc/passwd"):
        with pytest.raises(ExplorerError):
            paths.real(outside)


def test_what_is_named_when_the_app_starts_is_looked_for_where_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.pt").write_bytes(b"x")
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _from_here("net.pt") == str(tmp_path / "net.pt")
    assert _from_here("folder:./digits") == f"folder:{tmp_path / 'digits'}"
    assert [_from_here(name) for name in ("digits", "digits-cnn", "absent.pt")] == ["digits", "digits-cnn", "absent.pt"]
