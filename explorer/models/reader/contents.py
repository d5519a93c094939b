"""From whatever was saved to a flat ``{name: tensor}``, every tensor proven to be what it claims."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from explorer.models.named import other_set
from explorer.models.reader.formats import SAVE_AGAIN
from explorer.text.names import clean, listed
from explorer.types.aliases import JsonDict
from explorer.types.files.reading.limits import MAX_TENSOR_BYTES, MAX_TENSORS
from explorer.types.files.reading.refusal import RefusedError

# Where training scripts put the weights, most usual first.
CONTAINERS = ("state_dict", "model_state_dict", "model", "module", "net", "weights", "params")
NO_WEIGHTS = ("optim", "sched", "scaler", "rng", "amp")
MAX_DEPTH = 8
MAX_EXTRA = 100_000
TOO_MUCH = RefusedError("Its tensors take more memory than those in a file of its size may.", SAVE_AGAIN)
STORABLE = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64),
    *(torch.uint16, torch.uint32, torch.uint64),
}


@dataclass
class Contents:
    """Unique tensors under their first name; ``aliases`` maps the other names of tied ones."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    facts: JsonDict = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    extra: JsonDict = field(default_factory=dict)
    kind: str = ""


def flat(saved: Any) -> tuple[JsonDict, list[str], JsonDict]:
    """({name: tensor}, repairs, other facts such as the epoch); RefusedError when there are no tensors."""
    if isinstance(saved, Tensor):
        return {"tensor": saved}, [], {}
    if not isinstance(saved, Mapping):
        raise RefusedError(f"It holds a {type(saved).__name__}, not named weights.", SAVE_AGAIN)
    facts = {clean(str(key)): value for key, value in saved.items() if _is_fact(value)}
    repairs: list[str] = []
    if optimizers := _optimizers(saved, "", 0):
        repairs.append(f"Left out, as it is the state of an optimizer: {listed(optimizers)}.")
    while (inner := _container(saved)) is not None and len(repairs) < MAX_DEPTH:
        repairs.append(f"The weights were found under {inner!r}.")
        saved = saved[inner]
    saved = {key: value for key, value in saved.items() if not _is_extra(key, value)}
    tensors: JsonDict = {}
    for name, value in _walk(saved, "", 0):
        if name in tensors:
            raise RefusedError(f"It names {clean(name)!r} twice, so what it contains is ambiguous.", SAVE_AGAIN)
        tensors[name] = value
        if len(tensors) > MAX_TENSORS:
            raise RefusedError(f"It holds more than {MAX_TENSORS:,} tensors.", "Split the file.")
    if not tensors:
        raise RefusedError("It holds no tensors.", SAVE_AGAIN)
    return tensors, repairs, dict(list(facts.items())[:20])


def extra_state(saved: object) -> JsonDict:
    """The extra state of modules beside the tensors that are read, by name, where it is plain numbers and texts."""
    for _ in range(MAX_DEPTH):
        if not isinstance(saved, Mapping) or (inner := _container(saved)) is None:
            break
        saved = saved[inner]
    entries = saved.items() if isinstance(saved, Mapping) else ()
    extra = {str(key): value for key, value in entries if _is_extra(key, value)}
    return extra if len(json.dumps(extra)) <= MAX_EXTRA else {}


def _is_extra(key: object, value: object) -> bool:
    return str(key).endswith("_extra_state") and _is_plain(value, 0)


def _is_plain(value: object, depth: int) -> bool:
    """Whether JSON can hold it."""
    if isinstance(value, Mapping):
        entries: list[object] = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple):
        entries = list(value)
    else:
        return value is None or isinstance(value, str | bool | float) or (type(value) is int and abs(value) < 2**63)
    return depth < MAX_DEPTH and all(_is_plain(entry, depth + 1) for entry in entries)


def chosen_set(saved: object, key: str) -> object:
    """The part of what was saved that stands under a key, or under names that begin with it; RefusedError without."""
    if not isinstance(saved, Mapping):
        raise _no_set(key, [])
    if isinstance(saved.get(key), Mapping):
        return saved[key]
    inner = saved
    for _ in range(MAX_DEPTH):
        part = {name.removeprefix(f"{key}."): t for name, t in _walk(inner, "", 0) if name.startswith(f"{key}.")}
        container = _container(inner)
        if part or container is None:
            break
        inner = inner[container]
    if not part:
        raise _no_set(key, [str(name) for name, value in saved.items() if isinstance(value, Mapping)])
    return part


def _no_set(key: str, keys: list[str]) -> RefusedError:
    there = f"It has {listed([clean(name) for name in keys])}." if keys else "It holds one set of weights."
    return RefusedError(f"It holds no weights under {clean(key)!r}.", f"{there} Leave out the part from # on.")


