"""The command line. A command is its flags and its work, in ``flags`` and ``run``, and a line here."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Protocol

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_log_level, joined_numbers
from explorer.cli.flags import (
    activations,
    advise,
    app,
    check,
    compare,
    criteria,
    evaluate,
    export,
    inspect,
    lesson,
    prune,
    quantize,
    recover,
    runs,
    scan,
    search,
    sweep,
    train,
)
from explorer.cli.flags.machines import jobs, submit, worker
from explorer.errors import ExplorerError, out_of_memory
from explorer.store import log_file

DONE, REFUSED, STOPPED = 0, 2, 130


class Command(Protocol):
    """What the file of a command's flags offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: Parser) -> None:
        """Declare the flags of this command."""
        ...


COMMANDS: tuple[Command, ...] = (
    app,
    inspect,
    advise,
    evaluate,
    check,
    compare,
    prune,
    export,
    quantize,
    activations,
    scan,
    criteria,
    sweep,
    search,
    train,
    recover,
    runs,
    worker,
    submit,
    jobs,
    lesson,
)
_FOLDERS = {
    "worker": "machines.",
    "submit": "machines.",
    "jobs": "machines.",
    "train": "training.",
}  # of work that lies in one of its own


# Of 100,000 tensors come millions of objects that stay: looking for garbage among them took a third of the time.
_GARBAGE_THRESHOLDS = (50_000, 20, 20)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. The exit status: 0 done, 1 findings, 2 usage or refused input, 3 cannot tell, 130 interrupted.

    Mistakes of the user come out as one line on standard error, never as a traceback; the log file has the trace of
    what led to them, and that of our own bugs, which Python prints as well.
    """
    try:
        args = parser().parse_args(joined_numbers(sys.argv[1:] if argv is None else argv), Arguments())
        log_file.start(args.log_level)
        with printing.standard_output_for_results() if getattr(args, "trust_code", False) else nullcontext():
            status = work_of(args.command)(args)
        sys.stdout.flush()
        return status
    except ExplorerError as error:
        logging.getLogger(__name__).info("Refused: %s", error, exc_info=True)
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        return REFUSED
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return STOPPED
    except BrokenPipeError:
        # The reader (head, less) has gone; without this Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        logging.getLogger(__name__).exception("The command ended with an error.")
        if (refusal := out_of_memory(error)) is None:
            raise
        sys.stderr.write(f"{refusal}\n")
        return REFUSED


def parser() -> Parser:
    """The parser of all commands."""
    top = Parser(
        prog="python -m explorer",
        description="Prune a neural network, and measure at once what it costs.",
        epilog="python -m explorer COMMAND --help tells the flags of one command.",
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(sub)
        add_log_level(sub)
    return top


def work_of(command: str) -> Callable[[Arguments], int]:
    """What runs a command and gives the exit status; imported only now, so that help never waits for torch."""
    work: Callable[[Arguments], int] = import_module(f"explorer.cli.run.{_FOLDERS.get(command, '')}{command}").run
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    return work
