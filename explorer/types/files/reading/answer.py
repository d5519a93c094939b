"""What a reading process answers, which is believed no more than the file that it read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

REPORT = "report.json"
MAX_REPORT_BYTES = 256 * 2**20
MAX_SENTENCE = 2000

T = TypeVar("T")
Fact = str | int | float


class UnusableError(ValueError):
    """The answer is not of the form that was agreed on."""


def write_report(folder: Path, answer: Mapping[str, object]) -> None:
    """Leave an answer; names of files may hold anything, so it is written as plain ASCII."""
    (folder / REPORT).write_text(json.dumps(answer), encoding="ascii")


def report_in(folder: Path) -> dict[str, object]:
    """The answer left in a folder; UnusableError when there is none."""
    path = folder / REPORT
    try:
        if path.is_symlink() or path.stat().st_size > MAX_REPORT_BYTES:
            raise UnusableError("the report is no file of acceptable size")
        report = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableError("the report cannot be read") from error
    if not isinstance(report, dict):
        raise UnusableError("the report is no object")
    return report


def refusal_in(report: Mapping[str, object]) -> tuple[str, str] | None:
    """(why, what to do) where the reader refused; None where it read the file."""
    if "why" not in report:
        return None
    return text(report["why"])[:MAX_SENTENCE], text(report.get("fix"))[:MAX_SENTENCE]


def text(value: object) -> str:
    """The value, which must be text."""
    if not isinstance(value, str):
        raise UnusableError("a text is none")
    return value


def whole(value: object) -> int:
    """The value, which must be a whole number from 0."""
    if type(value) is not int or not 0 <= value < 2**53:
        raise UnusableError("a number is none")
    return value


def texts(value: object) -> tuple[str, ...]:
    """The value, which must be a list of texts."""
    return tuple(text(item) for item in items(value))


def items(value: object) -> list[object]:
    """The value, which must be a list."""
    if not isinstance(value, list):
        raise UnusableError("a list is none")
    return value


def entries(value: object) -> dict[str, object]:
    """The value, which must be an object."""
    if not isinstance(value, dict):
        raise UnusableError("an object is none")
    return value


def facts(value: object) -> dict[str, Fact]:
    """The value, which must be an object of numbers and short texts."""
    plain: dict[str, Fact] = {}
    for name, fact in entries(value).items():
        # NaN and infinity are facts, too: a loss that diverged.
        if not isinstance(fact, str | int | float) or (type(fact) is int and abs(fact) >= 2**63):
            raise UnusableError("a fact is none")
        plain[name] = fact
    return plain


def shape(value: object, most: int = 16) -> tuple[int, ...]:
    """The value, which must be the sizes of an array that memory can address."""
    sizes = tuple(whole(size) for size in items(value))
    if len(sizes) > most or math.prod(sizes) >= 2**53:
        raise UnusableError("a shape is none")
    return sizes
