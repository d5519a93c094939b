"""How a module runs, as a digest: with the same weights, another structure gives other numbers."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterator
from functools import partial

from torch import Tensor, nn

_LIBRARY = "torch."
_PLAIN = (str, int, float, bool, type(None), tuple, list, bytes)


def structure_digest(module: nn.Module, *more: object) -> str:
    """Equal digest = equal layers with equal settings, and equal code where it is the user's own.

    Of code the compiled instructions and constants count, with those of the functions that it names; so another
    version of Python may give another digest, and the file in which code stands does not matter. ``more`` is what
    else decides how it runs: functions, or plain values.
    """
    total = hashlib.sha256()
    seen: set[int] = set()
    for line in _lines(module, seen):
        total.update(line.encode() + b"\n")
    for value in more:
        for line in _value(value, seen):
            total.update(line.encode() + b"\n")
    return total.hexdigest()[:16]


def _lines(module: nn.Module, seen: set[int]) -> Iterator[str]:
    for name, part in module.named_modules(remove_duplicate=False):
        yield f"{name}: {type(part).__qualname__} {part.extra_repr()}"
        own = ((key, value) for key, value in sorted(vars(part).items()) if not key.startswith("_"))
        for key, value in own:
            if not isinstance(value, Tensor):
                yield f" {key}"
                yield from _value(value, seen)
        for place in type(part).__mro__:
            if not f"{place.__module__}.".startswith((_LIBRARY, "builtins.")):
                yield from _class(place, seen)


def _class(place: type, seen: set[int]) -> Iterator[str]:
    if id(place) in seen:
        return
    seen.add(id(place))
    for key, value in sorted(vars(place).items()):
        if key.startswith("__") and not isinstance(value, types.FunctionType):
            continue
        inner = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if isinstance(inner, (*_PLAIN, types.FunctionType)):
            yield f" {key}"
            yield from _value(inner, seen)


def _value(value: object, seen: set[int]) -> Iterator[str]:
    """A setting or a function, as text that does not change from run to run."""
    if isinstance(value, partial):
        yield from _value(value.func, seen)
        yield from _value((value.args, sorted(value.keywords.items())), seen)
    elif isinstance(value, types.MethodType):
        yield from _value(value.__func__, seen)
    elif isinstance(value, types.FunctionType):
        yield from _function(value, seen)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _value(item, seen)
    elif isinstance(value, _PLAIN):
        yield repr(value)
    else:
        yield getattr(value, "__qualname__", type(value).__qualname__)


def _function(function: types.FunctionType, seen: set[int]) -> Iterator[str]:
    if id(function) in seen or f"{function.__module__}.".startswith(_LIBRARY):
        yield function.__qualname__
        return
    seen.add(id(function))
    yield from _code(function.__code__)
    yield from _value(function.__defaults__ or (), seen)
    for cell in function.__closure__ or ():
        yield from _value(_content(cell), seen)
    for name in function.__code__.co_names:
        if isinstance(named := function.__globals__.get(name), (types.FunctionType, int, float, str)):
            yield from _value(named, seen)


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return None


def _code(code: types.CodeType) -> Iterator[str]:
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames[: code.co_argcount]}"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            # A set has no order of its own.
            yield repr(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)
