"""Members that other installed packages bring: a criterion, a metric, a source, a check, ... without a fork.

A package declares each as an entry point of the group ``explorer.plugins``. Its name is the kind and the key::

    [project.entry-points."explorer.plugins"]
    "criterion.largest" = "my_package:Largest"

What is installed runs with the rights of whoever runs it; nothing is fetched, and a member's package is imported when
the members of its kind are asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from explorer.errors import ExplorerError

GROUP = "explorer.plugins"


def plugin_keys(kind: str) -> list[str]:
    """The keys of the members of ``kind`` that are installed; nothing of them is imported."""
    return [point.name.partition(".")[2] for point in _points(kind)]


def plugin_members(kind: str, taken: Collection[str], base: type) -> Iterator[tuple[str, type]]:
    """Those that can be used, by key. ``base``: what each must derive from. The others are logged with their reason."""
    for point in _points(kind):
        key = point.name.partition(".")[2]
        try:
            yield key, _loaded(point, key, taken, base)
        except ExplorerError as error:
            logging.getLogger(__name__).exception("the %s %r of a plug-in is left out: %s", kind, key, error)


def why_left_out(kind: str, key: str, taken: Collection[str], base: type) -> str:
    """Why an installed member is not among the others, in a sentence or two; empty where none has that key."""
    for point in _points(kind):
        if point.name.partition(".")[2] == key:
            try:
                _loaded(point, key, taken, base)
            except ExplorerError as error:
                return str(error)
    return ""


def plugin_versions() -> tuple[str, ...]:
    """The packages that bring members, with their versions: numbers may depend on them."""
    packages = {point.dist for point in _every() if point.dist is not None}
    return tuple(sorted(f"{package.name} {package.version}" for package in packages))


@cache
def _every() -> tuple[EntryPoint, ...]:
    return tuple(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def _points(kind: str) -> list[EntryPoint]:
    begin = kind.replace(" ", "-") + "."
    return [point for point in _every() if point.name.startswith(begin)]


def _loaded(point: EntryPoint, key: str, taken: Collection[str], base: type) -> type:
    package = point.dist.name if point.dist is not None else point.module
    what = f"The plug-in {key!r} of the package {package} cannot be used."
    if key in taken:
        raise ExplorerError(what, why="Something built in has that name.", fix="Give it another name.")
    try:
        member = point.load()
    except Exception as error:
        raise ExplorerError(what, why=f"{type(error).__name__}: {error}"[:300], fix="Update or remove it.") from error
    if not isinstance(member, type) or base not in member.__mro__:
        raise ExplorerError(what, why=f"It is no {base.__name__}.", fix=f"Derive it from {base.__name__}.")
    if getattr(member, "key", None) != key:
        raise ExplorerError(what, why=f"Its key is {getattr(member, 'key', None)!r}.", fix=f"Give it the key {key!r}.")
    return member
