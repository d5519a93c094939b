"""The committed bundles are what the sources give."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import explorer.component

PACKAGE = Path(explorer.component.__file__).parent
BUNDLES = sorted((PACKAGE / "bundle").glob("*.js"))
RUN_FIRST = "Run: make component"


def digest_of_sources() -> str:
    digest = hashlib.sha256()
    sources = {path.relative_to(PACKAGE / "src").as_posix(): path for path in (PACKAGE / "src").rglob("*.*")}
    for name, path in sorted(sources.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def node(*arguments: str, package: str = "") -> tuple[int, str]:
    """How Node ended and what it printed. The test is skipped without Node, or without this package for it."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed: it is needed to change the component only.")
    if package and not (PACKAGE / "node_modules" / package).is_dir():
        pytest.skip(f"{package} is not installed: npm ci --prefix explorer/component")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    command = [program, *arguments]
    ended = subprocess.run(command, cwd=PACKAGE, env=clean, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_every_bundle_names_the_sources_as_they_are_now() -> None:
    stated = {path.name: re.findall(r"Sources: (\w+)$", path.read_text().splitlines()[0]) for path in BUNDLES}

    assert len(stated) == 8
    assert stated == {name: [digest_of_sources()] for name in stated}, RUN_FIRST


def test_a_fresh_bundle_equals_the_committed_one() -> None:
    code, printed = node("build.js", "--check", package="esbuild")

    assert code == 0, printed


def test_the_modules_keep_their_own_tests() -> None:
    tests = sorted(str(path) for path in (PACKAGE / "test").glob("*.test.js"))
    code, report = node("--test", "--test-reporter=tap", *tests)

    assert code == 0, report
    assert int(re.findall(r"^# pass (\d+)", report, re.MULTILINE)[0]) >= 20
    assert "# skipped 0" in report
