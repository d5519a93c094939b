"""The members of a registry, for ``--help``: read from the source, since importing most of them would load torch."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeGuard

from explorer.cli import printing
from explorer.params.plugins import plugin_keys

_PACKAGE = Path(__file__).resolve().parents[2]
# Where each kind is registered: the package, and the name of its registry there.
REGISTRIES: Mapping[str, tuple[str, str]] = {
    "criterion": ("explorer.pruning.criteria", "CRITERIA"),
    "granularity": ("explorer.pruning.granularity", "GRANULARITIES"),
    "allocation": ("explorer.pruning.allocation", "ALLOCATIONS"),
    "metric": ("explorer.metrics", "METRICS"),
    "recovery step": ("explorer.recovery.steps", "STEPS"),
    "model source": ("explorer.models", "SOURCES"),
    "data source": ("explorer.data", "SOURCES"),
    "back end": ("explorer.engine.backends", "BACKENDS"),
    "architecture": ("explorer.models.architectures", "ARCHITECTURES"),
}


@dataclass(frozen=True)
class ListedMember:
    """What ``--help`` says of a member: text constants of its class, and whether it looks at samples."""

    key: str
    constants: Mapping[str, str]
    needs_samples: bool


@cache
def listed(kind: str) -> tuple[ListedMember, ...]:
    """The members of one kind in the order of their registry."""
    package, registry = REGISTRIES[kind]
    tree = _parsed(package)
    ours = tuple(_listing(_imported(tree)[name], name) for name in _class_names(tree, registry))
    return ours + tuple(ListedMember(key, {"form": f"{key}:…"}, False) for key in plugin_keys(kind))


def keys(kind: str) -> list[str]:
    """Their keys."""
    return [listing.key for listing in listed(kind)]


def forms(kind: str) -> str:
    """How the addresses of sources are written: "digits, folder:PATH or none"."""
    *others, last = [listing.constants["form"] for listing in listed(kind)]
    return f"{', '.join(others)} or {last}"


@cache
def _parsed(module: str) -> ast.Module:
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> dict[str, str]:
    """The names that a module imports from others of the package, and from where."""
    nodes = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return {alias.name: node.module for node in nodes for alias in node.names if _is_ours(node.module)}


def _is_ours(module: str | None) -> TypeGuard[str]:
    return module is not None and module.startswith(f"{_PACKAGE.name}.")


def _class_names(tree: ast.Module, registry: str) -> list[str]:
    """The classes in ``MEMBERS``, or in the tuple that the registry is made of."""
    values = _assigned(tree.body)
    members = values.get("MEMBERS", values[registry])
    return [node.id for node in _elements(members.args[1] if isinstance(members, ast.Call) else members)]


def _assigned(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """What stands behind ``name: type = ...``."""
    return {
        node.target.id: node.value
        for node in body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }


def _elements(node: ast.expr) -> Iterator[ast.Name]:
    """The names in a tuple, those of the tuples that are unpacked in it included."""
    if isinstance(node, ast.Tuple):
        for element in node.elts:
            yield from _elements(element)
    elif isinstance(node, ast.Starred):
        yield from _elements(node.value)
    elif isinstance(node, ast.Name):
        yield node


def _listing(module: str, name: str) -> ListedMember:
    values = _attributes(module, name)
    constants = {
        attribute: value.value
        for attribute, value in values.items()
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    needs = values.get("needs")
    return ListedMember(constants["key"], constants, isinstance(needs, ast.Call) and bool(needs.args))


def _attributes(module: str, name: str) -> dict[str, ast.expr]:
    """What a class and those that it derives from assign in their bodies."""
    tree = _parsed(module)
    own = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    if own is None:
        return {}
    values: dict[str, ast.expr] = {}
    for base in (base.id for base in reversed(own.bases) if isinstance(base, ast.Name)):
        values |= _attributes(_imported(tree).get(base, module), base)
    return values | _assigned(own.body)


class _Member(argparse.Action):
    """Takes ``key`` or ``key:name=value``; ``key:?`` prints the parameters of one member, ``?`` all members."""

    def __init__(self, option_strings: Sequence[str], dest: str, *, kind: str, **options: object) -> None:
        super().__init__(option_strings, dest, **options)  # type: ignore[arg-type]
        self._kind = kind

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Keep the text, or answer the question in it and end, as ``--help`` does."""
        text = str(values)
        if text == "?" or text.endswith(":?"):
            lines: list[str] = import_module("explorer.cli.member_help").lines(self._kind, text.rstrip("?").rstrip(":"))
            printing.say(*lines)
            parser.exit()
        setattr(namespace, self.dest, text)


def add_member(
    group: argparse._ActionsContainer, flag: str, kind: str, help: str, *, default: str | None = None, **more: object
) -> None:
    """A flag that takes a member of ``kind``; ``FLAG KEY:?`` prints its parameters. ``default`` is the flag's own."""
    group.add_argument(flag, action=_Member, kind=kind, help=help, default=default, **more)  # type: ignore[arg-type]
