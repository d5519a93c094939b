"""Many options of one function: a frozen dataclass with their defaults, given by name in the call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

from explorer.types.aliases import Operation

F = TypeVar("F", bound=Operation)


def options_from(options: type) -> Callable[[F], F]:
    """Show the fields of a dataclass as what a function takes by name, where it is declared with ``**keywords``.

    ``help()``, notebooks and documentation read this signature; type checkers read the ``TypedDict`` of the
    declaration. The function makes the dataclass of its keywords, which refuses a name that is not there.
    """

    def shown(function: F) -> F:
        signature = inspect.signature(function)
        stated = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        by_name = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for field in fields(options)
        ]
        function.__signature__ = signature.replace(parameters=[*stated, *by_name])  # type: ignore[attr-defined]
        return function

    return shown
