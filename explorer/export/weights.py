"""Pruned weights as one safetensors file, with the request that made them inside and beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, load_file, save, save_file
from torch import Tensor

from explorer.export.files import check_target, misread, same_tensors
from explorer.export.lineage import lineage_json
from explorer.metrics.size import file_dtypes, stored_tensors
from explorer.models import slim, trained
from explorer.models.lineage import KEY
from explorer.pruning.apply import compensated
from explorer.store.atomic import replacing, write_text
from explorer.types import LoadedModel, Plan, tensors_digest
from explorer.types.aliases import JsonDict, JsonObject

METADATA_KEY = "explorer"


@dataclass(frozen=True)
class Written:
    """What was written: the weights, the request beside them, and how many bytes the weights take."""

    weights: Path
    spec: Path
    n_bytes: int


def write_pruned(
    model: LoadedModel, plan: Plan, path: Path | str, *, force: bool = False, recipe: JsonObject | None = None
) -> Written:
    """Write the masked weights to ``path`` (.safetensors) and the request to ``<path>.spec.json``.

    Names, dtypes and every value that was not pruned are those of the model, bit for bit (or the new ones that the plan
    gives to kept weights); tied weights are written under each of their names. The zeros are stored, so the file is not
    smaller than the dense one. The new file is read back and compared before it takes its place; until then, and on any
    failure, what was there stays.

    Args:
        model: The dense model.
        plan: The masks, of :func:`plan`.
        path: A name that ends in ``.safetensors``.
        force: Replace what is there.
        recipe: What recovered the weights, to be written beside them.

    Returns:
        What was written: the paths, and how many bytes.

    Raises:
        ExplorerError: The name is another, the file is the model's own or exists, or the disk refuses.

    Examples:
        >>> import explorer as ex, tempfile, pathlib
        >>> model, folder = ex.load("digits-mlp"), pathlib.Path(tempfile.mkdtemp())
        >>> plan = ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.5"))
        >>> _ = ex.save(model, plan, folder / "half.safetensors")
        >>> sorted(path.name for path in folder.iterdir())
        ['half.safetensors', 'half.spec.json']
    """
    target = Path(path)
    spec_path = target.with_suffix(".spec.json")
    check_target(model, target, ".safetensors", (spec_path,), force=force)
    tensors = pruned_tensors(model, plan)
    inside = describe(model, plan, recipe)
    about = {**inside, "weights": tensors_digest(tensors)}
    with replacing(target) as new_weights:
        _save(tensors, inside, new_weights)
        if not same_tensors(tensors, load_file(new_weights)):
            raise misread(str(target))
        # The weights are put in their place last. Who is killed in between leaves a request that names other weights
        # than those beside it, so that a reader does not take the two for a pair.
        write_text(spec_path, json.dumps(about, indent=1) + "\n")
    return Written(target, spec_path, target.stat().st_size)


def pruned_file(model: LoadedModel, plan: Plan, recipe: JsonObject | None = None) -> bytes:
    """The same file in memory, for a browser's download; read back and compared like one on disk."""
    tensors = pruned_tensors(model, plan)
    content: bytes = save(tensors, metadata={METADATA_KEY: json.dumps(describe(model, plan, recipe)), "format": "pt"})
    again = load(content)
    if not same_tensors(tensors, again):
        raise misread("The file of weights")
    return content


def pruned_tensors(model: LoadedModel, plan: Plan, masks: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Every tensor a file of this model holds, under every name, with zeros where ``masks`` (the plan's) cut.

    What was converted for computing goes back to the dtype it was stored in. That is exact for 16-bit
    floats; what came as float64 has the float32 precision that it was measured with.
    """
    tensors = {name: tensor.detach().cpu() for name, tensor in stored_tensors(compensated(model, plan)).items()}
    for name, mask in (plan.masks if masks is None else masks).items():
        # Not a product: NaN and infinity times zero are not zero.
        tensors[name] = tensors[name].masked_fill(~mask.cpu(), 0)
    for name in model.meta.get("transposed") or ():
        tensors[name] = tensors[name].t()  # as its library stores it
    stored_as = file_dtypes(model)
    tensors = {name: t.to(stored_as.get(name, t.dtype)).contiguous() for name, t in tensors.items()}
    # A file cannot hold one tensor under two names, so each alias gets a copy.
    for layer in plan.layers:
        tensors |= {alias: tensors[layer.parameter].clone() for alias in layer.aliases}
    tied: Mapping[str, str] = model.meta.get("tied") or {}
    return tensors | {alias: tensors[first].clone() for alias, first in tied.items() if first in tensors}


def describe(model: LoadedModel, plan: Plan, recipe: JsonObject | None = None) -> JsonDict:
    """What the file says of itself: how to build the model, the request, and where it came from."""
    lineage = {KEY: lineage_json(model, plan, recipe)}
    if model.meta.get("graph") is not None:
        return {**_describe_slim(model, plan), **lineage}
    return {
        **lineage,
        "arch": model.meta.get("arch"),
        "arch_args": model.meta.get("arch_args") or {},
        "data": model.data,
        **({trained.KEY: dict(model.meta[trained.KEY])} if trained.KEY in model.meta else {}),
        **({"classes": list(model.meta["classes"])} if model.meta.get("classes") else {}),
        "spec": dict(plan.spec),
        "sparsity": plan.sparsity,
        "source": {"address": model.address, "digest": model.digest},
    }


def _describe_slim(model: LoadedModel, plan: Plan) -> JsonDict:
    """A slim model's weights stay a slim model: they go with the graph that they came with."""
    meta = model.meta
    about = {
        name: meta[name] for name in ("input_shape", "size", "mean", "std", "classes", "made_from") if name in meta
    }
    return {
        "kind": slim.KIND,
        "version": slim.VERSION,
        "graph": meta["graph"],
        "model": {**about, "n_classes": model.n_classes},
        "data": model.data,
        "spec": dict(plan.spec),
        "sparsity": plan.sparsity,
        "source": {"address": model.address, "digest": model.digest},
    }


def _save(tensors: dict[str, Tensor], about: JsonDict, path: Path) -> None:
    try:
        save_file(tensors, path, metadata={METADATA_KEY: json.dumps(about), "format": "pt"})
    except SafetensorError as error:
        # The system's own error is only in its text: give it back as what it is.
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number.group(1)) if number else 0, str(error)) from error
