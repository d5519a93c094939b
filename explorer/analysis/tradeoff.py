"""Size against accuracy: one point for each level of compression, and the front no other setting beats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict, Unpack

from explorer.analysis.arguments import given_data, given_model, given_spec, headline_of, split_of
from explorer.analysis.pareto import unbeaten
from explorer.analysis.pieces.handing import about_work
from explorer.analysis.pieces.points import spread_points
from explorer.engine.backends import backend_of
from explorer.engine.backends.base import Backend
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes
from explorer.metrics.base import goodness
from explorer.metrics.macs import MacTable, mac_table, theoretical_speedup, why_no_macs
from explorer.metrics.own import Given
from explorer.metrics.size import compression_ratio
from explorer.params import member_to_json
from explorer.params.options import options_from
from explorer.pruning.bounds import is_locked
from explorer.pruning.level import with_sparsity
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.text.bar import BarSteps, tracked
from explorer.text.numbers import percent_asked
from explorer.types import Dataset, Evaluation, LoadedModel, Plan, Scores, SplitName, TradeOffPoint
from explorer.types.aliases import JsonObject

RATIOS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
# Channels are few: a step of 2^-14 is finer than one channel of 16,384.
_HALVINGS = 14


@dataclass(frozen=True, eq=False)
class MeasureOptions:
    """Where and with what points are measured; :func:`sweep` says what each option is."""

    split: SplitName = "tune"
    device: str = "cpu"
    evaluator: Evaluator | None = None
    metric: Given | None = None
    scores: Scores | None = None
    recorded: Callable[[Plan], TradeOffPoint | None] | None = None
    progress: bool | None = None
    backend: Backend | str | None = None


class MeasureKeywords(TypedDict, total=False):
    """The same as keywords of a call, for type checkers."""

    split: SplitName
    device: str
    evaluator: Evaluator | None
    metric: Given | None
    scores: Scores | None
    recorded: Callable[[Plan], TradeOffPoint | None] | None
    progress: bool | None
    backend: Backend | str | None


@options_from(MeasureOptions)
def sweep(
    model: LoadedModel | str,
    spec: PruneSpec | JsonObject | str | None = None,
    data: Dataset | str | None = None,
    *,
    ratios: Sequence[float] = RATIOS,
    sparsities: Sequence[float] | None = None,
    **measuring: Unpack[MeasureKeywords],
) -> Iterator[TradeOffPoint]:
    """Measure ``spec`` (its level apart) at rising compression, point after point; the caller may stop any time.

    Args:
        model: A model or its address.
        spec: A request with one overall sparsity; None: magnitude, global.
        data: None: what the model was made for.
        ratios: Compression ratios (x) of the *whole* model, from 1 on; one that the prunable, unlocked weights cannot
            reach ends at the highest one they can.
        sparsities: In their place, shares (0 to 1) of the prunable weights.
        split: What it is measured on.
        device: Where the passes run.
        evaluator: One for this model and these samples, to reuse what it knows about the dense model.
        metric: As for :func:`evaluate`, in the place of accuracy.
        scores: Those of ``spec``, where they are known.
        recorded: Gives the point of a plan that is there already, or None.
        progress: A bar; None: where somebody types.
        backend: As for :func:`scan`.

    Returns:
        An iterator of points: ``asked`` is the sparsity that was set, ``asked_ratio`` the ratio that it was set for,
        ``accuracy`` and ``drop`` are fractions with intervals, ``size_bytes`` is the smallest file.

    Raises:
        ExplorerError: The allocation has no overall sparsity, or the split is absent.

    Examples:
        >>> import explorer as ex
        >>> [round(point.compression_ratio, 1) for point in ex.sweep("digits-mlp", ratios=(1, 2))]
        [1.0, 2.0]
    """
    asked = MeasureOptions(**measuring)
    loaded, request = given_model(model), given_spec(spec)
    dataset = given_data(data, loaded)
    scores = score(loaded, request, dataset) if asked.scores is None else asked.scores
    targets: dict[float, float | None]
    if sparsities is None:
        targets = dict(_at_ratios(loaded, request, scores, ratios))
    else:
        targets = dict.fromkeys(sorted(sparsities))
    specs = [with_sparsity(request, sparsity) for sparsity in targets]
    measuring["scores"] = scores
    points = measure(loaded, specs, dataset, **measuring)
    at_ratios = (replace(p, asked_ratio=ratio) for p, ratio in zip(points, targets.values(), strict=True))
    return tracked(at_ratios, BarSteps("sweep", len(specs)), asked.progress)


@options_from(MeasureOptions)
def measure(
    model: LoadedModel,
    specs: Iterable[PruneSpec],
    data: Dataset,
    **measuring: Unpack[MeasureKeywords],
) -> Iterator[TradeOffPoint]:
    """Measure each of ``specs`` on ``split``, in the order given. ``scores`` fit them all, or are None.

    ``recorded`` gives the point of a plan that was measured before, or None: it is not measured again. A ``backend``
    may have several of them measured at once.
    """
    asked, backend = MeasureOptions(**measuring), backend_of(measuring.get("backend"))
    headline = headline_of(asked.metric, asked.evaluator)
    samples = split_of(data, asked.split)
    evaluator = asked.evaluator or Evaluator(model, samples, device=asked.device, asked=headline)
    macs = None if why_no_macs(model) else mac_table(model)

    def here(spec: PruneSpec) -> TradeOffPoint:
        plan = make_plan(model, spec, asked.scores, data)
        return point(model, spec, plan, evaluator.final(plan), macs)

    def before(spec: PruneSpec) -> TradeOffPoint | None:
        if asked.recorded is None:
            return None
        plan = make_plan(model, spec, asked.scores, data)
        recorded = asked.recorded(plan)
        return None if recorded is None else _as_asked(recorded, spec, plan)

    if backend is None:
        yield from (before(spec) or here(spec) for spec in specs)
        return
    key = None if evaluator.asked.headline is None else evaluator.asked.headline.key
    about = {**about_work("points", model, data, device=evaluator.device, metric=key), "split": asked.split}
    yield from spread_points(backend, about, list(specs), before, here)


def point(
    model: LoadedModel,
    spec: PruneSpec,
    plan: Plan,
    evaluation: Evaluation,
    table: MacTable | None,
    *,
    protocol: JsonObject | None = None,
) -> TradeOffPoint:
    """What ``spec`` costs and keeps, from its plan and a measurement that is there already.

    ``protocol`` is that of a recovery where ``model`` is a recovered network; its summary joins the label.
    """
    recovered = dict(protocol or {})
    speedup = theoretical_speedup(model, plan, table)
    return TradeOffPoint(
        spec=spec.to_json(),
        label=", ".join(filter(None, (label_of(spec), recovered.get("summary")))),
        asked=plan.asked,
        sparsity=plan.sparsity,
        compression_ratio=compression_ratio(model, plan).value,
        theoretical_speedup=speedup.value if speedup else 1.0,
        size_bytes=smallest_file(model, plan),
        accuracy=evaluation.accuracy,
        drop=evaluation.drop,
        seed=int(getattr(spec.criterion, "seed", recovered.get("seed", 0))),
        loss=evaluation.loss,
        plan_digest=plan.digest,
        protocol=recovered,
        metrics=dict(evaluation.metrics),
    )


def _as_asked(before: TradeOffPoint, spec: PruneSpec, plan: Plan) -> TradeOffPoint:
    """A point that was measured before, under the request that asks for it now."""
    seed = int(getattr(spec.criterion, "seed", 0))
    return replace(before, spec=spec.to_json(), label=label_of(spec), asked=plan.asked, asked_ratio=None, seed=seed)


def sparsity_for_ratio(model: LoadedModel, spec: PruneSpec, ratio: float, scores: Scores | None = None) -> float:
    """The least sparsity at which the whole model is ``ratio`` times smaller, in parameters.

    Biases, normalisation and locked layers stay, so it is more than 1 - 1 / ratio. Where even
    sparsity 1 falls short, the least sparsity that compresses as much as 1 does. Found by halving: the ratio
    never falls as sparsity rises. Single weights without floors and caps need no search: there it is arithmetic,
    and right to a thousandth where every layer rounds on its own.
    """
    if not ratio >= 1.0:
        raise ExplorerError(f"A compression ratio of {ratio:g} is not possible.", fix="Give numbers from 1 on.")
    scores = score(model, spec) if scores is None else scores
    direct = _by_arithmetic(model, spec, scores, ratio)
    if direct is not None:
        return direct

    def reached(sparsity: float) -> float:
        return compression_ratio(model, make_plan(model, with_sparsity(spec, sparsity), scores)).value

    goal = min(ratio, reached(1.0))
    low, high = 0.0, 1.0
    if reached(low) >= goal:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) >= goal else (middle, high)
    return high


def _by_arithmetic(model: LoadedModel, spec: PruneSpec, scores: Scores, ratio: float) -> float | None:
    is_bounded = any(limit.floor > 0 or limit.cap < 1 for _, limit in spec.limits)
    if is_bounded or model.nonzero or any(group.unit != "weight" for group in scores.groups):
        return None
    n_free = sum(k.n_units for k in scores.groups if k.why_not is None and not is_locked(k, spec))
    n = math.ceil(model.n_parameters - model.n_parameters / ratio - 1e-9)
    return n / n_free if n_free and n <= n_free else None


def smallest_file(model: LoadedModel, plan: Plan) -> int:
    """Bytes of the smallest kind of file that holds the pruned model (never more than the dense one)."""
    return int(min(m.value for m in file_sizes(model, plan).values()))


def label_of(spec: PruneSpec) -> str:
    """``"weight, lp_norm(p=1), global"``: the three choices without the level."""
    words = ", ".join(_short(member) for member in (spec.granularity, spec.criterion, spec.allocation))
    if spec.then is None:
        return words
    level = getattr(spec.then.allocation, "sparsity", None)
    share = "" if level is None else f" {percent_asked(level)}"
    return f"{words}, then{share} of what is left: {label_of(spec.then)}"


def _short(member: Any) -> str:
    defaults = {f.name: f.default for f in fields(member)}
    values = {
        k: v for k, v in member_to_json(member).items() if k not in ("key", "sparsity") and v != defaults[k] and v
    }
    inside = ", ".join(f"{k}={v}" for k, v in values.items() if not isinstance(v, dict))
    return f"{member.key}({inside})" if inside else str(member.key)


def pareto(points: Iterable[TradeOffPoint]) -> tuple[TradeOffPoint, ...]:
    """The points that no other beats in both compression ratio and accuracy, by rising ratio.

    Args:
        points: Points of one curve or of several.

    Returns:
        Those on the front.

    Examples:
        >>> import explorer as ex
        >>> points = list(ex.sweep("digits-mlp", ratios=(1, 2, 32)))
        >>> [round(point.compression_ratio) for point in ex.pareto(points)][0]
        1
    """
    return tuple(unbeaten(points, lambda p: p.compression_ratio, _quality))


def _quality(point: TradeOffPoint) -> float:
    return goodness(point.accuracy, point.drop)


def _at_ratios(model: LoadedModel, spec: PruneSpec, scores: Scores, ratios: Sequence[float]) -> dict[float, float]:
    """The ratio behind each sparsity; of ratios that end at the same one, the least."""
    sparsities: dict[float, float] = {}
    for ratio in sorted(ratios):
        sparsities.setdefault(sparsity_for_ratio(model, spec, ratio, scores), ratio)
    return sparsities
