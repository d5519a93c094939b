"""What a caller may give: the thing itself, its address, or nothing where there is a natural choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import nn

from explorer import models
from explorer.data.given import given_data as given_data
from explorer.data.given import split_of as split_of
from explorer.engine.asked import Asked
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.own import Given, metric_of, own_metrics
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel
from explorer.types.aliases import JsonObject


def given_model(model: LoadedModel | str) -> LoadedModel:
    """The model itself, or the one at that address."""
    if isinstance(model, nn.Module):
        what = f"{type(model).__name__} is a module, and what it takes is not known."
        raise ExplorerError(what, fix="Load it first: model = explorer.load(module, example=a_batch_of_inputs).")
    return models.load(model) if isinstance(model, str) else model


def given_spec(spec: PruneSpec | JsonObject | str | None) -> PruneSpec:
    """The request itself, or the one that JSON says; None prunes nothing."""
    if spec is None:
        return PruneSpec()
    return spec if isinstance(spec, PruneSpec) else PruneSpec.from_json(spec)


def asked_for(metrics: Iterable[Given] | Mapping[str, Given] = (), metric: Given | None = None) -> Asked:
    """The metrics that a caller asks for, and the headline among them, which a mapping may name by its key."""
    more = own_metrics(metrics)
    headline = None
    if metric is not None:
        headline = next((each for each in more if each.key == metric), None) or metric_of(metric)
    return Asked.of(more, headline)


def headline_of(metric: Given | None, evaluator: Evaluator | None) -> Asked:
    """The metric in the place of accuracy, for an evaluator to be made; one that is there has its own."""
    if metric is not None and evaluator is not None:
        raise ExplorerError("An evaluator has its metric already.", fix="Leave metric or evaluator out.")
    return asked_for(metric=metric)
