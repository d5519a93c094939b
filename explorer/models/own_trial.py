"""The user's own code tried out under a time limit: ``python -m explorer.models.own_trial FOLDER``.

The code is trusted, so this is no cage. It is a process that can be ended: a factory or a first pass that never
comes back, crashes Python or leaves by ``os._exit`` ends there, and the asker gets a sentence.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import torch

from explorer.errors import ExplorerError
from explorer.models.own_module import opened
from explorer.models.unsteady import disagreements
from explorer.types.files.reading.scratch import scratch

_BEGUN = b"."


def tried(address: str, arguments: Mapping[str, object], seconds: float) -> None:
    """Call the factory and run the module once, elsewhere. ExplorerError when that fails or takes longer.

    Nothing happens where another process could not do the same: a function of ``__main__`` or of a module
    without a file, or arguments that are no JSON. 0 seconds: no limit, and no trial.
    """
    asked = _asked(address, arguments)
    if not seconds or asked is None:
        return
    with scratch() as folder:
        (folder / "asked.json").write_text(asked, encoding="utf-8")
        status = _ended(address, folder, seconds)
        try:
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            logging.getLogger(__name__).exception("The trial of %s ended with status %s.", address, status)
            why = f"It ended by signal {-status}." if status < 0 else f"It ended with status {status}."
            what = f"{address} ended the process in which it was tried."
            raise ExplorerError(what, why=why, fix="Call it in Python to see where.") from None
    if report:
        logging.getLogger(__name__).error("%s\n%s", report["what"], report.get("trace", ""))
        raise ExplorerError(report["what"], why=report["why"], fix=report["fix"])


def _asked(address: str, arguments: Mapping[str, object]) -> str | None:
    place = address.partition(":")[0]
    module = sys.modules.get(place)
    if place == "__main__" or (module is not None and getattr(module, "__spec__", None) is None):
        return None
    try:
        return json.dumps({"address": address, "arguments": dict(arguments)})
    except (TypeError, ValueError):
        return None


def _ended(address: str, folder: Path, seconds: float) -> int:
    """The exit status of the trial; its time begins when Python and torch are loaded."""
    places = os.pathsep.join(place or os.getcwd() for place in sys.path)
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "explorer.models.own_trial", str(folder)],
        env={**os.environ, "PYTHONPATH": places},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            if process.stdout is not None:
                process.stdout.read(len(_BEGUN))
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise too_long(address, seconds) from None
        finally:
            _end(process)


def too_long(what: str, seconds: float) -> ExplorerError:
    """The refusal of the user's own code that does not come back."""
    return ExplorerError(
        f"{what} did not come back.",
        why=f"The factory and its first passes may take {seconds:g} s.",
        fix="Correct it, or allow more with --code-timeout SECONDS (in Python code_timeout=SECONDS; 0 is no limit).",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the trial with what it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass


def main(folder: str) -> None:
    """Try what ``asked.json`` names, and leave ``report.json``: empty, or the refusal."""
    place = Path(folder)
    asked = json.loads((place / "asked.json").read_text(encoding="utf-8"))
    sys.argv = sys.argv[:1]
    torch.set_num_threads(1)
    report: dict[str, str] = {}
    os.write(1, _BEGUN)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        own = opened(asked["address"], asked["arguments"])
        if own.example is not None:
            disagreements(own.module, own.example)  # it runs here again: what never comes back ends in this process
    except ExplorerError as error:
        report = {"what": error.what, "why": error.why, "fix": error.fix, "trace": traceback.format_exc()}
    (place / "report.part").write_text(json.dumps(report), encoding="utf-8")
    (place / "report.part").replace(place / "report.json")
    os._exit(0)  # threads that the code left behind would keep it alive


if __name__ == "__main__":
    main(sys.argv[1])
