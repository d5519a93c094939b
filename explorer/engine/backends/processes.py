"""Processes of this machine: workers of a folder of their own, which end with this process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from explorer.engine.backends.base import Backend, Piece, PieceJob, Result
from explorer.engine.backends.folder import SharedFolder
from explorer.engine.workers import n_cores
from explorer.errors import ExplorerError, clean

_MOST, _PATIENCE_S = 1024, 5.0
_ROOT = Path(__file__).parents[3]  # where the package of this process lies


@dataclass(frozen=True)
class Processes(Backend):
    """``n`` processes with one thread each; None: one for each core. One that dies is replaced."""

    key: ClassVar[str] = "processes"
    form: ClassVar[str] = "processes:N"

    n: int | None = None

    @classmethod
    def of(cls, place: str) -> Self:
        """Its number of processes, or nothing."""
        if not place:
            return cls()
        if not place.isdecimal() or not 1 <= int(place) <= _MOST:
            raise ExplorerError(f"{place!r} is no number of processes.", fix="Write processes, or processes:4.")
        return cls(int(place))

    def run(self, pieces: Sequence[Piece], job: PieceJob) -> Iterator[Result]:
        """The results, as the processes find them."""
        n = min(self.n or n_cores(), max(1, len(pieces)))
        trust_code = job.about.get("trust_code") is True  # asked for in this process, on this machine
        with tempfile.TemporaryDirectory(prefix="explorer-", ignore_cleanup_errors=True) as folder:
            children = _Children(Path(folder), n, trust_code)
            try:
                yield from SharedFolder(Path(folder), poll_s=0.02, on_look=children.look_after).run(pieces, job)
            finally:
                children.end()


class _Children:
    """The processes, begun and looked after by this one."""

    def __init__(self, folder: Path, n: int, trust_code: bool) -> None:
        self._folder, self._trust_code = folder, trust_code
        self._log = folder / "errors.log"
        self._children = [self._begin() for _ in range(n)]

    def look_after(self) -> None:
        """Put a new one in the place of each that has died; its piece is tried again by one of them."""
        for at, child in enumerate(self._children):
            if child.poll() is None:
                continue
            if not any((self._folder / "jobs").glob("*/leases/*")):  # it was not a piece that it died of
                text = self._log.read_text(encoding="utf-8", errors="replace").strip()
                why = clean(text.splitlines()[-1], 300) if text else f"Its exit status is {child.returncode}."
                raise ExplorerError("A process for pieces could not be started.", why=why, fix="Use --backend threads.")
            self._children[at] = self._begin()

    def end(self) -> None:
        """End them all; whoever does not go is killed."""
        for child in self._children:
            with suppress(OSError):
                child.terminate()
        for child in self._children:
            try:
                child.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin is not None:
                child.stdin.close()

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "explorer", "worker", str(self._folder), "--threads", "1", "--poll", "0.02"]
        command += ["--with-parent", *(["--trust-code"] if self._trust_code else [])]
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # it ends with this process
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **one_thread, "PYTHONPATH": path},
                start_new_session=True,  # an interrupt in the terminal is for this process, which ends them
            )
