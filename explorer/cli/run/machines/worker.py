"""``worker``: take pieces of work from a shared folder."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import torch

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.engine.backends.base import Allowed, performer
from explorer.engine.backends.queue import BEAT_S, Queue
from explorer.engine.backends.worker import Terms, Worker
from explorer.errors import ExplorerError


def run(args: Arguments) -> int:
    """Work until nothing has come for long, or until somebody stops it; a piece under way goes back then."""
    folder = Path(args.folder).expanduser().absolute()
    if not folder.is_dir():
        why = "There is no such folder on this machine."
        raise ExplorerError(
            f"{folder} cannot be worked for.", why=why, fix="Create it, on a disk that all machines see."
        )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster asks this way
    if args.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    terms = Terms(args.idle, args.poll, args.lease, min(BEAT_S, args.lease / 4))
    allowed = Allowed(args.trust_code, args.allow_download, args.threads)
    worker = Worker(Queue(folder), performer(allowed), terms, lambda text: printing.note(printing.clean_terminal(text)))
    printing.note(printing.clean_terminal(f"{worker.name} works for {folder}; Ctrl-C ends it."))
    n = worker.work()
    printing.note(f"{n} pieces done.")
    return 0


def _end_with_parent() -> None:
    """Its standard input ends when the parent does, however it ended."""
    while os.read(0, 4096):  # not through a buffer, whose lock would be held while Python ends
        pass
    os._exit(1)  # not even a forward pass that never comes back may outlive it
