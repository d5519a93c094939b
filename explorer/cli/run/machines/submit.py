"""``submit``: ask a cluster for workers of a shared folder."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.errors import ExplorerError, clean
from explorer.store.atomic import cannot_write, write_text

_TIME = re.compile(r"[0-9-]{1,4}(:?[0-9]{1,4}){0,3}")
_PARTITION = re.compile(r"[\w.,-]{1,200}")
_PATIENCE_S = 60


def run(args: Arguments) -> int:
    """Write the script beside the queue, and submit it where ``sbatch`` is."""
    folder = Path(args.folder).expanduser().absolute()
    text = script(args, folder)
    path = folder / "workers.sbatch"
    try:
        (folder / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    write_text(path, text)
    sbatch = None if args.write_only else shutil.which("sbatch")
    answer = None if sbatch is None else _submitted(sbatch, path)
    if args.json:
        printing.say_json({"script": str(path), "submitted": answer is not None, "answer": answer})
        return 0
    what = answer or (
        "It was not submitted." if args.write_only else "There is no sbatch here: submit it where there is."
    )
    printing.say(printing.clean_terminal(f"{path} is written. {what}"))
    printing.say(
        printing.clean_terminal(f"Then start the work: python -m explorer scan MODEL --backend folder:{folder}")
    )
    return 0


def script(args: Arguments, folder: Path) -> str:
    """The script: an array of workers, each of which goes when nothing is left, and is told before its time is over."""
    if not str(folder).isprintable() or '"' in str(folder):
        raise ExplorerError(f"{clean(str(folder))} cannot be named in a script.", fix="Choose a plain name.")
    if not _TIME.fullmatch(args.time):
        raise ExplorerError(f"{args.time!r} is no time of Slurm.", fix="Write --time 02:00:00, or 1-00:00:00.")
    if args.partition is not None and not _PARTITION.fullmatch(args.partition):
        raise ExplorerError(f"{args.partition!r} is no partition.", fix="Write --partition NAME.")
    options = {
        "job-name": "explorer",
        "array": f"0-{args.array - 1}",
        "cpus-per-task": args.cpus,
        "gpus-per-task": args.gpus,
        "ntasks": 1,
        "time": args.time,
        "partition": args.partition,
        "output": f'"{folder}/logs/%A_%a.log"',
        "signal": "B:TERM@30",
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", "explorer", "worker", str(folder)]
    command += ["--threads", str(args.cpus), "--idle", str(args.idle)]
    return "\n".join(["#!/bin/bash", *lines, f"exec {shlex.join(command)}", ""])


def _submitted(sbatch: str, path: Path) -> str:
    try:
        done = subprocess.run([sbatch, str(path)], capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExplorerError(
            "sbatch gave no answer.", why=clean(str(error), 300), fix=f"Submit {path} yourself."
        ) from None
    if done.returncode != 0:
        why = clean(done.stderr.strip(), 300) or f"Its exit status is {done.returncode}."
        raise ExplorerError("sbatch refused the script.", why=why, fix=f"Change {path}, or the flags, and try again.")
    return f"{clean(done.stdout.strip(), 300)}."
