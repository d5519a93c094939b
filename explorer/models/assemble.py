"""Weights poured into an architecture: every key fits exactly, or the file is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.models.computed_weights import folded
from explorer.models.fit.names import Adapted, adapted, compare, dtype_name, form, unwrapped
from explorer.models.fit.own_loading import extra_states, taken_its_own_way, tensors_in_state
from explorer.models.libraries.fingerprints import proposed
from explorer.models.matrices import matrices
from explorer.models.named import other_set
from explorer.models.plain_weights import computes_weights, made_plain
from explorer.models.stored import parted
from explorer.models.tied import completed, tie, tied_names
from explorer.models.unsteady import disagreements
from explorer.models.without_numbers import without_numbers
from explorer.params import member_to_json
from explorer.ranking.together import not_finite
from explorer.text.names import clean, listed
from explorer.types import Finding, Inputs, LoadedModel, tensors_digest
from explorer.types.aliases import JsonObject

_LONG = 400  # characters of names: of longer ones, fewer are listed
_MANY_TIMES = 8  # a file with so many times the tensors of an architecture is not that architecture wrapped up


@dataclass(frozen=True, eq=False)
class Weights:
    """What was read, with what is known about it; ``label`` names it in messages.

    ``extra`` is the extra state of modules, by name, where it is plain numbers and texts.
    """

    address: str
    label: str
    tensors: Mapping[str, Tensor]
    aliases: Mapping[str, str] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    data: str | None = None
    meta: JsonObject = field(default_factory=dict)
    extra: JsonObject = field(default_factory=dict)


def skeleton(architecture: Architecture) -> nn.Module:
    """The module without any numbers: what is not poured in cannot be run by accident."""
    with without_numbers():
        return architecture.build()


def fitting(tensors: Mapping[str, Tensor]) -> list[str]:
    """The architectures that these weights fit: built in, with default arguments, then those of installed libraries."""
    states = _usual_states()
    if len(tensors) > _MANY_TIMES * max(map(len, states.values())):
        return []
    names, _ = folded(unwrapped(tensors)[0])
    return [*(key for key, state in states.items() if not adapted(names, state).wrong), *proposed(names)]


@cache
def _usual_states() -> dict[str, dict[str, Tensor]]:
    """The tensors of each architecture with default arguments, without memory."""
    return {a.key: skeleton(ARCHITECTURES.get(a.key)).state_dict() for a in ARCHITECTURES}


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
    return pour(weights, module, meta, _example(architecture), architecture.n_classes)


def _example(architecture: Architecture) -> Tensor:
    """A batch of one input: numbers, or tokens."""
    generator = torch.Generator().manual_seed(0)
    shape, n_tokens = (1, *architecture.input_shape), getattr(architecture, "n_tokens", None)
    if n_tokens is not None:
        return torch.randint(n_tokens, shape, generator=generator)
    return torch.randn(shape, generator=generator)


def pour(
    weights: Weights, module: nn.Module, meta: JsonObject, example: Inputs | None, n_classes: int | None
) -> LoadedModel:
    """The module with exactly these weights, in eval mode and without gradients."""
    poured = _poured(weights, module, meta)
    folding = made_plain(module.eval())
    module.requires_grad_(False)
    return LoadedModel(
        address=weights.address,
        module=module,
        weights={name: p.detach() for name, p in module.named_parameters()},
        digest=tensors_digest(poured.tensors),
        example=example,
        n_classes=n_classes,
        data=weights.data,
        repairs=(*poured.repairs, *folding),
        findings=(
            *findings(tensors_in_state(module), (*weights.oddities, *_of_other_sets(poured.others))),
            *(() if example is None else disagreements(module, example)),
        ),
        meta={**weights.meta, **meta, "dtypes": poured.dtypes},
        matrices=matrices(module, example),
    )


@dataclass(frozen=True)
class _Poured(Adapted):
    """What was put into a module: the tensors as they came, and the types of those that are computed in another."""

    dtypes: Mapping[str, str] = field(default_factory=dict)


def _poured(weights: Weights, module: nn.Module, meta: JsonObject) -> _Poured:
    """Put the weights into the module; ExplorerError, with the smallest difference, where they do not fit."""
    named, unwrapping = unwrapped(_all_names(weights))
    before = (*weights.repairs, *unwrapping)
    if compare(named, tensors_in_state(module)):
        if (taking := taken_its_own_way(module, named, weights.extra)) is not None:
            dtypes = _one_type(named, module)
            return _Poured(named, (*before, *taking, *conversions(dtypes)), dtypes=dtypes)
        if computes_weights(module):
            # The file holds the weights as they are, or in other parts than the module computes them from.
            made_plain(module.eval())
    expected = tensors_in_state(module)
    tensors, folding = folded(named, expected)
    fit = adapted(tensors, expected, tied_names(module))
    if fit.wrong:
        raise _refusal(weights, fit, meta)
    tensors, tying = completed(fit.tensors, tied_names(module), weights.label, str(meta["arch"]))
    state, converting, dtypes = _as_expected(tensors, expected)
    extra, noted = extra_states(module, weights.extra)
    _fill(module, {**extra, **state})
    repairs = (*before, *folding, *fit.repairs, *tying, *converting, *noted)
    return _Poured(tensors, repairs, others=fit.others, dtypes=dtypes)


def _of_other_sets(prefixes: Sequence[str]) -> list[str]:
    if not prefixes:
        return []
    names = [prefix.removesuffix(".") for prefix in prefixes]
    note = f"The file holds other weights, too, which were not read: {listed(names)}."
    return [note, other_set(names[0])]


def _fill(module: nn.Module, state: Mapping[str, object]) -> None:
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
            listed.append(Finding("warn", f"{clean(name)} is empty.", f"Shape {form(tensor)}.", layer=layer))
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


def _as_expected(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str], dict[str, str]]:
    """The state in the module's own types, what was converted, and the types of the file."""
    state: dict[str, Tensor] = {}
    dtypes = _other_types(tensors, expected)
    n_counters = 0
    for name, want in expected.items():
        if name not in tensors:
            state[name] = torch.zeros(want.shape, dtype=want.dtype)
            n_counters += 1
            continue
        state[name] = tensors[name].to(want.dtype)
    repairs = conversions(dtypes)
    if n_counters:
        repairs.append(f"{n_counters} step counters of batch norms are absent; they play no part in evaluation.")
    return state, repairs, dtypes


