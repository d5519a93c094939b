"""The side of a worker: model and data of a job, opened by their addresses and verified by their digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from explorer import data, models
from explorer.analysis.arguments import asked_for, split_of
from explorer.analysis.pieces.handing import worker_versions
from explorer.engine.backends.base import Allowed
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError, clean
from explorer.models.request import CODE_SECONDS
from explorer.params.numerals import short
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Scores, SplitName
from explorer.types.aliases import JsonObject

T = TypeVar("T")
SPLITS: tuple[SplitName, ...] = ("fit", "tune", "test")


class OpenedJob:
    """One job's model and data, and what of them is needed for every piece. Raises ExplorerError for others."""

    def __init__(self, about: JsonObject, allowed: Allowed) -> None:
        self._threads = allowed.threads
        self.device, self.metric = text(about, "device"), about.get("metric")
        _check_versions(part(about, "versions"))
        _check_device(self.device)
        self.model = _model(part(about, "model"), allowed)
        self.data = _data(part(about, "data"), self.model)
        self._evaluators: dict[tuple[str, int], Evaluator] = {}
        self._scores: dict[str, Scores] = {}

    def evaluator(self, name: SplitName, n: int | None = None) -> Evaluator:
        """One for these samples, which knows the dense model's answers for all pieces."""
        split = split_of(self.data, name).first(n)
        key = (name, len(split))
        if key not in self._evaluators:
            asked = asked_for(metric=None if self.metric is None else str(self.metric))
            self._evaluators[key] = Evaluator(
                self.model, split, device=self.device, threads=self._threads, memory_limit=0, asked=asked
            )
        return self._evaluators[key]

    def scores(self, spec: PruneSpec) -> Scores:
        """The scores of this unit and criterion; those of earlier pieces are remembered."""
        key = PruneSpec(spec.granularity, spec.criterion).digest
        if key not in self._scores:
            self._scores.clear()  # of large models those of one method are enough
            self._scores[key] = score(self.model, spec, self.data)
        return self._scores[key]


def text(data: JsonObject, name: str) -> str:
    """A text of a JSON object that may come from anywhere."""
    value = data.get(name)
    if not isinstance(value, str):
        raise ExplorerError(f"This piece of work has no {name}.", fix="Submit the work again.")
    return value


def part(data: JsonObject, name: str) -> JsonObject:
    """An object in a JSON object that may come from anywhere."""
    value = data.get(name)
    if not isinstance(value, Mapping):
        raise ExplorerError(f"This piece of work has no {name}.", fix="Submit the work again.")
    return value


def split_name(about: JsonObject) -> SplitName:
    """Which split a piece is measured on."""
    name = next((split for split in SPLITS if split == about.get("split")), None)
    if name is None:
        raise ExplorerError("This piece of work names no split.", fix="Submit the work again.")
    return name


def number(read: Callable[[object], T], value: object) -> T:
    """A number of a piece of work that may come from anywhere, as ``read`` takes it."""
    try:
        return read(value)
    except ValueError:
        raise ExplorerError(f"{short(value)} is no number for this work.", fix="Submit the work again.") from None


def _check_versions(theirs: JsonObject) -> None:
    for name, ours in worker_versions().items():
        if theirs.get(name) != ours:
            what = f"This worker has {name.replace('_', ' ')} {ours}, and {clean(str(theirs.get(name)))} is asked for."
            raise ExplorerError(what, why="Numbers may depend on it.", fix="Install the same versions everywhere.")


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise ExplorerError(f"This worker has no {clean(device)}.", fix="Start it where there is one.") from None


def _model(about: JsonObject, allowed: Allowed) -> LoadedModel:
    """The model at the address; a weight file gets its architecture only where it does not say that itself."""
    address, identity, arch = text(about, "address"), text(about, "identity"), about.get("arch")
    model = _load(address, None, {}, allowed)
    if model.module is None and model.identity != identity and isinstance(arch, str):
        arguments = about.get("arch_args")
        model = _load(address, arch, arguments if isinstance(arguments, Mapping) else {}, allowed)
    if model.identity != identity:
        what = f"{clean(address)} is another model here."
        why = f"Its identity is {model.identity}, and {clean(identity)} is asked for."
        raise ExplorerError(what, why=why, fix="Give all machines the same file.")
    return model


def _load(address: str, arch: str | None, arguments: JsonObject, allowed: Allowed) -> LoadedModel:
    return models.load(
        address,
        arch=arch,
        arch_args=arguments or None,
        trust_code=allowed.trust_code,
        code_timeout=CODE_SECONDS,
        allow_download=allowed.allow_download,
    )


def _data(about: JsonObject, model: LoadedModel) -> Dataset:
    address, digest = text(about, "address"), text(about, "digest")
    options = part(about, "options")
    unknown = set(options) - {"size", "mean", "std", "splits", "seed", "task", "classes", "samples"}
    if unknown:
        raise ExplorerError(f"Data are not read with {clean(min(unknown))}.", fix="Submit the work again.")
    dataset = data.load(address, model=model, **options)  # type: ignore[misc]
    if dataset.digest != digest:
        what = f"{clean(address)} holds other data here."
        why = f"Their digest is {dataset.digest}, and {clean(digest)} is asked for."
        raise ExplorerError(what, why=why, fix="Give all machines the same data.")
    return dataset
