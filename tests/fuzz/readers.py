"""Reading processes that need not load Python and torch first: forks of this one, under the same limits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import explorer.types.files.reading.__main__ as reading
from explorer.types.files.reading import launch
from tests.fuzz.apart import wait_for


@contextmanager
def forked() -> Iterator[None]:
    """Within it, whatever is read apart is read by a fork."""
    started = launch.subprocess
    launch.subprocess = SimpleNamespace(  # type: ignore[assignment]
        run=_run, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired
    )
    try:
        yield
    finally:
        launch.subprocess = started  # type: ignore[assignment]


def _run(command: Sequence[str], *, cwd: Any, env: Mapping[str, str], timeout: float, **options: Any) -> Any:
    process = os.fork()
    if process == 0:
        _become_reader(command[command.index("explorer.types.files.reading") + 1 :], cwd, env)
    status = wait_for(process, timeout)
    if status is None:
        raise subprocess.TimeoutExpired(list(command), timeout)
    return SimpleNamespace(returncode=status)


def _become_reader(arguments: Sequence[str], cwd: Any, env: Mapping[str, str]) -> None:
    try:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        os._exit(reading.main(arguments))
    except BaseException:  # noqa: BLE001  Python ends with this status, too
        os._exit(1)
