"""The parser of every command, and the flags that commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NoReturn, Self

from explorer.cli.flags.members import forms, keys
from explorer.errors import ExplorerError
from explorer.params import numerals
from explorer.store.log_file import LEVELS, NAME, USUAL

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_LISTS = ("--mean", "--std", "--ratios", "--sparsities", "--levels", "--grid", "--shares")


# As models.load has it; importing that here would load torch for --help.
CODE_SECONDS = 120.0


class Arguments(argparse.Namespace):
    """What was said on the command line; a command reads the flags that it declared."""

    command: str


@dataclass(frozen=True)
class Flags:
    """Values of flags that belong together; those that a command does not declare have the defaults of the fields."""

    @classmethod
    def of(cls, args: Arguments) -> Self:
        """What was written on the command line."""
        written = vars(args)
        return cls(**{field.name: written[field.name] for field in fields(cls) if field.name in written})


class Parser(argparse.ArgumentParser):
    """Mistakes are one sentence with the way out, as everywhere in the explorer."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into a refusal."""
        raise ExplorerError(f"{message[0].upper()}{message[1:]}.", fix=f"See {self.prog} --help.")


def joined_numbers(argv: Sequence[str]) -> list[str]:
    """``--mean 0.4 0.5 0.6`` and ``--mean 0.4,0.5,0.6`` mean the same, also before a MODEL."""
    out: list[str] = []
    rest = list(argv)
    while rest:
        flag = rest.pop(0)
        numbers = []
        while flag in _LISTS and rest and all(map(_NUMBER.fullmatch, rest[0].split(","))):
            numbers.append(rest.pop(0))
        out.append(f"{flag}={','.join(numbers)}" if numbers else flag)
    return out


def add_log_level(parser: Parser) -> None:
    """What of the explorer's own work the log file holds; on every command."""
    text = f"what {NAME} in the data folder holds of refusals and bugs: {', '.join(LEVELS)} (default: {USUAL})"
    parser.add_argument("--log-level", choices=LEVELS, default=USUAL, metavar="LEVEL", help=text)


def whole(text: str) -> int:
    """A whole number from 0 on."""
    try:
        return numerals.whole(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{numerals.short(text)} is not a whole number from 0 on") from None


def real(text: str) -> float:
    """A finite number."""
    try:
        return numerals.real(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{numerals.short(text)} is not a number") from None


def seconds(text: str) -> float:
    """A time from 0 to a day."""
    try:
        return numerals.real(text, 0, 86_400)
    except ValueError:
        problem = f"{numerals.short(text)} is not a number of seconds from 0 to 86400"
        raise argparse.ArgumentTypeError(problem) from None


def add_model(parser: Parser) -> None:
    """MODEL and how to read it."""
    parser.add_argument("model", metavar="MODEL", help=f"{forms('model source')}; of bundled ones, e.g. digits-cnn")
    add_reading(parser)


def add_reading(parser: Parser) -> None:
    """How a model is read."""
    group = parser.add_argument_group("reading the model")
    group.add_argument("--arch", metavar="A", help=f"architecture of a weight file: {', '.join(keys('architecture'))}")
    group.add_argument("--trust-code", action="store_true", help="let package.module:factory run your own code")
    text = "let a model that is named by its id (hf:org/name) be downloaded where it is not on this machine"
    group.add_argument("--allow-download", action="store_true", help=text)
    text = "give up own code that does not come back after so long (default: 120; 0: never)"
    group.add_argument("--code-timeout", type=seconds, default=CODE_SECONDS, metavar="SECONDS", help=text)


def add_against(parser: Parser) -> None:
    """The dense model that MODEL was made from."""
    text = "the dense model that MODEL was made from, where its file does not say so or it is elsewhere now"
    parser.add_argument("--against", dest="parent", metavar="PARENT", help=text)


def add_metric(parser: Parser) -> None:
    """The metric in the place of accuracy."""
    text = "measured in the place of accuracy, with its own direction; of those that suit the model (see evaluate -h)"
    parser.add_argument("--metric", choices=keys("metric"), metavar="NAME", help=text)


def add_common(parser: Parser) -> None:
    """What every command takes that opens a model, so that a script may give all of them the same flags."""
    group = parser.add_argument_group("everywhere")
    group.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")
    group.add_argument("--data", metavar="D", help=f"{forms('data source')}; else what the model is for")
    group.add_argument("--device", default="cpu", metavar="DEV", help="where to compute (default: cpu)")
    group.add_argument("--seed", type=whole, default=0, metavar="N", help="seed of every random choice (default: 0)")


def add_backend(parser: Parser) -> None:
    """Where the pieces of a long work are measured."""
    text = f"{forms('back end')}; else this process. The numbers are the same everywhere"
    parser.add_argument("--backend", metavar="B", help=f"where it is measured: {text}")


def add_stream(parser: Parser) -> None:
    """Whether weights are read piece by piece."""
    text = "read a safetensors file or a folder of them piece by piece: for checkpoints larger than memory"
    parser.add_argument("--stream", action="store_true", help=text)


def add_data(parser: Parser, *, samples: bool = True) -> None:
    """How to read the data; without ``samples`` for a command that has a flag of its own of this name."""
    group = parser.add_argument_group("reading the data")
    group.add_argument("--size", metavar="PX", help="edge of a picture in pixels, e.g. 32")
    group.add_argument("--mean", metavar="M,M,M", help="subtracted from each channel, e.g. 0.5,0.5,0.5")
    group.add_argument("--std", metavar="S,S,S", help="each channel is divided by it")
    group.add_argument("--splits", metavar="F/T/T", help="shares for fit/tune/test, e.g. 0.5/0.25/0.25")
    if samples:
        text = "at most the first N of tune and of test, a stratified part (default: all)"
        group.add_argument("--samples", dest="data_samples", type=whole, metavar="N", help=text)
    text = "what labels in arrays are, where the guess is wrong"
    group.add_argument(
        "--task", choices=("classes", "binary", "labels", "numbers", "tokens", "mask", "embedding"), help=text
    )
