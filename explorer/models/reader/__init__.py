"""Weights out of files that nobody vouches for: each is read in a process of its own, under limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.reader.limits import START_SECONDS, computing_seconds, waiting_seconds
from explorer.models.scratch import scratch

ROOT = Path(__file__).resolve().parents[3]
SAVE_AGAIN = "Save the weights again as safetensors, and open that file."
# All that a Python with torch needs; keys and tokens of the user stay out of the reader.
PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV", "PYTHONHOME")


@dataclass(frozen=True, eq=False)
class FileContents:
    """What a file holds: unique tensors, the other names of tied ones, and what was noticed.

    ``facts`` are numbers and texts stored beside the weights (such as the epoch); ``metadata`` is
    the text part of a safetensors header.
    """

    tensors: Mapping[str, Tensor]
    aliases: Mapping[str, str]
    repairs: tuple[str, ...]
    oddities: tuple[str, ...]
    facts: Mapping[str, Any]
    metadata: Mapping[str, str]


def read_file(path: Path, label: str) -> FileContents:
    """The contents of a file; ``label`` names it in a refusal. Raises ExplorerError."""
    with scratch() as folder:
        _run(path, folder, label)
        return _answer(folder, label)


def read_bytes(data: bytes, label: str) -> FileContents:
    """The contents of an uploaded file, which gets a name of ours on disk. Raises ExplorerError."""
    with scratch() as folder:
        path = folder / "upload.bin"
        path.write_bytes(data)
        return read_file(path, label)


def _run(path: Path, folder: Path, label: str) -> None:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    places = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment |= {
        "PYTHONPATH": os.pathsep.join(places),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(folder),
        "TEMP": str(folder),
    }
    n_bytes = path.stat().st_size
    computing, waiting = computing_seconds(n_bytes), waiting_seconds(n_bytes)
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "explorer.models.reader", str(path), str(folder)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=START_SECONDS + waiting,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _cannot(label, f"Reading it took longer than {waiting:.0f} s.") from None
    if ended.returncode == -getattr(signal, "SIGXCPU", 0) != 0:
        raise _cannot(label, f"Reading it took more than {computing:.0f} s of computing.")
    if ended.returncode == -getattr(signal, "SIGALRM", 0) != 0:
        raise _cannot(label, f"Reading it took longer than {waiting:.0f} s.")
    if ended.returncode != 0:
        broke = "Reading it broke the reader: it is damaged, or needs more memory than a file of its size may take."
        raise _cannot(label, broke)


def _cannot(label: str, why: str, fix: str = SAVE_AGAIN) -> ExplorerError:
    return ExplorerError(f"{label} cannot be opened.", why=why, fix=fix)


def _answer(folder: Path, label: str) -> FileContents:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="ascii"))
        if "why" in report:
            raise _cannot(label, report["why"], report["fix"])
        # Cloned, so that the memory is torch's own, aligned as for any other tensor.
        stored = {name: t.clone() for name, t in load((folder / "tensors.safetensors").read_bytes()).items()}
        return FileContents(
            tensors={name: stored[f"t{i}"] for i, name in enumerate(report["names"])},
            aliases=report["aliases"],
            repairs=tuple(report["repairs"]),
            oddities=tuple(report["oddities"]),
            facts=report["facts"],
            metadata=report["metadata"],
        )
    except (OSError, ValueError, KeyError, SafetensorError):
        raise _cannot(label, "The reader gave no usable answer.") from None
