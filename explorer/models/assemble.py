"""Weights poured into an architecture: every key fits exactly, or the file is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.models.computed_weights import folded
from explorer.models.matrices import matrices
from explorer.models.plain_weights import computes_weights, made_plain
from explorer.models.stored import parted
from explorer.models.tied import completed, tie, tied_names
from explorer.models.unsteady import disagreements
from explorer.params import member_to_json
from explorer.ranking.together import not_finite
from explorer.text.names import clean, listed
from explorer.types import Finding, Inputs, LoadedModel, tensors_digest
from explorer.types.aliases import JsonObject

WRAPPERS = ("module.", "_orig_mod.")
COUNTER = "num_batches_tracked"


@dataclass(frozen=True, eq=False)
class Weights:
    """What was read, with what is known about it; ``label`` names it in messages."""

    address: str
    label: str
    tensors: Mapping[str, Tensor]
    aliases: Mapping[str, str] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    data: str | None = None
    meta: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Mismatch:
    """How the names and shapes of some weights differ from those of a module."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.shapes)


def skeleton(architecture: Architecture) -> nn.Module:
    """The module without any numbers: what is not poured in cannot be run by accident."""
    with torch.device("meta"):
        return architecture.build()


def unwrapped(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors without the prefixes that DataParallel and torch.compile put on every name."""
    inner, repairs = dict(tensors), []
    while inner:
        prefix = next((p for p in WRAPPERS if all(name.startswith(p) for name in inner)), None)
        if prefix is None or "" in (name[len(prefix) :] for name in inner):
            break
        inner = {name[len(prefix) :]: tensor for name, tensor in inner.items()}
        repairs.append(f"The prefix {prefix!r} was removed from every name.")
    return inner, repairs


def compare(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Mismatch:
    """Names and shapes that differ; the step counters of batch norms are no weights and never missed."""
    return Mismatch(
        missing=tuple(n for n in expected if n not in tensors and not n.endswith(COUNTER)),
        unexpected=tuple(n for n in tensors if n not in expected and not n.endswith(COUNTER)),
        shapes=tuple(
            f"{clean(n)} is {_form(tensors[n])} instead of {_form(t)}"
            for n, t in expected.items()
            if n in tensors and (tensors[n].shape != t.shape or _is_float(tensors[n]) != _is_float(t))
        ),
    )


def fitting(tensors: Mapping[str, Tensor]) -> list[str]:
    """Keys of the architectures that these weights fit exactly, with default arguments."""
    names, _ = folded(unwrapped(tensors)[0])
    n_weights = _n_weights(names)
    states = ((a.key, skeleton(ARCHITECTURES.get(a.key)).state_dict()) for a in ARCHITECTURES)
    return [key for key, state in states if n_weights == _n_weights(state) and not compare(names, state)]


def _n_weights(names: Iterable[str]) -> int:
    """How many of the names are of weights and not of the step counters of batch norms."""
    return sum(not name.endswith(COUNTER) for name in names)


def assemble(weights: Weights, architecture: Architecture) -> LoadedModel:
    """A runnable model; ExplorerError that lists the keys when the weights do not fit."""
    module = skeleton(architecture)
    described = member_to_json(architecture)
    meta = {
        "arch": described.pop("key"),
        "arch_args": described,
        "input_shape": list(architecture.input_shape),
        "size": architecture.input_shape[-1],
        "mean": list(architecture.mean),
        "std": list(architecture.std),
    }
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(1, *architecture.input_shape, generator=generator)
    return pour(weights, module, meta, example, architecture.n_classes)


def pour(
    weights: Weights, module: nn.Module, meta: JsonObject, example: Inputs | None, n_classes: int | None
) -> LoadedModel:
    """The module with exactly these weights, in eval mode and without gradients."""
    if computes_weights(module) and compare(unwrapped(_all_names(weights))[0], module.state_dict()):
        # The file holds the weights as they are, or in other parts than the module computes them from.
        made_plain(module.eval())
    tensors, repairs = _fitted(weights, module, meta)
    state, converting, dtypes = _as_expected(tensors, module.state_dict())
    _fill(module, state)
    folding = made_plain(module.eval())
    module.requires_grad_(False)
    return LoadedModel(
        address=weights.address,
        module=module,
        weights={name: p.detach() for name, p in module.named_parameters()},
        digest=tensors_digest(tensors),
        example=example,
        n_classes=n_classes,
        data=weights.data,
        repairs=(*repairs, *folding, *converting),
        findings=(*findings(state, weights.oddities), *(() if example is None else disagreements(module, example))),
        meta={**weights.meta, **meta, "dtypes": dtypes},
        matrices=matrices(module, example),
    )


def _fitted(weights: Weights, module: nn.Module, meta: JsonObject) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors under the names that the module has for them, and the repairs; ExplorerError where they differ."""
    expected = module.state_dict()
    tensors, unwrapping = unwrapped(_all_names(weights))
    tensors, folding = folded(tensors, expected)
    tensors, stripping = _without_common_part(tensors, expected)
    tensors, tying = completed(tensors, tied_names(module), weights.label, str(meta["arch"]))
    if wrong := compare(tensors, expected):
        raise _refusal(weights, tensors, wrong, meta)
    return tensors, [*weights.repairs, *unwrapping, *folding, *stripping, *tying]


def _fill(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put the numbers in. Meta tensors have no memory to copy into; in a real module copying keeps ties."""
    is_empty, ties = any(p.is_meta for p in module.parameters()), tied_names(module)
    module.load_state_dict(state, strict=True, assign=is_empty)
    if is_empty:
        tie(module, ties)


def weights_only(weights: Weights, why: str) -> LoadedModel:
    """A model that cannot be run: its numbers can still be looked at and pruned."""
    stored, unwrapping = unwrapped(weights.tensors)
    stored, folding = folded(stored)
    tensors, dtypes = _widened(stored)
    parameters, buffers = parted(tensors)
    return LoadedModel(
        address=weights.address,
        module=None,
        weights=parameters,
        digest=tensors_digest(stored),
        data=weights.data,
        why_not_runnable=why,
        repairs=(*weights.repairs, *unwrapping, *folding, *conversions(dtypes)),
        findings=findings(tensors, (*weights.oddities, *_scales(stored, dtypes))),
        meta={**weights.meta, "fits": fitting(tensors), "tied": dict(weights.aliases), "dtypes": dtypes},
        buffers=buffers,
    )


def findings(tensors: Mapping[str, Tensor], oddities: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """What to know about these tensors: numbers that are none, empty tensors, and what the reader noticed."""
    listed = [Finding("warn", oddity) for oddity in oddities]
    broken = not_finite(tensors)
    for name, tensor in tensors.items():
        layer = name.removesuffix(".weight")
        if tensor.numel() == 0:
            listed.append(Finding("warn", f"{clean(name)} is empty.", f"Shape {_form(tensor)}.", layer=layer))
        elif n_bad := broken.get(name, 0):
            listed.append(
                Finding(
                    "fail",
                    f"{clean(name)} holds NaN or infinite numbers.",
                    f"{n_bad:,} of {tensor.numel():,}.",
                    "Use a checkpoint from before training diverged.",
                    layer,
                )
            )
    return tuple(listed)


def _all_names(weights: Weights) -> dict[str, Tensor]:
    return {**weights.tensors, **{name: weights.tensors[first] for name, first in weights.aliases.items()}}


def _without_common_part(
    tensors: dict[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str]]:
    """Names without a first part they all share ("model.", "net."), when that makes them fit."""
    first = {name.partition(".")[0] for name in tensors}
    if len(first) != 1 or not compare(tensors, expected):
        return tensors, []
    prefix = first.pop() + "."
    shorter = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    if compare(shorter, expected):
        return tensors, []
    return shorter, [f"The prefix {clean(prefix)!r} was removed from every name."]


def _as_expected(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str], dict[str, str]]:
    """The state in the module's own types, what was converted, and the types of the file."""
    state: dict[str, Tensor] = {}
    dtypes: dict[str, str] = {}
    n_counters = 0
    for name, want in expected.items():
        if name not in tensors:
            state[name] = torch.zeros(want.shape, dtype=want.dtype)
            n_counters += 1
            continue
        have = tensors[name]
        if have.dtype != want.dtype:
            dtypes[name] = _dtype_name(have)
        state[name] = have.to(want.dtype)
    repairs = conversions(dtypes)
    if n_counters:
        repairs.append(f"{n_counters} step counters of batch norms are absent; they play no part in evaluation.")
    return state, repairs, dtypes


def conversions(dtypes: Mapping[str, str]) -> list[str]:
    """What was converted for computing, one sentence a type; ``dtypes`` by name."""
    return [f"Stored as {dtype}; computed as float32." for dtype in sorted(set(dtypes.values()))]


def _widened(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors with 8-bit floats as float32 (torch can compare and rank nothing smaller), and what those were."""
    dtypes = {name: _dtype_name(t) for name, t in tensors.items() if t.is_floating_point() and t.element_size() == 1}
    return {name: t.float() if name in dtypes else t for name, t in tensors.items()}, dtypes


def _scales(tensors: Mapping[str, Tensor], dtypes: Mapping[str, str]) -> list[str]:
    """What to know about 8-bit floats whose scales are stored beside them."""
    beside = [name for name in tensors if name not in dtypes and any(name.startswith(f"{n}_scale") for n in dtypes)]
    if not beside:
        return []
    return [f"8-bit weights are shown as stored, without the scales beside them: {listed(beside)}."]


def _refusal(weights: Weights, tensors: Mapping[str, Tensor], wrong: Mismatch, meta: JsonObject) -> ExplorerError:
    parts = {"Missing": wrong.missing, "not expected": wrong.unexpected, "other shape": wrong.shapes}
    why = "; ".join(f"{part}: {listed(names)}" for part, names in parts.items() if names)
    fits = fitting(tensors)
    fix = f"It fits {listed(fits)}." if fits else "Choose the architecture this file was saved from."
    return ExplorerError(
        f"{weights.label} does not fit {meta['arch']!r}.", why=why[:1].upper() + why[1:] + ".", fix=fix
    )


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point()


def _form(tensor: Tensor) -> str:
    """ "16 x 3 x 3 x 3", with the type where it is not floating point."""
    shape = " x ".join(str(size) for size in tensor.shape) or "one number"
    return shape if _is_float(tensor) else f"{shape} ({_dtype_name(tensor)})"


def _dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
