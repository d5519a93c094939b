"""A network of the same family with fewer parameters: every width scaled alike, depth and classes as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from explorer.errors import ExplorerError
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.models.assemble import Weights, assemble, skeleton
from explorer.params import member_to_json
from explorer.recovery.beginnings import architecture_of, fresh_weights
from explorer.types import LoadedModel

# Arguments of architectures that say how wide they are.
_WIDTHS = ("width", "hidden", "hidden1", "hidden2", "head_dim")


def narrower(model: LoadedModel, n_parameters: int) -> Architecture:
    """The architecture of ``model``, every width scaled alike, whose count is nearest to ``n_parameters``.

    Raises ExplorerError for an architecture without widths.
    """
    architecture: Any = architecture_of(model)
    widths = {} if architecture is None else _widths(architecture)
    if not widths:
        name = model.meta.get("arch") or model.address
        raise ExplorerError(
            f"{name} cannot be made narrower.",
            why="Its architecture has no argument that says how wide it is.",
            fix="Choose a bundled model.",
        )
    largest = max(widths.values())
    candidates = {_scaled(architecture, widths, i / largest): None for i in range(1, largest + 1)}
    nearest: Architecture = min(candidates, key=lambda a: abs(n_parameters_of(a) - n_parameters))
    return nearest


def n_parameters_of(architecture: Architecture) -> int:
    """All parameters of a network of this architecture, tied ones once."""
    return sum(p.numel() for p in skeleton(architecture).parameters())


def at_random(model: LoadedModel, architecture: Architecture, seed: int) -> LoadedModel:
    """A network of ``architecture`` with random weights, for the data of ``model``."""
    arguments = member_to_json(architecture)
    key = arguments.pop("key")
    tensors = fresh_weights(replace(model, meta={"arch": key, "arch_args": arguments}), seed)
    label = f"{key} from scratch"
    about = {"source": "scratch", "label": label, "training": dict(model.meta.get("training") or {})}
    weights = Weights(address=label, label=label, tensors=tensors, data=model.data, meta=about)
    return assemble(weights, ARCHITECTURES.get(architecture))


def _widths(architecture: Any) -> dict[str, int]:
    return {f.name: getattr(architecture, f.name) for f in fields(architecture) if f.name in _WIDTHS}


def _scaled(architecture: Any, widths: Mapping[str, int], share: float) -> Any:
    return replace(architecture, **{name: max(1, round(share * width)) for name, width in widths.items()})
