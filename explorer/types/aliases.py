"""Names for what Python's types cannot say: JSON before it is checked, and what calls of a traced network pass on.

``Any`` stands here so that it need not stand elsewhere: each name says what is unchecked, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

JsonDict: TypeAlias = dict[str, Any]
"""A JSON object that is being put together."""

JsonObject: TypeAlias = Mapping[str, Any]
"""A JSON object that is read; what its fields hold is checked where they are read."""

GraphValue: TypeAlias = Any
"""What one step of a network gives the next: a tensor, a number, a shape, or tuples, lists and dictionaries of them."""

CallArguments: TypeAlias = tuple[Any, ...]
"""The arguments of a call by their places."""

NamedArguments: TypeAlias = dict[str, Any]
"""The arguments of a call by their names."""

Operation: TypeAlias = Callable[..., Any]
"""A function of torch, of whatever arguments."""
