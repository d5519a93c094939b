"""Networks and files that several tests of the exports use."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from explorer import models
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score, why_no_units
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, Plan

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pruning"))

CHANNELS = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")
HIDDEN = PruneSpec("hidden_unit", "lp_norm", "uniform:sparsity=0.5")


def cut_in_half(model: LoadedModel) -> Plan:
    """Half of the channels of every layer go, the first one's too; of a recurrent network half of its hidden units."""
    spec = HIDDEN if why_no_units(score(model, CHANNELS)) else CHANNELS
    for group in plan(model, spec).groups:
        if group.locked:
            spec = spec.with_limit(group.group.name, Limit(locked=False))
    return plan(model, spec)


def random_model(key: str) -> LoadedModel:
    """An architecture with weights of chance and batch norms that are not neutral."""
    from builders import loaded

    torch.manual_seed(1)
    architecture = models.ARCHITECTURES.get(key)
    return loaded(architecture.build(), *architecture.input_shape, n_classes=architecture.n_classes)


def graph(**changes: Any) -> dict[str, Any]:
    """The description of relu(linear(x)), with parts replaced."""
    steps = [step("x", "input", "x"), step("fc", "layer", "fc", {"node": "x"})]
    document = {
        "inputs": [{"shape": [4], "dtype": "float32"}],
        "layers": {"fc": {"type": "Linear", "args": {"in_features": 4, "out_features": 3, "bias": True}}},
        "tensors": {},
        "tied": {},
        "steps": [*steps, step("relu", "call", "torch.relu", {"node": "fc"})],
        "output": {"node": "relu"},
    }
    return {**document, **changes}


def step(name: Any, op: str, target: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "target": target, "args": list(args), "kwargs": kwargs}


def slim_bytes(document: Any, tensors: dict[str, Tensor] | None = None, **about: Any) -> bytes:
    """A file that claims to be a slim model."""
    fc = nn.Linear(4, 3)
    tensors = {"fc.weight": fc.weight.detach(), "fc.bias": fc.bias.detach()} if tensors is None else tensors
    said = {"kind": "slim", "version": 1, "graph": document, **about}
    content: bytes = save(tensors, metadata={"explorer": json.dumps(said)})
    return content


def header_of(content: bytes) -> dict[str, Any]:
    """What a safetensors file says of itself."""
    length = int.from_bytes(content[:8], "little")
    found: dict[str, Any] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["explorer"])
    return found


def tensors_of(content: bytes) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load(content)
    return found
