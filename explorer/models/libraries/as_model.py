"""A network that a library built, as a model like every other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from torch import nn

from explorer.models.given_module import ModuleRequest, load_module
from explorer.types import Finding, Inputs, LoadedModel
from explorer.types.aliases import JsonObject


@dataclass(frozen=True, eq=False)
class Built:
    """A network in eval mode with its weights, one batch of what it takes, and what its library says of it."""

    module: nn.Module
    example: Inputs
    label: str
    source: str
    classes: Sequence[str] | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    task: str | None = None
    repairs: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    meta: JsonObject = field(default_factory=dict)


def as_model(address: str, built: Built) -> LoadedModel:
    """The network, tried on its example and checked as a module of one's own is. Raises ExplorerError."""
    request = ModuleRequest(
        built.module, built.example, built.label, built.classes, built.mean, built.std, task=built.task
    )
    model = load_module(request)
    return replace(
        model,
        address=address,
        repairs=(*built.repairs, *model.repairs),
        findings=(*(Finding("warn", oddity) for oddity in built.oddities), *model.findings),
        meta={**model.meta, "source": built.source, **built.meta},
    )
