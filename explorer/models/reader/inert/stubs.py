"""What stands in for the classes that a pickle names: empty, and called nothing that it could do."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.models.reader.formats import SAVE_AGAIN
from explorer.text.names import clean
from explorer.types.files.reading.refusal import RefusedError

# Modules whose functions no checkpoint calls when it is opened: they start programs, open files, or find others.
_ROOTS = {
    *("os", "posix", "nt", "subprocess", "sys", "runpy", "importlib", "shutil", "socket", "webbrowser", "pty", "io"),
    *("_io", "ctypes", "pickle", "_pickle", "code", "codeop", "commands", "platform", "tempfile", "timeit", "pdb"),
    *("multiprocessing", "asyncio", "threading", "signal", "operator", "types", "marshal", "pip", "urllib", "http"),
}
_PLAIN_BUILTINS = {
    *("set", "frozenset", "bytearray", "bytes", "complex", "slice", "range", "list", "dict", "tuple", "object", "int"),
    *("float", "str", "bool", "type", "Ellipsis", "NotImplemented"),
}


class Stub:
    """An object of a class that was not imported; ``state`` is what would have been put into it."""

    origin = ""

    def __init__(self, *args: object, **named: object) -> None:
        self.state: object = None
        self.entries: dict[object, object] = {}
        self.items: list[object] = []

    def __new__(cls, *args: object, **named: object) -> Stub:
        stub = object.__new__(cls)
        Stub.__init__(stub)
        return stub

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        self.entries[key] = value

    def append(self, value: object) -> None:
        """What a list of its own kind would take."""
        self.items.append(value)

    def extend(self, values: list[object]) -> None:
        """The same, several at once."""
        self.items.extend(values)

    def add(self, value: object) -> None:
        """What a set of its own kind would take."""
        self.items.append(value)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def stub_of(module: str, name: str) -> type[Stub]:
    """A class that stands in for another; RefusedError for what no checkpoint calls."""
    root, path = module.partition(".")[0], f"{module}.{name}"
    harmless = root not in _ROOTS
    if root in ("builtins", "__builtin__"):
        harmless = name in _PLAIN_BUILTINS or name.endswith(("Error", "Exception", "Warning"))
    if not harmless or "." in name:
        why = (
            f"It calls {clean(path, 80)} when it is opened, as no file of weights does: Python objects in it run code."
        )
        raise RefusedError(why, SAVE_AGAIN)
    return type("Stub", (Stub,), {"origin": path})


def contents_of(stub: Stub) -> dict[object, object]:
    """What an object holds, as a mapping: for modules of torch, the tensors and modules under their own names."""
    state = stub.state
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], Mapping):  # __dict__ and __slots__
        state = {**(state[0] if isinstance(state[0], Mapping) else {}), **state[1]}
    if not isinstance(state, Mapping):
        state = {} if state is None else {"state": state}
    if "_modules" in state and "_parameters" in state:
        parts = (state.get(key) for key in ("_parameters", "_buffers", "_modules"))
        unstored = state.get("_non_persistent_buffers_set")
        gone = set(unstored) if isinstance(unstored, set | frozenset | list | tuple) else set()
        merged = {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}
        state = {key: value for key, value in merged.items() if key not in gone}
    return {**state, **stub.entries, **dict(enumerate(stub.items))}
