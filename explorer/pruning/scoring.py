"""Every unit's importance, under any granularity and criterion."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import torch
from torch import Tensor

from explorer.errors import ExplorerError, Refusal
from explorer.pruning.criteria.base import Units
from explorer.pruning.gathering import gather
from explorer.pruning.granularity.n_of_m import NOfM
from explorer.pruning.granularity.weight import Weight
from explorer.pruning.layers import layer_table
from explorer.pruning.outliers import Outliers
from explorer.pruning.spec import PruneSpec
from explorer.pruning.within_layer import parameter_of
from explorer.ranking.order import Magnitudes
from explorer.types import Dataset, LoadedModel, Scores
from explorer.types.stopping import check


def score(model: LoadedModel, spec: PruneSpec, data: Dataset | None = None, *, half: int | None = None) -> Scores:
    """Every unit's importance under the spec's granularity and criterion; the model is only read.

    The scores do not depend on allocation or limits: keep them while thresholds move.

    Args:
        model: The dense model.
        spec: Of it the granularity and the criterion count.
        data: For criteria that look at samples of its fit split (``criterion.needs``).
        half: 0 or 1 lets such criteria see every other sample only.

    Returns:
        Scores: ``values`` by group, ``(n_units,)``, finite, higher is more important. A group that the criterion cannot
        rank says so in its ``why_not``.

    Raises:
        ExplorerError: A criterion that looks at samples has nothing to look at.

    Examples:
        >>> import explorer as ex
        >>> scores = ex.score(ex.load("digits-mlp"), ex.PruneSpec("out_channel", "lp_norm:p=1"))
        >>> {name: tuple(values.shape) for name, values in scores.values.items()}
        {'fc1': (256,), 'fc2': (128,)}
    """
    layers = layer_table(model)
    evidence = gather(model, spec.criterion, data, half=half)
    groups = []
    values: dict[str, Tensor] = {}
    deviations: dict[str, float] = {}
    within: dict[str, Tensor] = {}
    for group in spec.granularity.groups(model, layers):
        check()
        groups.append(group)
        if group.why_not is not None:
            continue
        units = Units(spec.granularity.unit_weights(model, group), group.name, group, spec.granularity, model, evidence)
        if (why_not := spec.criterion.why_not(units)) is not None:
            groups[-1] = replace(group, why_not=str(why_not))
            continue
        values[group.name] = _scored(spec, units, within)
        scale = units.weights if spec.criterion.on_weight_scale else values[group.name]
        deviations[group.name] = float(scale.double().std(correction=0)) if scale.numel() else 0.0
    values = _from_zero(values)
    return Scores(
        groups=tuple(groups),
        values=values,
        layers=layers,
        ranks=Magnitudes.of_each(values),
        deviations=deviations,
        within=within,
        evidence=evidence,
        n_seen=evidence.n if evidence else 0,
        source=evidence.source if evidence else "",
        outliers=Outliers(model, layers, tuple(groups), evidence),
    )


def why_no_units(scores: Scores) -> Refusal | None:
    """Why no line can move under these scores, in a sentence; None where one can."""
    if any(group.why_not is None for group in scores.groups):
        return None
    reasons = Counter(group.why_not or "" for group in scores.groups)
    return Refusal(reasons.most_common(1)[0][0]) if reasons else Refusal("The model has no layer that can be pruned.")


def ranked(model: LoadedModel, scores: Scores) -> LoadedModel:
    """The model as a granularity must see it to find the weights that a unit loses."""
    return replace(model, weights={**model.weights, **scores.within}) if scores.within else model


def _scored(spec: PruneSpec, units: Units, within: dict[str, Tensor]) -> Tensor:
    """(n_units,) scores; what ranks single weights inside a pattern is added to ``within``."""
    if units.evidence is None:
        return spec.criterion.score(units)
    if not isinstance(spec.granularity, NOfM):
        return _finite(spec, units, spec.criterion.score(units))
    model, group, pattern = units.of
    weights = replace(units, weights=Weight().unit_weights(model, group), granularity=Weight())
    scores = _finite(spec, units, spec.criterion.score(weights))
    name = parameter_of(model, group)
    # A pattern loses what is nearest to zero: scores that may be negative are counted from the lowest.
    within[name] = (scores - scores.min().clamp_max(0)).reshape(model.weights[name].shape)
    lost = pattern.unit_weights(replace(model, weights={name: within[name]}), group)
    return lost.mean(dim=1) + scores.min().clamp_max(0)


def _from_zero(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Scores that may be negative are counted from the lowest of the model: orders stay, and lines start at zero.

    In double, so that scores which differ still do.
    """
    lowest = min((float(tensor.min()) for tensor in values.values() if tensor.numel()), default=0.0)
    return values if lowest >= 0 else {name: tensor.double() - lowest for name, tensor in values.items()}


def _finite(spec: PruneSpec, units: Units, scores: Tensor) -> Tensor:
    if not bool(torch.isfinite(scores).all()):
        raise ExplorerError(
            f"{spec.criterion.label} gives {units.name!r} scores that are not numbers.",
            why="The loss, or an activation, is not finite on these samples.",
            fix="Check the data (inspect names what is wrong with the weights), or choose another criterion.",
        )
    return scores
