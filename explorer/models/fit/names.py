"""The names of a file's weights brought to those that a module has for them, and what a file holds besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from explorer.text.names import clean, listed

COUNTER = "num_batches_tracked"
OTHERS_COUNTERS = frozenset({"total_ops", "total_params", "n_averaged"})
"""What counters of operations and averaged models put beside the weights: one number each."""

_WRAPPERS = ("module.", "_orig_mod.")
_INNER_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_LOSSES = ("criterion", "loss", "loss_fn", "loss_func", "losses", "metric", "metrics")
_AVERAGED = ("ema", "avg", "averag", "shadow", "swa", "teacher", "target", "momentum")


@dataclass(frozen=True)
class Mismatch:
    """How the names and shapes of some weights differ from those of a module."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.shapes)

    def __len__(self) -> int:
        return len(self.missing) + len(self.unexpected) + len(self.shapes)


@dataclass(frozen=True)
class Adapted:
    """Tensors under a module's names, what was done for that, and how they still differ, by the smallest difference.

    ``others`` are further prefixes under which a whole set of weights of the same network stands.
    """

    tensors: dict[str, Tensor]
    repairs: tuple[str, ...] = ()
    wrong: Mismatch = Mismatch((), (), ())
    others: tuple[str, ...] = ()


def unwrapped(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors without what parallel training and torch.compile put into names, and the repairs."""
    inner, repairs = _without_inner_wrappers(tensors)
    while weights := [name for name in inner if not _counts(name, inner[name])]:
        prefix = next((p for p in _WRAPPERS if all(name.startswith(p) for name in weights)), None)
        shorter = None if prefix is None else _renamed(inner, partial(_without, prefix))
        if shorter is None:
            break
        inner = shorter
        repairs.append(f"The prefix {prefix!r} was removed from every name.")
    return inner, repairs


def _without_inner_wrappers(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Names without the parts that are nobody's own: torch puts them where it wraps a part of a network."""
    present = [part for part in _INNER_WRAPPERS if any(f".{part}." in name for name in tensors)]
    if not present:
        return dict(tensors), []

    def shorter(name: str) -> str:
        first, *parts = name.split(".")
        return ".".join([first, *(part for part in parts if part not in present)])

    renamed = _renamed(tensors, shorter)
    if renamed is None:
        return dict(tensors), []
    return renamed, [f"{clean(part)!r} was removed from inside the names." for part in present]


def _without(prefix: str, name: str) -> str:
    return name.removeprefix(prefix)


def _renamed(tensors: Mapping[str, Tensor], rename: Callable[[str], str]) -> dict[str, Tensor] | None:
    """The tensors under other names; None where two would have one name, or one none."""
    renamed = {rename(name): tensor for name, tensor in tensors.items()}
    return renamed if len(renamed) == len(tensors) and "" not in renamed else None


def compare(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Mismatch:
    """Names and shapes that differ; the step counters of batch norms are no weights and never missed."""
    return Mismatch(
        missing=tuple(n for n in expected if n not in tensors and not n.endswith(COUNTER)),
        unexpected=tuple(n for n in tensors if n not in expected and not n.endswith(COUNTER)),
        shapes=tuple(
            f"{clean(n)} is {form(tensors[n])} instead of {form(t)}"
            for n, t in expected.items()
            if n in tensors and not _same_form(tensors[n], t)
        ),
    )


def adapted(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], ties: Sequence[Sequence[str]] = ()
) -> Adapted:
    """The tensors under the ``expected`` names.

    A prefix may stand before all of them; what other tools counted, losses, and what stands outside the prefix are
    left out and named. Of ``ties`` (names of one tensor) one is enough.
    """
    if not compare(tensors, expected):
        return Adapted(dict(tensors))
    tried = [_under(prefix, tensors, expected, ties) for prefix in _prefixes(tensors, expected)]
    whole = [one for one in tried if not one.wrong]
    if not whole:
        return min(tried, key=lambda one: len(one.wrong))
    best, *rest = sorted(whole, key=lambda one: _is_averaged(one.prefix))
    named = _left_out(best, tensors, [other.prefix for other in rest])
    prefix = [f"The prefix {clean(best.prefix)!r} was removed from every name."] if best.prefix else []
    return Adapted(best.tensors, (*prefix, *named), others=tuple(other.prefix for other in rest))


@dataclass(frozen=True)
class _Set(Adapted):
    """What stands under one prefix."""

    prefix: str = ""


def _prefixes(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Iterator[str]:
    """What may stand before the names, by where the expected names stand; "" comes first."""
    yield ""
    longest = max((name for name in expected if not name.endswith(COUNTER)), key=len, default="")
    if longest:
        ending = f".{longest}"
        yield from (name.removesuffix(longest) for name in tensors if name.endswith(ending))


def _under(
    prefix: str, tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], ties: Sequence[Sequence[str]]
) -> _Set:
    inner = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    wrong = compare(inner, expected)
    given = {name for group in ties if not inner.keys().isdisjoint(group) for name in group}
    beside = {name for name in wrong.unexpected if _counts(name, inner[name]) or name.partition(".")[0] in _LOSSES}
    wrong = Mismatch(
        tuple(name for name in wrong.missing if name not in given),
        tuple(name for name in wrong.unexpected if name not in beside),
        wrong.shapes,
    )
    return _Set({name: t for name, t in inner.items() if name not in beside}, wrong=wrong, prefix=prefix)


def _left_out(best: _Set, tensors: Mapping[str, Tensor], others: Iterable[str]) -> list[str]:
    """What of the file is not read, in sentences; whole other sets are told apart from it."""
    others = tuple(others)
    read = {best.prefix + name for name in best.tensors}
    beside = [name for name in tensors if name not in read and not (others and name.startswith(others))]
    counters = [name for name in beside if _counts(name, tensors[name])]
    rest = [name for name in beside if name not in counters]
    repairs = [f"Left out, as other tools counted in them: {listed(counters)}."] if counters else []
    if rest:
        repairs.append(f"Left out, as the network has nothing of that name: {listed(rest)}.")
    return repairs


def _is_averaged(prefix: str) -> bool:
    return any(word in prefix.lower() for word in _AVERAGED)


def _counts(name: str, tensor: Tensor) -> bool:
    return name.rpartition(".")[2] in OTHERS_COUNTERS and tensor.numel() == 1


def _same_form(have: Tensor, expected: Tensor) -> bool:
    return have.shape == expected.shape and have.is_floating_point() == expected.is_floating_point()


def form(tensor: Tensor) -> str:
    """ "16 x 3 x 3 x 3", with the type where it is not floating point."""
    shape = " x ".join(str(size) for size in tensor.shape) or "one number"
    return shape if tensor.is_floating_point() else f"{shape} ({dtype_name(tensor.dtype)})"


def dtype_name(dtype: torch.dtype) -> str:
    """ "bfloat16"."""
    return str(dtype).removeprefix("torch.")
