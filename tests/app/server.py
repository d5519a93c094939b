"""The real app as a process of its own, on a free port of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 150.0


@contextmanager
def running_app(folder: Path, *, root: Path | None = None) -> Iterator[str]:
    """The address of an app that keeps its data in ``folder`` and opens paths under ``root``."""
    with app_process(folder, root=root) as (_, address):
        yield address


@contextmanager
def app_process(
    folder: Path, *, root: Path | None = None, port: int = 0
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of such an app, and its address. It is ended by its process id, whatever happens."""
    with started_app(folder, "--root", str(root or folder), "--port", str(port)) as (process, about):
        yield process, str(about["url"]).rstrip("/")


@contextmanager
def started_app(folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process of an app with these flags, and what it says of itself."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "explorer", "app", "--json", *flags]
    environment = {**os.environ, "PRUNING_EXPLORER_DATA": str(folder), "OMP_NUM_THREADS": "1"}
    with (
        (folder / "app.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, (folder / "app.log").read_text(encoding="utf-8")
            about = json.loads(said)
            _wait(f"{str(about['url']).rstrip('/')}/_stcore/health", process)
            yield process, about
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def many_samples(folder: Path) -> str:
    """The address under the root of 80,000 samples for the digits: work on them goes on until a test stops it."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (80_000, 8, 8), dtype=np.uint8), rng.integers(0, 10, 80_000)
    np.savez(folder / "many.npz", x=x, y=y)
    return "npz:many.npz"


def _wait(url: str, process: subprocess.Popen[str]) -> None:
    """Until the server answers; it may need some seconds to come up."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the app ended before it answered"
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the app did not answer within {PATIENCE_S:.0f} s")
