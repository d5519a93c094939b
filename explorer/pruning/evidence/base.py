"""What a pass over data saw, and what collects it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from torch import Tensor

from explorer.types import LoadedModel, Split


@dataclass(frozen=True, eq=False)
class Evidence:
    """What ``n`` samples of the fit split showed of a model: for each kind what its collector gives.

    ``source``: equal = the same samples.
    """

    n: int
    source: str
    kinds: Mapping[str, Any]

    def field(self, kind: str) -> Mapping[str, Tensor]:
        """A kind that is one tensor for each parameter."""
        values: Mapping[str, Tensor] = self.kinds[kind]
        return values


class Collector(Protocol):
    """One kind of evidence.

    ``key`` is its name in ``Evidence.kinds``; ``labels`` says whether it needs them.
    """

    key: ClassVar[str]
    labels: ClassVar[bool]

    def collect(self, model: LoadedModel, split: Split) -> Any:
        """What these samples show; the model is only read. The class says what comes."""
        ...
