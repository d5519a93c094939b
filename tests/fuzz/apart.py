"""Cases run one after another in a process that may break: what breaks it is known, and the next one starts anew."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ExplorerError

MOST_SECONDS = 10.0
MOST_BYTES = 1e9
_WAITING = 90.0  # by the clock: the machine may be busy, and what counts is what is computed
_ROOM = 6 * 2**30  # of addresses, so that a case that takes everything does not take the machine

Case = Callable[[int], str]


@dataclass(frozen=True)
class Outcome:
    """What became of a case: "opens", "warns", "refuses", or a violation with what broke; its computing and memory."""

    number: int
    what: str
    text: str = ""
    seconds: float = 0.0
    n_bytes: float = 0.0

    @property
    def is_allowed(self) -> bool:
        """Whether nothing but what may happen happened, within its limits."""
        return (
            self.what in ("opens", "warns", "refuses") and self.seconds <= MOST_SECONDS and self.n_bytes <= MOST_BYTES
        )


def outcomes(case: Case, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Of every number, in order. ``case`` says "opens" or "warns", or raises; it runs in a fork of this process."""
    left = list(numbers)
    while left:
        for outcome in _of_one_process(case, tuple(left)):
            left.remove(outcome.number)
            yield outcome


def _of_one_process(case: Case, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Those that one process came to; the last one may have ended it."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _work(case, numbers, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        for number in numbers:
            line = answers.readline() if _comes(answers) else None
            if line:
                yield Outcome(**json.loads(line))
                continue
            os.kill(process, signal.SIGKILL)
            status = os.waitpid(process, 0)[1]
            yield Outcome(number, "hangs" if line is None else f"ends the process with status {status}")
            return
    os.waitpid(process, 0)


def _comes(answers: object) -> bool:
    if answers.peek(1) if _is_ready(answers, 0.0) else b"":  # type: ignore[attr-defined]
        return True
    return _is_ready(answers, _WAITING)


def _is_ready(answers: object, seconds: float) -> bool:
    return bool(select.select([answers], [], [], seconds)[0])


def _work(case: Case, numbers: Sequence[int], writing: int) -> None:
    """In the fork: a line for each case, then the end."""
    os.setsid()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  until the process ends
    sys.stderr = open(os.devnull, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  as Python's own
    resource.setrlimit(resource.RLIMIT_AS, (_mapped() + _ROOM, resource.RLIM_INFINITY))
    for number in numbers:
        line = json.dumps(vars(_measured(case, number))).encode() + b"\n"
        while line:
            line = line[os.write(writing, line) :]
    os._exit(0)


def _measured(case: Case, number: int) -> Outcome:
    """A case with its computing and its memory, those of the processes it started included."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before, began = _resident("VmRSS"), _computed()
    what, text = _tried(case, number)
    return Outcome(number, what, text, _computed() - began, max(0.0, _resident("VmHWM") - before))


def _tried(case: Case, number: int) -> tuple[str, str]:
    try:
        return case(number), ""
    except ExplorerError as refusal:
        return "refuses", str(refusal)[:300]
    except BaseException as error:  # noqa: BLE001  it is what is looked for
        where = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        return "breaks", f"{type(error).__name__}: {str(error)[:200]} at {' '.join(where[-4:])}"


def _computed() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def wait_for(process: int, seconds: float) -> int | None:
    """The exit status of a child as subprocess says it, or None when it is still running after that long."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None