def conversions(dtypes: Mapping[str, str]) -> list[str]:
    """What was converted for computing, one sentence a type; ``dtypes`` by name."""
    return [f"Stored as {dtype}; computed as float32." for dtype in sorted(set(dtypes.values()))]


def _widened(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors with 8-bit floats as float32 (torch can compare and rank nothing smaller), and what those were."""
    dtypes = {
        name: dtype_name(t.dtype) for name, t in tensors.items() if t.is_floating_point() and t.element_size() == 1
    }
    return {name: t.float() if name in dtypes else t for name, t in tensors.items()}, dtypes


def _scales(tensors: Mapping[str, Tensor], dtypes: Mapping[str, str]) -> list[str]:
    """What to know about 8-bit floats whose scales are stored beside them."""
    beside = [name for name in tensors if name not in dtypes and any(name.startswith(f"{n}_scale") for n in dtypes)]
    if not beside:
        return []
    return [f"8-bit weights are shown as stored, without the scales beside them: {listed(beside)}."]


def _refusal(weights: Weights, fit: Adapted, meta: JsonObject) -> ExplorerError:
    wrong = fit.wrong
    parts = {"Missing": wrong.missing, "not expected": wrong.unexpected, "other shape": wrong.shapes}
    most = 5 if sum(map(len, (name for names in parts.values() for name in names[:5]))) < _LONG else 2
    why = "; ".join(f"{part}: {listed(names, most)}" for part, names in parts.items() if names)
    if wrong.unexpected and len(wrong) == len(wrong.unexpected):
        why += "; all weights of the architecture fit, and only this is too many"
    fits = fitting(weights.tensors)
    fix = f"It fits {listed(fits)}." if fits else "Choose the architecture this file was saved from."
    return ExplorerError(
        f"{weights.label} does not fit {meta['arch']!r}.", why=why[:1].upper() + why[1:] + ".", fix=fix
    )


def _other_types(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, str]:
    """The types of the tensors that are computed in another, by name."""
    types = {name: tensors[name].dtype for name in expected if name in tensors}
    return {name: dtype_name(dtype) for name, dtype in types.items() if dtype != expected[name].dtype}


def _one_type(tensors: Mapping[str, Tensor], module: nn.Module) -> dict[str, str]:
    """The type of all of a file's numbers, for each of the module's, where there is only one and another one."""
    types = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if len(types) != 1 or (only := types.pop()) == torch.float32:
        return {}
    return {name: dtype_name(only) for name, t in tensors_in_state(module).items() if t.is_floating_point()}