def other_sets(saved: object) -> list[str]:
    """What to know of weights that stand beside those that are read: averaged ones, or those of another network."""
    passed_over: list[str] = []
    for _ in range(MAX_DEPTH):
        if not isinstance(saved, Mapping) or (inner := _container(saved)) is None:
            break
        for key, value in saved.items():
            holds = isinstance(value, Mapping) and any(tensor.dim() for _, tensor in _walk(value, "", 1))
            if key != inner and holds and not str(key).lower().startswith(NO_WEIGHTS):
                passed_over.append(clean(str(key)))
        saved = saved[inner]
    if not passed_over:
        return []
    note = f"The file holds other weights, too, which were not read: {listed(passed_over)}."
    return [note, other_set(passed_over[0])]


def _is_fact(value: object) -> bool:
    if isinstance(value, str):
        return len(value) < 200
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)


def _container(saved: Mapping[Any, Any]) -> str | None:
    for key in CONTAINERS:
        value = saved.get(key)
        if isinstance(value, Mapping) and any(True for _ in _walk(value, "", 0)):
            return key
    return None


def _walk(value: object, path: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield path, value
        return
    if depth == MAX_DEPTH or not isinstance(value, Mapping | list | tuple):
        return
    if _is_optimizer(value):
        return
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in pairs:
        if depth == 0 and str(key).lower().startswith(NO_WEIGHTS) and not isinstance(item, Tensor):
            continue
        yield from _walk(item, f"{path}.{key}" if path else str(key), depth + 1)


def _is_optimizer(value: Any) -> bool:
    return isinstance(value, Mapping) and "param_groups" in value and "state" in value


def _optimizers(value: Any, path: str, depth: int) -> list[str]:
    """Where optimizers of torch are, under whatever name."""
    if _is_optimizer(value):
        return [path or "all of it"]
    if depth == MAX_DEPTH or not isinstance(value, Mapping):
        return []
    inner = ((f"{path}.{key}" if path else str(key), item) for key, item in value.items())
    return [name for at, item in inner for name in _optimizers(item, at, depth + 1)]


def checked(tensors: Mapping[str, Tensor], out: Contents, room: int) -> None:
    """Put every tensor into ``out``, dense, contiguous, on the CPU and once; say what was odd.

    RefusedError when they take more than ``room`` bytes.
    """
    seen: dict[tuple[Any, ...], str] = {}
    left_out: list[str] = []
    total = 0
    for name, tensor in tensors.items():
        dense = _dense(name, tensor.detach(), out, room - total)
        if dense is None:
            left_out.append(name)
            continue
        key = (dense.data_ptr(), tuple(dense.shape), dense.stride(), dense.dtype, dense.numel() or name)
        if key in seen:
            out.aliases[name] = seen[key]
            continue
        seen[key] = name
        total += dense.numel() * dense.element_size()
        if total > room:
            raise TOO_MUCH
        out.tensors[name] = dense
    if left_out:
        out.oddities.append(f"Left out, because they hold no plain numbers: {listed(left_out)}.")
    if out.aliases:
        out.oddities.append(f"Tied weights, counted once: {listed(list(out.aliases))}.")
    out.tensors = {name: tensor.contiguous() for name, tensor in out.tensors.items()}
    if not out.tensors:
        raise RefusedError("It holds no tensors with plain numbers.", SAVE_AGAIN)


def plain(tensors: Mapping[str, Tensor], out: Contents, room: int) -> None:
    """:func:`checked` for tensors that a library has made anew: dense, contiguous and apart from each other."""
    total = sum(tensor.nbytes for tensor in tensors.values())
    if total > room:
        raise TOO_MUCH
    out.tensors = {name: tensor for name, tensor in tensors.items() if tensor.dtype in STORABLE}
    if left_out := [name for name in tensors if name not in out.tensors]:
        out.oddities.append(f"Left out, because they hold no plain numbers: {listed(left_out)}.")
    if not out.tensors:
        raise RefusedError("It holds no tensors with plain numbers.", SAVE_AGAIN)


def _dense(name: str, tensor: Tensor, out: Contents, room: int) -> Tensor | None:
    """The tensor as plain numbers, or None when it has none."""
    if tensor.is_meta or tensor.is_nested:
        return None
    if tensor.numel() * tensor.element_size() > MAX_TENSOR_BYTES:
        raise RefusedError(f"{clean(name)!r} claims {tensor.numel():,} numbers, more than are read.", SAVE_AGAIN)
    if tensor.is_quantized:
        out.repairs.append(f"{clean(name)} was stored quantized and is shown dequantized.")
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        if tensor.numel() * tensor.element_size() > room:
            raise TOO_MUCH
        out.repairs.append(f"{clean(name)} was stored sparse and is shown dense.")
        tensor = tensor.to_dense()
    elif tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        why = f"{clean(name)!r} claims more numbers than the file holds for it."
        raise RefusedError(why, "If it was expanded, save what its contiguous() gives in its place.")
    return tensor.resolve_conj().resolve_neg() if tensor.dtype in STORABLE else None
