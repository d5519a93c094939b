"""What was asked of a data source, checked once for all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.params.numerals import real, short, whole
from explorer.types import LoadedModel
from explorer.types.files import paths
from explorer.types.tasks import STATED_TASKS, StatedTask

Size = int | str | None
Numbers = float | str | Sequence[float] | None

MAX_BYTES = 4 * 2**30


@dataclass(frozen=True)
class DataOptions:
    """What may be said of data beside their address, as it was given; :func:`explorer.data.load` says what each is."""

    size: Size = None
    mean: Numbers = None
    std: Numbers = None
    splits: Numbers = None
    seed: int = 0
    task: str | None = None
    classes: Sequence[str] | int | None = None
    samples: int | None = None


class DataKeywords(TypedDict, total=False):
    """The same as keywords of a call, for type checkers."""

    size: Size
    mean: Numbers
    std: Numbers
    splits: Numbers
    seed: int
    task: str | None
    classes: Sequence[str] | int | None
    samples: int | None


@dataclass(frozen=True)
class DataRequest:
    """An address with its options. ``place`` is what follows the first colon."""

    address: str
    place: str
    model: LoadedModel | None = None
    size: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    splits: tuple[float, float, float] | None = None
    seed: int = 0
    task: StatedTask | None = None

    def from_model(self, name: str) -> Any:
        """What the model's description says about its inputs, or None."""
        return None if self.model is None else self.model.meta.get(name)

    @property
    def path(self) -> Path:
        """The real path of ``place``; ExplorerError when nothing is there, or it may not be opened."""
        if not self.place.strip():
            raise ExplorerError(f"{self.address!r} names no place.", fix=f"Write {self.address.split(':')[0]}:PATH.")
        return paths.real(self.place)

    def normalisation(self, n_channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation for each channel: asked for, else the model's, else 0 and 1."""
        mean = _per_channel("mean", self.mean or self.from_model("mean") or (0.0,), n_channels)
        std = _per_channel("std", self.std or self.from_model("std") or (1.0,), n_channels)
        if min(std) <= 0:
            raise ExplorerError(f"std = {min(std):g} cannot divide.", fix="Give a std above 0 for every channel.")
        return mean, std


def _per_channel(name: str, values: Sequence[float], n_channels: int) -> tuple[float, ...]:
    if len(values) not in (1, n_channels):
        raise ExplorerError(
            f"{name} has {len(values)} numbers for {n_channels} channel(s).",
            fix=f"Give one number, or {n_channels}, separated by commas.",
        )
    return tuple(float(v) for v in values) * (n_channels if len(values) == 1 else 1)


def normalise(x: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(n, c, ...) -> (x - mean) / std with one mean and std per channel, as float32."""
    shape = (1, -1, *(1,) * (x.dim() - 2))
    return x.float().sub(torch.tensor(mean).view(shape)).div_(torch.tensor(std).view(shape)).contiguous()


def numbers(name: str, value: Numbers) -> tuple[float, ...] | None:
    """One or more finite numbers out of a number, a list, or text with commas or slashes."""
    if value is None:
        return None
    parts = re.split(r"[,/\s]+", value.strip(" []()")) if isinstance(value, str) else value
    try:
        out = tuple(real(p) for p in ([parts] if isinstance(parts, int | float) else parts))
    except (TypeError, ValueError):
        out = ()
    if not out:
        fix = f"Write {name} as 0.5 or 0.5,0.4,0.3."
        raise ExplorerError(f"{name} = {short(value)} is not a list of numbers.", fix=fix)
    return out


def shares(value: Numbers) -> tuple[float, float, float] | None:
    """The three shares fit, tune and test; they add up to 1."""
    parts = numbers("splits", value)
    if parts is None:
        return None
    if len(parts) != 3 or min(parts) < 0 or abs(sum(parts) - 1) > 1e-6:
        raise ExplorerError(
            f"splits = {short(value)} does not divide the data.",
            why="It needs three shares, fit/tune/test, that add up to 1.",
            fix='Write it as "0.5/0.25/0.25".',
        )
    return parts[0], parts[1], parts[2]


def square(value: Size) -> int | None:
    """The edge of a square picture in pixels."""
    if value is None or value == "":
        return None
    try:
        return whole(value, 1, 4096)
    except ValueError:
        fix = "Give the edge in pixels, from 1 to 4096."
        raise ExplorerError(f"size = {short(value)} is not a size.", fix=fix) from None


def stated_task(value: str | None) -> StatedTask | None:
    """What the labels are, where the user says it."""
    if not value:
        return None
    for task in STATED_TASKS:
        if task == value:
            return task
    raise ExplorerError(f"task = {short(value)} is not a task.", fix=f"Give one of: {', '.join(STATED_TASKS)}.")


def refuse_task(request: DataRequest, *, but: StatedTask | None, what: str) -> None:
    """Refuse a stated task that data of this kind cannot have; ``what`` they hold."""
    if request.task not in (None, but) and not (request.task == "binary" and but == "classes"):
        fix = "Leave task out, or save arrays for npz:PATH."
        raise ExplorerError(f"{request.address} cannot be read as {request.task}.", why=what, fix=fix)


def unusable(request: DataRequest, why: str, fix: str) -> ExplorerError:
    """The refusal of a file that does not hold what is needed."""
    name = repr(request.path.name) if request.place else "The data at hand"
    return ExplorerError(f"{name} cannot be used as data.", why=why, fix=fix)


def check_total(n_bytes: int, address: str) -> None:
    """Refuse data that would not fit into memory, before any of it is loaded."""
    if n_bytes > MAX_BYTES:
        raise ExplorerError(
            f"{address} would take {n_bytes / 2**30:.1f} GiB of memory.",
            why=f"At most {MAX_BYTES / 2**30:.0f} GiB are loaded.",
            fix="Use fewer samples or a smaller size.",
        )
