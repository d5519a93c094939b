"""A small measured picture for each method, made while the pages are built, on networks that are included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import log2

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.metrics.origin import machine, today
from explorer.recovery.schedules import sparsity_at
from explorer.types import Dataset, LoadedModel, TradeOffPoint

RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
# Units of each network that a criterion is tried on, until it applies.
_TRIALS = (
    ("digits-cnn", "weight"),
    ("digits-resnet", "out_channel"),
    ("digits-vit", "head"),
    ("digits-resnet", "depth"),
)
_FOR_UNITS = ("digits-cnn", "digits-resnet", "digits-vit", "digits-gru")
_LEFT, _TOP, _WIDTH, _HEIGHT = 44, 12, 400, 180


@dataclass(frozen=True)
class Measured:
    """The curve of a method beside that of chance, and what they are of."""

    model: str
    spec: ex.PruneSpec
    points: tuple[TradeOffPoint, ...]
    control: tuple[TradeOffPoint, ...]

    def markdown(self) -> str:
        """The picture, what it is of, and its numbers."""
        accuracy = self.points[0].accuracy
        spec = self.spec
        setting = f"`{self.model}`, {accuracy.n} tune images, `{spec.granularity.key}` by `{spec.criterion.key}`, "
        setting += f"`{spec.allocation.key}`"
        origin = f"As pruned, without training: {setting}. Measured on {today()}, {machine()}."
        shades = "Shaded: 95 % intervals. Dashed: random pruning under the same allocation."
        return f"{self._svg()}\n\n{origin} {shades} It holds for this network and these data alone.\n\n{self._table()}"

    def _svg(self) -> str:
        band = [(p.compression_ratio, p.accuracy.high or 0.0) for p in self.points]
        band += [(p.compression_ratio, p.accuracy.low or 0.0) for p in reversed(self.points)]
        inside = f'<polygon class="band" points="{_path(band)}"/>'
        inside += f'<polyline class="control" points="{_path(_curve(self.control))}"/>'
        inside += f'<polyline class="method" points="{_path(_curve(self.points))}"/>'
        words = "Accuracy against compression ratio; the numbers are in the table below."
        return _svg(words, inside, [(f"{ratio:g}×", _x(ratio)) for ratio in (1, 2, 4, 8)])

    def _table(self) -> str:
        head = "| compression ratio | accuracy | 95 % interval |\n|---|---|---|\n"
        return head + "\n".join(
            f"| {p.compression_ratio:.2f}× | {p.accuracy.value:.1%} | {p.accuracy.low:.1%} to {p.accuracy.high:.1%} |"
            for p in self.points
        )


def measured(folder: str, key: str) -> Measured | None:
    """The curve of a member, on the first network that it applies to; None where there is none."""
    for model, spec in _requests(folder, key):
        try:
            return Measured(model, spec, _points(model, spec), _points(model, _random(spec)))
        except ex.ExplorerError:  # it does not apply there: the next one
            continue
    return None


def _requests(folder: str, key: str) -> Iterator[tuple[str, ex.PruneSpec]]:
    if folder == "criteria":
        for model, unit in _TRIALS:
            yield model, ex.PruneSpec(unit, key, "uniform" if unit != "weight" else "global")
    elif folder == "granularities":
        for model in _FOR_UNITS:
            yield model, ex.PruneSpec(key, "lp_norm:p=1", "uniform")
    elif folder == "allocations" and key in ("uniform", "global", "erk"):
        yield "digits-cnn", ex.PruneSpec("weight", "lp_norm:p=1", key)


def _random(spec: ex.PruneSpec) -> ex.PruneSpec:
    return ex.PruneSpec(spec.granularity, "random", spec.allocation)


@cache
def _points(model: str, spec: ex.PruneSpec) -> tuple[TradeOffPoint, ...]:
    loaded, data, evaluator = _opened(model)
    scores = ex.score(loaded, spec, data)
    points = ex.sweep(loaded, spec, data, ratios=RATIOS, evaluator=evaluator, scores=scores, progress=False)
    different = {point.compression_ratio: point for point in points} if scores.values else {}
    if len(different) < 3:
        raise ex.ExplorerError(f"{model} has too few units of this kind.")
    return tuple(different.values())


@cache
def _opened(model: str) -> tuple[LoadedModel, Dataset, Evaluator]:
    loaded = ex.load(model)
    data = ex.load_data("digits", model=loaded)
    return loaded, data, Evaluator(loaded, data.splits["tune"])


def schedule_curve(name: str) -> str:
    """How sparsity rises to 90 %, counted."""
    ends = [(i / 40, sparsity_at(name, i / 40, 0.9)) for i in range(41)]
    path = " ".join(f"{_LEFT + _WIDTH * t:.1f},{_y(share):.1f}" for t, share in ends)
    ticks = [(f"{t:.0%}", _LEFT + _WIDTH * t) for t in (0, 0.25, 0.5, 0.75, 1)]
    return _svg(
        "Sparsity against the share of the pruning phase that is over.",
        f'<polyline class="method" points="{path}"/>',
        ticks,
    )


def _curve(points: Sequence[TradeOffPoint]) -> list[tuple[float, float]]:
    return [(p.compression_ratio, p.accuracy.value) for p in points]


def _path(ends: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(ratio):.1f},{_y(share):.1f}" for ratio, share in ends)


def _x(ratio: float) -> float:
    return _LEFT + _WIDTH * min(1.0, log2(max(1.0, ratio)) / 3)


def _y(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)


def _svg(words: str, inside: str, ticks: Sequence[tuple[str, float]]) -> str:
    bottom = _TOP + _HEIGHT
    frame = f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{_LEFT + _WIDTH}"/>'
    left = "".join(f'<text x="{_LEFT - 6}" y="{_y(s) + 4:.0f}" text-anchor="end">{s:.0%}</text>' for s in (0, 0.5, 1))
    below = "".join(f'<text x="{x:.0f}" y="{bottom + 16}" text-anchor="middle">{word}</text>' for word, x in ticks)
    size = f'viewBox="0 0 {_LEFT + _WIDTH + 20} {bottom + 24}"'
    return f'<svg class="curve" role="img" aria-label="{words}" {size}>{frame}{inside}{left}{below}</svg>'
