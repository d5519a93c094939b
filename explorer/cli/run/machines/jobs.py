"""``jobs``: what a shared folder holds."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.engine.backends.queue import JobFolder, Queue
from explorer.errors import ExplorerError
from explorer.types.aliases import JsonDict

_LOOK_S = 1.0
_HEAD = ("job", "state", "done", "under way", "set aside", "what")


def run(args: Arguments) -> int:
    """List, watch until all have ended, cancel or remove."""
    folder = Path(args.folder).expanduser().absolute()
    if not folder.is_dir():
        raise ExplorerError(f"There is no folder {folder}.", fix="Give the one of --backend folder:FOLDER.")
    queue = Queue(folder)
    if args.action in ("cancel", "remove"):
        _end(_named(queue, args.job, args.action), args.action)
    elif args.job is not None:
        raise ExplorerError(f"{args.action} takes no JOB.", fix=f"Leave {args.job} out.")
    elif args.action == "watch":
        _watch(queue)
    _say(args, queue)
    return 0


def _say(args: Arguments, queue: Queue) -> None:
    rows, workers = [job_json(job) for job in Queue(queue.path).jobs()], queue.workers()
    if args.json:
        printing.say_json({"folder": str(queue.path), "jobs": rows, "workers": workers})
        return
    cells = [
        (
            row["job"][:8],
            row["state"],
            f"{row['done']} of {row['pieces']}",
            row["under_way"],
            row["set_aside"],
            row["what"],
        )
        for row in rows
    ]
    printing.say(*(printing.table(_HEAD, cells, left=2) if rows else ["This folder holds no job."]))
    for row in rows:
        lines = [*row["errors"].values(), *(f"{name}: {why}" for name, why in row["refusals"].items())]
        printing.say(*(printing.clean_terminal(f"{row['job'][:8]}: {line}") for line in dict.fromkeys(lines)))
    names = ", ".join(str(worker.get("worker")) for worker in workers)
    printing.say("", printing.clean_terminal(f"Workers: {names or 'none'}."))


def job_json(job: JobFolder) -> JsonDict:
    """How far a job is, JSON-able."""
    state = job.state()
    ended = "done" if job.is_marked("done") else "cancelled" if job.is_marked("cancelled") else ""
    return {
        "job": job.name,
        "what": job.title,
        "state": ended or ("running" if state.leased else "complete" if state.is_over else "waiting"),
        "pieces": len(state.pieces),
        "done": len(state.results),
        "under_way": len(state.leased),
        "set_aside": len(state.aside),
        "errors": dict(state.aside),
        "refusals": job.refusals(),
    }


def _named(queue: Queue, name: str | None, action: str) -> JobFolder:
    jobs = [job for job in queue.jobs() if name and job.name.startswith(name)]
    if len(jobs) != 1:
        what = (
            "No job was named."
            if not name
            else f"{'No job' if not jobs else 'More than one job'} begins with {name!r}."
        )
        raise ExplorerError(what, fix=f"Write jobs FOLDER {action} and the beginning of a name that jobs FOLDER lists.")
    return jobs[0]


def _end(job: JobFolder, action: str) -> None:
    if action == "cancel":
        job.mark("cancelled")
        return
    if not job.is_marked("done") and not job.is_marked("cancelled"):
        raise ExplorerError(f"{job.title} is not over.", fix=f"Cancel it first: jobs FOLDER cancel {job.name[:8]}.")
    shutil.rmtree(job.path, ignore_errors=True)


def _watch(queue: Queue) -> None:
    with printing.Progress("watching") as progress:
        while active := [row for job in queue.jobs() if (row := job_json(job))["state"] in ("running", "waiting")]:
            parts = (f"{row['what']}: {row['done']} of {row['pieces']}" for row in active)
            progress.show(printing.clean_terminal("; ".join(parts)))
            time.sleep(_LOOK_S)
