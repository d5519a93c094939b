"""Methods compared from Python: everything that a fair comparison needs is measured in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from explorer.analysis.arguments import asked_for, given_data, given_model, given_spec, split_of
from explorer.analysis.comparison.comparison import SEEDS, Comparison
from explorer.analysis.tradeoff import RATIOS, sweep
from explorer.engine.asked import Asked
from explorer.engine.evaluator import Evaluator
from explorer.metrics.macs import MacTable, mac_table, why_no_macs
from explorer.metrics.own import Given
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.text.bar import BarSteps, tracked
from explorer.types import Dataset, LoadedModel, Scores, TradeOffPoint

# Where one run of the dense model over the split is cheaper than this, chance is drawn three times.
_CHEAP_MACS = 5e9


def compare_methods(
    model: LoadedModel | str,
    methods: Iterable[PruneSpec | Mapping[str, object] | str],
    data: Dataset | str | None = None,
    *,
    ratios: Sequence[float] = RATIOS,
    seeds: Sequence[int] | None = None,
    lock_classifier: bool = True,
    device: str = "cpu",
    metric: Given | None = None,
) -> Comparison:
    """Measure ``methods`` and their controls at rising compression, on the tune split, and say which is better.

    Each method is compared with pruning by chance and with plain magnitude under its own granularity, allocation and
    limits: the value that the trade-off page and ``sweep --controls`` show.

    Args:
        model: A model or its address.
        methods: Requests; their overall sparsity is set anew for each ratio.
        data: None: what the model was made for.
        ratios: Compression ratios (x) of the whole model, from 1 on.
        seeds: What draws by chance is measured once for each (default: 0, 1, 2; 0 alone where the model is large).
        lock_classifier: Nothing of the last layer goes, in any of them.
        device: Where the passes run.
        metric: As for :func:`evaluate`, in the place of accuracy.

    Returns:
        A :class:`Comparison`; accuracies and drops are fractions, or in the unit of ``metric``.

    Raises:
        ExplorerError: There is no method or no tune split, or an allocation has no overall sparsity.

    Examples:
        >>> import explorer as ex
        >>> methods = [ex.PruneSpec("weight", "lamp"), ex.PruneSpec("weight", "lamp", "uniform")]
        >>> comparison = ex.compare_methods("digits-mlp", methods, ratios=(2, 4), seeds=(0, 1))
        >>> [(verdict.first, verdict.second) for verdict in comparison.verdicts(4)][:2]
        [('LAMP (uniform)', 'random (uniform)'), ('LAMP (uniform)', 'magnitude (uniform)')]

    Source: the rules of Blalock et al. 2020, arXiv:2003.03033.
    """
    loaded = given_model(model)
    dataset = given_data(data, loaded)
    if seeds is None:
        seeds = usual_seeds(None if why_no_macs(loaded) else mac_table(loaded), dataset)
    comparison = Comparison.of(
        loaded, dataset, [given_spec(spec) for spec in methods], seeds=seeds, lock_classifier=lock_classifier
    )
    steps = BarSteps("compare", len(comparison.requests()) * len(ratios))
    points = _measured(comparison, loaded, dataset, ratios, (device, asked_for(metric=metric)))
    return comparison.with_points(tracked(points, steps))


def usual_seeds(table: MacTable | None, data: Dataset) -> tuple[int, ...]:
    """The seeds where none are asked for: three where the dense model runs quickly over the tune split, else one."""
    is_cheap = table is not None and table.dense * len(split_of(data, "tune")) <= _CHEAP_MACS
    return SEEDS if is_cheap else SEEDS[:1]


def _measured(
    comparison: Comparison, model: LoadedModel, data: Dataset, ratios: Sequence[float], how: tuple[str, Asked]
) -> Iterator[TradeOffPoint]:
    device, asked = how
    evaluator = Evaluator(model, split_of(data, "tune"), device=device, asked=asked)
    scores: dict[tuple[object, object], Scores] = {}
    for _, spec in comparison.requests():
        ranking = (spec.granularity, spec.criterion)
        if ranking not in scores:
            # Units are scored, and data looked at, once for the curves of one criterion; those of the last are held.
            scores = {ranking: score(model, spec, data)}
        yield from sweep(model, spec, data, ratios=ratios, evaluator=evaluator, scores=scores[ranking])
