"""The layer that names the classes: pruned like any other, or held, so that comparisons are about the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.pruning.layers import layer_table
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, PruningGroup


def classifier_of(model: LoadedModel) -> str | None:
    """The name of the last prunable layer with one row for each class; None where there is none.

    A model that does not say how many classes it knows has its last prunable layer as one.
    """
    layers = layer_table(model).prunable
    rows = [layer for layer in layers if model.n_classes in (None, layer.shape[0])]
    return rows[-1].name if rows else None


def with_locked_classifier(spec: PruneSpec, model: LoadedModel, groups: Sequence[PruningGroup]) -> PruneSpec:
    """The same request with the classifier's line held where it is; unchanged where it has no line that moves.

    Source: the rules of Blalock et al. 2020, arXiv:2003.03033, section 6, ask to say whether it is pruned.
    """
    name = classifier_of(model)
    for group in groups:
        if name in group.layers and group.why_not is None:
            spec = spec.with_limit(group.name, replace(spec.limit(group.name), locked=True))
    return spec
