"""Slim models: smaller tensors with a description of the graph, which open without the original class.

``OUT.safetensors`` holds the tensors and, in its header, everything else: ``explorer.load`` opens that one
file. ``OUT.arch.json`` repeats the description for other programs. Both are data: no pickle, no code.
With nothing but torch and safetensors, and for files of your own, they run like this::

    import json, pydoc, torch
    from safetensors.torch import load_file

    arch, tensors = json.load(open("OUT.arch.json")), load_file("OUT.safetensors")
    tensors |= {name: tensors[first] for name, first in arch["tied"].items()}
    layers = {path: getattr(torch.nn, made["type"])(**made["args"]).eval() for path, made in arch["layers"].items()}
    for path, layer in layers.items():
        layer.load_state_dict({n[len(path) + 1 :]: t for n, t in tensors.items() if n.startswith(path + ".")})
    kinds = {"node": lambda n: env[n], "tuple": tuple, "dict": dict, "slice": lambda ends: slice(*ends), "float": float,
             "torch": lambda n: getattr(torch, n), "device": torch.device, "ellipsis": lambda _: ...}
    env = {s["name"]: tensors[s["target"]] for s in arch["steps"] if s["op"] == "tensor"}

    def value(v):
        v = [value(item) for item in v] if isinstance(v, list) else v
        return next(kinds[kind](value(of)) for kind, of in v.items()) if isinstance(v, dict) else v

    def model(*inputs):
        env.update(zip([s["name"] for s in arch["steps"] if s["op"] == "input"], inputs))
        for s in (s for s in arch["steps"] if s["op"] in ("layer", "call")):
            made_by = layers[s["target"]] if s["op"] == "layer" else pydoc.locate(s["target"])
            env[s["name"]] = made_by(*value(s["args"]), **{name: value(v) for name, v in s["kwargs"].items()})
        return value(arch["output"])
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load
from torch import Tensor, fx

from explorer.export.files import check_target, misread, put
from explorer.export.graph import describe_graph
from explorer.export.lineage import lineage_json
from explorer.export.packing import arch_text, plain_weights
from explorer.export.proof import Proof, prove
from explorer.models import open_upload
from explorer.models.lineage import KEY
from explorer.models.slim import KIND, METADATA_KEY, VERSION
from explorer.pruning.slicing import sliced
from explorer.types import LoadedModel, Plan, Split, tensors_digest
from explorer.types.aliases import JsonDict, JsonObject

_ABOUT_MODEL = ("input_shape", "size", "mean", "std", "classes")


@dataclass(frozen=True)
class WrittenSlim:
    """What was written: the model, its description beside it, the bytes of the model's file, the proof."""

    weights: Path
    arch: Path
    n_bytes: int
    proof: Proof


@dataclass(frozen=True, eq=False)
class Proven:
    """A smaller network with its description, its tensors and the proof that it computes the same."""

    module: fx.GraphModule
    document: JsonObject
    tensors: Mapping[str, Tensor]
    proof: Proof


def proven(model: LoadedModel, plan: Plan, split: Split | None = None) -> Proven:
    """Cut ``model`` as ``plan`` says and prove it on ``split`` (else on generated inputs).

    The proof may have failed: ask ``proof.ok``. Raises ExplorerError when the network cannot be cut
    or has no slim form.
    """
    small = sliced(model, plan).module
    if not isinstance(small, fx.GraphModule):
        raise TypeError("a cut network is a traced graph")
    document, tensors = describe_graph(small, model.example)
    return Proven(small, document, tensors, prove(model, plan, small, document, tensors, split))


def write_slim(
    model: LoadedModel, plan: Plan, path: Path | str, *, split: Split | None = None, force: bool = False
) -> WrittenSlim:
    """Write the slim model to ``path`` (.safetensors) and its description to ``<path>.arch.json``.

    Raises ExplorerError when the removal cannot be made or proven, for names that do not fit, and when
    the disk refuses; then nothing was written and what was there stays.
    """
    target = Path(path)
    beside = target.with_suffix(".arch.json")
    check_target(model, target, ".safetensors", (beside,), force=force)
    proven_model = proven(model, plan, split)
    content = packed(model, plan, proven_model)
    put({target: content, beside: arch_text(proven_model.document).encode()})
    return WrittenSlim(target, beside, len(content), proven_model.proof)


def slim_file(model: LoadedModel, plan: Plan, split: Split | None = None) -> bytes:
    """The same file in memory, for a browser's download; proven and reopened like one on disk."""
    return packed(model, plan, proven(model, plan, split))


def packed(model: LoadedModel, plan: Plan, proven_model: Proven) -> bytes:
    """The finished file, reopened and compared bit for bit; ExplorerError when the proof failed."""
    proven_model.proof.demand()
    about = {
        "kind": KIND,
        "version": VERSION,
        "graph": proven_model.document,
        "model": _about_model(model),
        "data": model.data,
        "spec": dict(plan.spec),
        "sparsity": plan.sparsity,
        "source": {"address": model.address, "digest": model.digest},
        KEY: lineage_json(model, plan),
        "proof": proven_model.proof.to_json(),
    }
    content = plain_weights(proven_model.tensors, {METADATA_KEY: json.dumps(about, allow_nan=False)})
    again = open_upload(content, "slim.safetensors")
    stored = load(content)
    if again.module is None or tensors_digest(stored) != tensors_digest(dict(proven_model.tensors)):
        raise misread("The slim model")
    return content


def _about_model(model: LoadedModel) -> JsonDict:
    meta = model.meta
    about = {name: meta[name] for name in _ABOUT_MODEL if meta.get(name) is not None}
    return {**about, "n_classes": model.n_classes, "made_from": meta.get("made_from") or meta.get("arch")}
