"""What is kept between reruns. The only place that holds caches.

Models and data are the same for every visitor and never written to: ``cache_resource``. All
other entries are keyed by the digests of what they were made from.
"""

from __future__ import annotations

import gc
import math
import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from explorer import component, data, models
from explorer.analysis.arguments import asked_for
from explorer.analysis.distribution import SignedHistogram, signed_distribution
from explorer.analysis.histogram import LayerMap, layer_map
from explorer.analysis.rank_stability import stability
from explorer.analysis.statistics import LayerStatistics, layer_statistics
from explorer.classroom import Classroom, served
from explorer.engine import pace
from explorer.engine.evaluator import Evaluator
from explorer.engine.jobs import JobQueue
from explorer.errors import ExplorerError, Refusal, clean
from explorer.metrics.macs import MacTable, mac_table
from explorer.pruning.coupling.wiring import Wiring, wiring
from explorer.pruning.layers import layer_table
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.types import Dataset, LayerInfo, LoadedModel, Measurement, Plan, PruningGroup, Scores, Split
from explorer.types.aliases import JsonDict
from explorer.types.files import paths
from explorer.workbench.quotas import Quotas
from explorer.workbench.workspace import Source

ListPage = tuple[tuple[PruningGroup, ...], str]  # the groups that are shown, and what part of all they are
_FEWEST_BINS, _MOST_BINS = 16, 96
Stamp = tuple[int, int, int]
NOTHING: Stamp = (0, 0, 0)
T = TypeVar("T")


@st.cache_resource(max_entries=6, show_spinner="Opening the model …")
def model(address: str, arch: str | None, state: Stamp) -> LoadedModel:
    """The model at an address, of the :func:`stamp` that its file had. ExplorerError where it has another by now."""
    return _unchanged(address, state, lambda: models.load(address, arch=arch))


def _unchanged(address: str, state: Stamp, read: Callable[[], T]) -> T:
    """What was read, and only of a file that was in this state from begin to end."""
    if stamp(address) == state:
        content = read()
        if stamp(address) == state:
            return content
    raise ExplorerError(
        f"{clean(address)!r} has changed since it was opened.",
        why="What was opened is not in memory any more.",
        fix="Open it again.",
    )


@st.cache_resource
def readers_of_the_hint() -> set[str]:
    """The visitors who have put the first hint away."""
    return set()


@st.cache_resource(max_entries=6, show_spinner="Reading the file in a process of its own …")
def upload(digest: str, arch: str | None, name: str, _read: Callable[[], bytes]) -> LoadedModel:
    """An uploaded file as a model; ``digest`` is of the bytes that ``_read`` gives."""
    return models.open_upload(_read(), name, arch=arch)


def dataset(source: Source, judged: LoadedModel, state: Stamp) -> Dataset:
    """The data that the workspace names, or the model's own, or generated inputs; ``state`` is their file's stamp."""
    address = source.data or judged.data or "none"
    options = (source.size, source.mean, source.std, source.splits, source.task, source.samples)
    return _dataset(address, options, judged.identity, state, judged)


@st.cache_resource(max_entries=6, show_spinner="Reading the data …")
def _dataset(address: str, options: tuple[Any, ...], digest: str, state: Stamp, _model: LoadedModel) -> Dataset:
    names = ("size", "mean", "std", "splits", "task", "samples")

    def read() -> Dataset:
        return data.load(address, model=_model, **dict(zip(names, options, strict=True)))

    return _unchanged(address.partition(":")[2], state, read)


def scores(of: LoadedModel, spec: PruneSpec, on: Dataset | None) -> Scores:
    """Scores depend on model, granularity and criterion (and its data), not on where the lines are.

    Raises ExplorerError where the criterion looks at data and there is nothing to look at.
    """
    return _scores(scores_key(of, spec, on), of, spec, on)


def scores_key(of: LoadedModel, spec: PruneSpec, on: Dataset | None) -> tuple[str, str, str, str]:
    """Equal keys are equal scores."""
    request = spec.to_json()
    seen = on.digest if on is not None and spec.criterion.needs else ""
    return (of.identity, str(request["granularity"]), str(request["criterion"]), seen)


@st.cache_resource(max_entries=24, show_spinner="Looking at samples …")
def _scores(key: tuple[str, ...], _model: LoadedModel, _spec: PruneSpec, _data: Dataset | None) -> Scores:
    return score(_model, _spec, _data)


def rank_stability(of: LoadedModel, spec: PruneSpec, on: Dataset | None) -> Measurement:
    """How much the ranking of a criterion that looks at data depends on its samples."""
    return _rank_stability(scores_key(of, spec, on), of, spec, on)


@st.cache_data(max_entries=64, show_spinner="Ranking by each half of the samples …")
def _rank_stability(key: tuple[str, ...], _model: LoadedModel, _spec: PruneSpec, _data: Dataset | None) -> Measurement:
    return stability(_model, _spec, _data)


def why_not_ranked(of: LoadedModel, spec: PruneSpec, on: Dataset | None) -> Refusal | None:
    """Why nothing of this model can go under the spec's unit and criterion; None where something can."""
    return _why_not_ranked(scores_key(of, spec, on), of, spec, on)


@st.cache_resource(max_entries=500, show_spinner=False)
def _why_not_ranked(
    key: tuple[str, ...], _model: LoadedModel, _spec: PruneSpec, _data: Dataset | None
) -> Refusal | None:
    try:
        groups = scores(_model, _spec, _data).groups
    except ExplorerError as error:
        return Refusal.of(error)
    # Limits are no part of the key, so what they unlock must not count.
    if any(k.why_not is None and k.locked_by is None for k in groups):
        return None
    reasons = Counter(k.why_not or k.locked_by or "" for k in groups)
    return Refusal(reasons.most_common(1)[0][0] if reasons else "The model has no layer that can be pruned.")


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs={LoadedModel: lambda of: of.identity})
def wires(of: LoadedModel) -> Wiring:
    """Which layer reads which."""
    return wiring(of, layer_table(of))


