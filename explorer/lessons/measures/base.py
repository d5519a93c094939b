"""What a lesson can measure: a frozen, JSON-able question that is answered at that moment, by the library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from explorer.errors import ExplorerError
from explorer.lessons.readings import Reading
from explorer.params import nested_param, param
from explorer.params.numerals import real
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.types import Plan

_SEPARATOR = " | "
_KEYS = {
    "granularity": tuple(GRANULARITIES.members),
    "criterion": tuple(CRITERIA.members),
    "allocation": tuple(ALLOCATIONS.members),
}


@dataclass(frozen=True)
class Measure(ABC):
    """A question with a number as its answer, or several. ``key`` is its name in a lesson's file."""

    key: ClassVar[str]

    @abstractmethod
    def readings(self, context: Context) -> Iterator[Reading]:
        """Measure now. A single reading may come without a label. Raises ExplorerError for what cannot be asked."""

    def with_setting(self, spec: PruneSpec) -> Self:
        """The same question about the setting that the learner has made, where it is asked of that."""
        return self

    @property
    def is_mine(self) -> bool:
        """Whether it is asked of the learner's own setting."""
        return False


def spec_of(text: object) -> PruneSpec:
    """ "out_channel | uniform:sparsity=0.3" as a request: members by their keys, in any order; JSON, too."""
    if isinstance(text, PruneSpec):
        return text
    if not isinstance(text, str) or text.lstrip().startswith("{"):
        return PruneSpec.from_json(text)  # type: ignore[arg-type]  # checked there
    parts: dict[str, str] = {}
    for member in filter(None, text.split(_SEPARATOR)):
        key = member.partition(":")[0]
        kind = next((name for name, keys in _KEYS.items() if key in keys), None)
        if kind is None:
            fix = 'Write it as "out_channel | lp_norm:p=1 | uniform:sparsity=0.3"; what is left out has its default.'
            raise ExplorerError(f"{key!r} is no granularity, criterion or allocation.", fix=fix)
        parts[kind] = member
    return PruneSpec(**parts)  # type: ignore[arg-type]  # text is welcome there


@dataclass(frozen=True)
class OfSetting(Measure):
    """A question about one pruned network: that of ``spec``, or (``mine``) what the learner has made."""

    spec: PruneSpec = nested_param(spec_of, "setting", default_factory=PruneSpec)
    mine: bool = param(False, "of the learner's own setting")

    def with_setting(self, spec: PruneSpec) -> Self:
        """Asked of ``spec`` where it is asked of the learner's own."""
        return replace(self, spec=spec) if self.mine else self

    @property
    def is_mine(self) -> bool:
        """As it was written in the lesson."""
        return self.mine

    def plan(self, context: Context, spec: PruneSpec | None = None) -> Plan:
        """What goes and what stays."""
        asked = self.spec if spec is None else spec
        return plan(context.model, asked, context.scores(asked))


def shares_of(text: str) -> tuple[float, ...]:
    """ "0.1, 0.5" as shares from 0 to 1. Raises ExplorerError for anything else."""
    try:
        return tuple(real(part.strip(), 0.0, 1.0) for part in text.split(",") if part.strip())
    except ValueError:
        raise ExplorerError(f"{text!r} is no list of shares.", fix='Write it as "0.1, 0.5, 0.9".') from None
