"""Files of weights: valid ones of every form, and what the app does with one that opens."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

import explorer as ex
from explorer import component, export
from explorer.component import ListState
from explorer.errors import ExplorerError
from explorer.metrics.size import sizes
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.types import LoadedModel
from tests.fuzz import containers, mutations
from tests.fuzz.kind import Kind
from tests.models.test_gguf import entry, gguf, halves, tensor
from tests.models.weights_on_disk import mlp_state

SAMPLES = Path("sample_models")


@cache
def sample(name: str) -> LoadedModel:
    """A bundled model."""
    return ex.load(name)


def plain() -> list[bytes]:
    """Bundled files, and one of many kinds of numbers."""
    odd = {
        "half": torch.ones(4).half(),
        "b": torch.ones(3).bfloat16(),
        "bool": torch.ones(2) > 0,
        "none": torch.ones(0),
    }
    return [*((SAMPLES / f"digits-{name}.safetensors").read_bytes() for name in ("mlp", "cnn", "gru")), save(odd)]


def slim() -> list[bytes]:
    """Models that bring their own graph."""
    units = (("digits-cnn", "out_channel"), ("digits-vit", "head"), ("digits-gru", "hidden_unit"))
    return [export.slim_file(sample(name), _cut(name, granularity)) for name, granularity in units]


def packed() -> list[bytes]:
    """Pruned weights stored as bits."""
    return [export.bitmask_file(sample("digits-mlp"), ex.plan(sample("digits-mlp"), _spec("weight", "global", 0.8)))]


def _cut(name: str, granularity: str) -> ex.Plan:
    return ex.plan(sample(name), _spec(granularity, "uniform", 0.4))


def _spec(granularity: str, allocation: str, sparsity: float) -> ex.PruneSpec:
    return ex.PruneSpec(granularity, "lp_norm", f"{allocation}:sparsity={sparsity}")


def odd_tensors() -> dict[str, object]:
    """Tied, narrow, strided, sparse and quantized tensors."""
    tied = torch.ones(6, 6)
    return {
        "a": tied,
        "b": tied,
        "half": torch.ones(4).half(),
        "view": torch.arange(100.0).reshape(10, 10)[:, 2:5].t(),
        "sparse": torch.eye(3).to_sparse(),
        "rows": torch.eye(4).to_sparse_csr(),
        "quantized": torch.quantize_per_tensor(torch.ones(4, 4), 0.1, 0, torch.qint8),
        "parameter": nn.Parameter(torch.ones(2, 2)),
    }


def checkpoints() -> list[bytes]:
    """What torch.save writes: states, training states, odd tensors, a module as a whole, a program."""
    training = {"model": mlp_state(), "epoch": 3, "optimizer": {"state": {0: {"step": 1}}}, "best": 0.9}
    wrapped = {"state_dict": {f"module.{name}": tensor for name, tensor in mlp_state().items()}}
    saved = [_saved(value) for value in (mlp_state(), training, odd_tensors(), wrapped, nn.Linear(3, 2))]
    script = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(3, 2)), script)
    return [*saved, script.getvalue()]


def old_checkpoints() -> list[bytes]:
    """The same in the format before PyTorch 1.6."""
    small: dict[str, Tensor] = {"conv.weight": torch.ones(8, 1, 3, 3), "bn.n": torch.tensor(3)}
    return [_saved(value, legacy=True) for value in (small, mlp_state(), odd_tensors())]


def _saved(value: object, legacy: bool = False) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(value, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def onnx_files() -> list[bytes]:
    """Graphs that run."""
    return [
        export.onnx_file(sample(name), ex.plan(sample(name), ex.PruneSpec())) for name in ("digits-mlp", "digits-cnn")
    ]


def gguf_files() -> list[bytes]:
    """Blocks of four bits and of eight, and plain numbers."""
    four = halves(0.5) + bytes(range(16))
    eight = halves(2.0) + bytes(range(32))
    plain_numbers = struct.pack("<6f", *range(6))
    places = [tensor("four", (32, 1), 2, 0), tensor("eight", (32, 1), 8, 32), tensor("plain", (2, 3), 0, 96)]
    body = b"".join(part + bytes(-len(part) % 32) for part in (four, eight, plain_numbers))
    return [gguf(places, body, [entry("general.name", "Small"), entry("general.alignment", 32)])]


def opened(suffix: str, content: bytes, folder: Path) -> str:
    """The file opened by its path, and used."""
    path = folder / f"input{suffix}"
    path.write_bytes(content)
    model = ex.load(str(path))
    return use(model)


def with_description(name: str, content: bytes, folder: Path) -> str:
    """A sound file of weights with this beside it."""
    (folder / "input.safetensors").write_bytes(save(load_file(SAMPLES / "digits-cnn.safetensors")))
    (folder / name).write_bytes(content)
    return use(ex.load(str(folder / "input.safetensors")))


def use(model: LoadedModel) -> str:
    """What the screens do with a model; "warns" where something was to be said of it."""
    layer_table(model)
    for granularity in ("weight", "out_channel"):
        with suppress(ExplorerError):
            spec = _spec(granularity, "global", 0.5)
            scores = score(model, spec, None)
            planned = plan(model, spec, scores)
            component.payload(scores.groups, scores.values, planned, ListState(1))
            sizes(model, planned)
    if model.module is not None:
        with suppress(ExplorerError):
            ex.evaluate(model, _spec("weight", "global", 0.5), ex.load_data(model.data or "none", model=model))
    return "warns" if model.repairs or model.findings else "opens"


def descriptions() -> list[bytes]:
    """What may lie beside a file of weights."""
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5").to_json()
    about = {"arch": "digits-cnn", "arch_args": {"width": 32}, "data": "digits", "spec": spec, "classes": ["a", "b"]}
    return [mutations.as_json(about)]


def manifest() -> list[bytes]:
    """A manifest that names the file."""
    text = '[input]\narchitecture = "digits-cnn"\ndata = "digits"\n[input.arguments]\nwidth = 32\n'
    return [text.encode()]


def _kind(
    name: str, seeds: Callable[[], list[bytes]], mutated: Callable[..., bytes], suffix: str, share: float
) -> Kind:
    return Kind(name, seeds, mutated, partial(opened, suffix), share)


KINDS = (
    _kind("safetensors", plain, containers.safetensors, ".safetensors", 3),
    _kind("slim", slim, containers.safetensors, ".safetensors", 3),
    _kind("packed", packed, containers.safetensors, ".safetensors", 2),
    _kind("checkpoint", checkpoints, containers.checkpoint, ".pt", 3),
    _kind("old checkpoint", old_checkpoints, mutations.mutated, ".pt", 2),
    _kind("gguf", gguf_files, mutations.mutated, ".gguf", 2),
    _kind("onnx", onnx_files, containers.onnx_graph, ".onnx", 1),
    Kind("description", descriptions, mutations.edited_json, partial(with_description, "input.spec.json"), 2),
    Kind("manifest", manifest, mutations.edited_text, partial(with_description, "manifest.toml"), 2),
)
