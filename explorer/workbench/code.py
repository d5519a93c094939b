"""The lines of Python that give the result on the screen."""

from __future__ import annotations

import json

from explorer.data.at_hand import ADDRESS as AT_HAND
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel
from explorer.workbench.workspace import Source

_OPTIONS = ("size", "mean", "std", "splits", "task", "samples")


def python_lines(model: LoadedModel, data: str, spec: PruneSpec, source: Source | None = None) -> str:
    """Load, prune, measure. A module or data of one's own have no address: they are called ``module`` and ``data``."""
    arch = f", arch={source.arch!r}" if source is not None and source.arch else ""
    loaded = f"model = ex.load({model.address!r}{arch})"
    if model.meta.get("source") == "module":
        loaded = "model = ex.load(module, example=example)  # your module, and a batch of its inputs"
    return "\n".join(
        [
            "import explorer as ex\n",
            loaded,
            _data_line(data, source),
            f"spec = ex.PruneSpec.from_json({json.dumps(spec.to_json())!r})",
            "print(ex.evaluate(model, spec, data))",
        ]
    )


def _data_line(data: str, source: Source | None) -> str:
    if data == AT_HAND:
        return "data = ex.load_data(data, model=model)  # your tensors, arrays, Dataset or DataLoader"
    chosen = {name: getattr(source, name) for name in _OPTIONS if source is not None and getattr(source, name)}
    options = "".join(f", {name}={value!r}" for name, value in chosen.items())
    return f"data = ex.load_data({data!r}, model=model{options})"
