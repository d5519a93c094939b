"""A sensitivity scan: what each layer costs if it alone is pruned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.sensitivity.cell import LEVELS, MODES, Cell, Mode, rising
from explorer.analysis.sensitivity.scan import scan, scan_size
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import number, one_of, optional, part, several, spec, text, whole
from explorer.text.names import model_name
from explorer.text.numbers import level as shown
from explorer.text.numbers import percent
from explorer.types import SplitName
from explorer.types.stopping import check


def levels(value: object) -> tuple[float, ...]:
    """The shares to prune to, each once and rising."""
    return tuple(rising(several(number())(value)))


def sample_count(value: object) -> int:
    """How many samples are taken: at least one."""
    if isinstance(value, int) and value < 1:
        raise ExplorerError(f"{value} samples are too few.", fix="Take at least one.")
    return whole(1)(value)


@dataclass(frozen=True)
class ScanRequest(TaskRequest[Cell]):
    """Prune every group (or those of ``layers``) alone to each of ``levels`` and measure it.

    Of ``spec`` the unit and the criterion count. ``mode``: "exact", "verified" or "estimate". Beyond ``max_drop``
    (a fraction) the higher levels of a group are left out. ``n_samples``: only the first of the split. Cells that the
    context's store holds are not measured again.
    """

    kind: ClassVar[str] = "scan"
    unit: ClassVar[str] = "cells"

    spec: PruneSpec = part(spec, PruneSpec())
    levels: tuple[float, ...] = part(levels, LEVELS)
    layers: tuple[str, ...] | None = part(optional(several(text)), None)
    mode: Mode = part(one_of(MODES), "exact")
    max_drop: float | None = part(optional(number(0.0)), None)
    split: SplitName = part(one_of(("fit", "tune", "test")), "tune")
    n_samples: int | None = part(optional(sample_count), None)
    seed: int = part(whole(0), 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "spec", PruneSpec(self.spec.granularity, self.spec.criterion))

    def title(self, context: Context) -> str:
        """ "sensitivity of digits-cnn"."""
        return f"sensitivity of {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """How many cells it has, those that are left out beyond ``max_drop`` among them."""
        return scan_size(context.model, levels=self.levels, layers=self.layers, scores=context.scores(self.spec))

    def run(self, context: Context) -> Iterator[Cell]:
        """The cells; one that takes long comes unfinished first and again when more is known."""
        self.size(context)  # what is refused is no look at the test split
        split, evaluator = context.look(self.split), None
        if self.split == "tune" and (self.n_samples is None or self.n_samples >= len(split)):
            evaluator = context.evaluator
        if evaluator is not None and context.backend is None:
            # The dense model first, batch by batch: the work can be stopped between any two.
            for _ in evaluator.run():
                check()
        yield from scan(
            context.model,
            context.dataset,
            self.spec,
            levels=self.levels,
            layers=self.layers,
            mode=self.mode,
            split=self.split,
            max_drop=self.max_drop,
            n_samples=self.n_samples,
            keep=context.cells,
            evaluator=evaluator,
            metric=context.metric if evaluator is None else None,
            device=context.device,
            seed=self.seed,
            scores=context.scores(self.spec),
            backend=context.backend,
        )

    def describe(self, result: Cell) -> str:
        """ "conv1 at 50%: 97.2%"."""
        return f"{result.group} at {percent(result.level, 0)}: {shown(result.accuracy)}"