def histograms(of: LoadedModel, spec: PruneSpec, on: Dataset | None, page: ListPage) -> JsonDict:
    """The large, fixed part of what the draggable histogram is told of a page of :func:`listed`."""
    symbol = None if spec.criterion.on_weight_scale else "score"
    shown, scope = page
    names = tuple(group.name for group in shown) if scope else ()
    return _histograms(scores_key(of, spec, on), symbol, names, scope, shown, scores(of, spec, on))


@st.cache_resource(max_entries=24, show_spinner=False)
def _histograms(
    key: tuple[str, ...],
    symbol: str | None,
    names: tuple[str, ...],
    scope: str,
    _shown: tuple[PruningGroup, ...],
    _scores: Scores,
) -> JsonDict:
    return component.static_part(_shown, _scores.values, symbol=symbol, scope=scope)


def listed(groups: tuple[PruningGroup, ...]) -> tuple[PruningGroup, ...]:
    """Of rare units only the lines there are: that a convolution has no heads goes without saying."""
    movable = tuple(group for group in groups if group.why_not is None)
    common = any(group.unit in ("weight", "channel") for group in groups)
    return groups if common or not movable else movable


def statistics(of: LoadedModel) -> tuple[LayerStatistics, ...]:
    """One row for each tensor of the dense model; nothing is pruned in them."""
    return _statistics(of.identity, of)


@st.cache_resource(max_entries=8, show_spinner="Looking at every weight …")
def _statistics(digest: str, _model: LoadedModel) -> tuple[LayerStatistics, ...]:
    return tuple(layer_statistics(_model, layer_table(_model)))


def magnitudes(of: LoadedModel) -> LayerMap:
    """The magnitudes of every layer that can be pruned, over one axis."""
    return _magnitudes(of.identity, of)


@st.cache_resource(max_entries=8, show_spinner=False)
def _magnitudes(digest: str, _model: LoadedModel) -> LayerMap:
    return layer_map(scores(_model, PruneSpec(), None).ranks)  # type: ignore[arg-type]


def signed(of: LoadedModel, layer: LayerInfo, plan: Plan) -> SignedHistogram:
    """The signed histogram of one layer, split by the plan's mask, with its fits."""
    return _signed(of.identity, layer.parameter, plan.digest, of, plan)


@st.cache_resource(max_entries=48, show_spinner=False)
def _signed(digest: str, parameter: str, plan_digest: str, _model: LoadedModel, _plan: Plan) -> SignedHistogram:
    weights = _model.weights[parameter]
    # Few weights in many bins would be a comb: about three times the cube root of their number reads well.
    bins = min(_MOST_BINS, max(_FEWEST_BINS, math.ceil(3 * weights.numel() ** (1 / 3))))
    return signed_distribution(weights, _plan.masks.get(parameter), bins)


def evaluator(of: LoadedModel, on: Dataset, split: Split, metric: str | None = None) -> Evaluator:
    """One evaluator for each model, split and metric, shared by all visitors: it knows the dense answers."""
    return _evaluator(of.identity, on.digest, split.name, metric, of, split)


@st.cache_resource(max_entries=4, show_spinner=False)
def _evaluator(
    model_digest: str, data_digest: str, name: str, metric: str | None, _model: LoadedModel, _split: Split
) -> Evaluator:
    return Evaluator(_model, _split, asked=asked_for(metric=metric))


def macs(of: LoadedModel) -> MacTable | None:
    """How often each weight is multiplied; None for a model that cannot run."""
    return None if of.module is None else _macs(of.identity, of)


@st.cache_resource(max_entries=8, show_spinner=False)
def _macs(digest: str, _model: LoadedModel) -> MacTable:
    return mac_table(_model)


def pass_seconds(of: LoadedModel, on: Dataset) -> float:
    """How long one pass over the tune split takes here, timed once."""
    return _pass_seconds(of.identity, on.digest, of, on)


@st.cache_resource(max_entries=24, show_spinner=False)
def _pass_seconds(digest: str, data_digest: str, _model: LoadedModel, _data: Dataset) -> float:
    return pace.pass_seconds(_model, _data.splits["tune"])


@st.cache_resource(show_spinner=False)
def spare_collector() -> None:
    """Once a process: what is loaded by now stays, so the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def jobs() -> JobQueue:
    """The server's one queue of background work."""
    quotas = Quotas.here()
    return JobQueue(most=quotas.jobs, most_each=quotas.jobs_each)


@st.cache_resource(show_spinner=False)
def classroom() -> Classroom | None:
    """The class that this server leads; None where it was begun without one."""
    return served()


@st.cache_resource(show_spinner=False)
def teachers() -> set[str]:
    """The visitors who have given the teacher's key to this server."""
    return set()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """What is kept on disk over all runs, one for all visitors; the file is opened at the first use."""
    return Store()


@st.cache_resource(show_spinner=False)
def evaluations_at_once() -> threading.Semaphore:
    """About as many evaluations as there are cores run at the same time."""
    return threading.Semaphore(max(1, os.cpu_count() or 1))


def stamp(address: str) -> Stamp:
    """What differs once the file at an address was written anew; NOTHING where there is none."""
    try:
        status = paths.real(paths.with_part(address)[0]).stat()
    except (OSError, ExplorerError):
        return NOTHING
    return (status.st_mtime_ns, status.st_size, status.st_ino)
