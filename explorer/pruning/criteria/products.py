"""What criteria have in common that look at the products of a layer's inputs."""

from __future__ import annotations

from explorer.errors import Refusal
from explorer.pruning.criteria.base import Units
from explorer.pruning.within_layer import scored_parameters

_MISSING = "It is looked up, not multiplied, or never used: no inputs of it are seen."


def why_no_products(units: Units) -> Refusal | None:
    """Why the inputs of one of the group's matrices were not seen; None where all were."""
    model, group, _ = units.of
    products = units.seen.kinds["input_products"]
    reasons = [products.get(name, _MISSING) for name in scored_parameters(model, group)]
    return next((Refusal(why) for why in reasons if isinstance(why, str)), None)
