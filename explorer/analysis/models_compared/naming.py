"""What compared models are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from explorer.text.names import model_name
from explorer.text.numbers import percent_asked
from explorer.types import LoadedModel


def name_of(model: LoadedModel) -> str:
    """Its address without folders; of what a request leaves, also how much that was to prune."""
    name = model_name(model.address)
    if model.meta.get("source") not in ("request", "run"):
        return name
    spec = model.meta.get("spec")
    allocation = spec.get("allocation") if isinstance(spec, Mapping) else None
    share = allocation.get("sparsity") if isinstance(allocation, Mapping) else None
    return f"{name}, {percent_asked(share)} pruned" if isinstance(share, int | float) else f"{name}, pruned"


def told_apart(models: Sequence[LoadedModel]) -> list[str]:
    """The names of several models, no two alike: the same one again has a number."""
    names, seen = [name_of(model) for model in models], Counter[str]()
    counts = Counter(names)
    out = []
    for name in names:
        seen[name] += 1
        out.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return out
