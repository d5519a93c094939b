"""Slim models: a file of small tensors that also says, in words everybody may check, how they are connected.

The header of the safetensors file holds a description of the graph under ``explorer``. It is data:
names of known layers and functions, numbers, and which step reads which. The reading process tries
it out under its limits; nothing of it is ever executed as code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.assemble import Weights, findings
from explorer.models.matrices import matrices
from explorer.models.slim.document import Graph, read, refused
from explorer.models.slim.network import build, example_inputs
from explorer.models.slim.trial import try_out
from explorer.models.unsteady import disagreements
from explorer.types import LoadedModel, tensors_digest
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.files.reading.refusal import RefusedError
from explorer.types.inputs import as_inputs

METADATA_KEY = "explorer"
KIND = "slim"
VERSION = 1
_SIZES = ("input_shape", "size", "mean", "std", "n_classes", "classes", "made_from")


def is_slim(about: JsonObject) -> bool:
    """Whether a file's own description says that it is a slim model."""
    return about.get("kind") == KIND


def description(metadata: Mapping[str, str]) -> JsonObject:
    """What a safetensors header says of its file, if this project wrote it; else nothing."""
    try:
        content = json.loads(metadata.get(METADATA_KEY) or "{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def check(about: JsonObject, tensors: Mapping[str, Tensor], aliases: Mapping[str, str]) -> None:
    """Try the model out; RefusedError when it is not what it claims. For the reading process."""
    try_out(_graph(about), _all(tensors, aliases))


def opened(weights: Weights, about: JsonObject) -> LoadedModel:
    """The runnable model in a file that :func:`check` has passed. Raises ExplorerError."""
    tensors = _all(weights.tensors, weights.aliases)
    try:
        graph = _graph(about)
        network = build(graph, tensors)
    except RefusedError as refusal:
        raise ExplorerError(f"{weights.label} cannot be opened.", why=refusal.why, fix=refusal.fix) from None
    inputs = example_inputs(graph)
    meta = {**weights.meta, **_described(about.get("model")), "arch": KIND, "arch_args": {"graph": graph.digest}}
    n_classes = meta.pop("n_classes", None)
    example = inputs[0] if len(inputs) == 1 else None
    unsteady = () if example is None else disagreements(network, example)
    return LoadedModel(
        address=weights.address,
        module=network,
        weights={name: p.detach() for name, p in network.named_parameters()},
        digest=tensors_digest(tensors),
        example=as_inputs(inputs),
        n_classes=n_classes if isinstance(n_classes, int) else None,
        data=weights.data,
        repairs=weights.repairs,
        findings=(*findings(tensors, weights.oddities), *unsteady),
        meta={**meta, "graph": about["graph"], **_kept(about, "proof", "source")},
        matrices=matrices(network, example),
    )


def _graph(about: JsonObject) -> Graph:
    if about.get("version") != VERSION:
        raise refused(f"it is of version {str(about.get('version'))[:20]!r}, and version {VERSION} is read here")
    return read(about.get("graph"))


def _all(tensors: Mapping[str, Tensor], aliases: Mapping[str, str]) -> dict[str, Tensor]:
    return {**tensors, **{name: tensors[first] for name, first in aliases.items()}}


def _described(raw: object) -> JsonDict:
    """What the file says of its inputs, as far as it is of the expected kind."""
    if not isinstance(raw, dict):
        return {}
    sizes = {name: raw[name] for name in _SIZES if name in raw}
    return {name: value for name, value in sizes.items() if _plausible(name, value)}


def _plausible(name: str, value: object) -> bool:
    if name == "made_from":
        return isinstance(value, str) and len(value) <= 200
    if name in ("size", "n_classes"):
        return type(value) is int and 1 <= value <= 2**20
    if name == "classes":
        return is_class_names(value)
    whole = name == "input_shape"
    return (
        isinstance(value, list)
        and 0 < len(value) <= 4096
        and all(type(v) is int if whole else type(v) in (int, float) and math.isfinite(v) for v in value)
    )


def is_class_names(value: object) -> bool:
    """Whether this is a list of names of classes, as a file may state them."""
    texts = isinstance(value, list) and all(isinstance(name, str) and len(name) <= 200 for name in value)
    return texts and isinstance(value, list) and 0 < len(value) <= 2**20


def _kept(about: JsonObject, *names: str) -> JsonDict:
    return {name: about[name] for name in names if isinstance(about.get(name), dict)}


__all__ = ["KIND", "VERSION", "Graph", "check", "description", "is_slim", "opened", "read"]
