"""The challenge: so small a file, so little lost. An entry is a spec; size and accuracy are measured here.

Clients say what to prune, never how well it works. Each team has one entry, so that it looks at the hidden split once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.pareto import unbeaten
from explorer.analysis.tradeoff import measure, smallest_file
from explorer.errors import ExplorerError
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import part, spec
from explorer.text.names import model_name
from explorer.types import SplitName
from explorer.types.aliases import JsonObject

MODEL = "digits-resnet"
HIDDEN: SplitName = "test"
_LONGEST_SPEC = 100_000


@dataclass(frozen=True)
class Challenge:
    """At most this ``share`` of the bytes of ``model``, and at most this ``drop`` of its accuracy (1 point: 0.01)."""

    model: str = MODEL
    share: float = 0.25
    drop: float = 0.01


@dataclass(frozen=True)
class EntryResult:
    """What was measured of an entry on the hidden split: its size as a ``share`` of the dense file (counted), the
    accuracy and its drop with the ends of the 95 % interval."""

    plan: str
    share: float
    accuracy: float
    drop: float
    drop_low: float | None
    drop_high: float | None
    n: int

    def meets(self, challenge: Challenge) -> bool:
        """Whether it is small enough and loses little enough."""
        return self.share <= challenge.share and self.drop <= challenge.drop


@dataclass(frozen=True)
class TeamEntry:
    """What a team hands in, once: a spec, and what came of it. ``refusal`` says why nothing did."""

    spec: JsonObject
    outcome: EntryResult | None = None
    refusal: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.outcome, Mapping):  # as it is read from JSON
            object.__setattr__(self, "outcome", EntryResult(**self.outcome))

    @property
    def is_open(self) -> bool:
        """Whether it is still to be measured."""
        return self.outcome is None and not self.refusal


@dataclass(frozen=True)
class TeamStanding:
    """A row of the board."""

    place: int
    team: str
    outcome: EntryResult
    meets: bool
    is_on_front: bool


def checked_spec(value: object) -> PruneSpec:
    """The spec of an entry. Raises ExplorerError for what is none, or is longer than one ever is."""
    if isinstance(value, PruneSpec):
        return value
    try:
        is_long = len(json.dumps(value)) > _LONGEST_SPEC
    except (TypeError, ValueError, RecursionError):
        is_long = True
    if is_long or not isinstance(value, Mapping):
        raise ExplorerError("This is no setting.", fix="Hand in the setting that is on the screen.")
    return PruneSpec.from_json(value)


def board(entries: Mapping[str, TeamEntry], challenge: Challenge) -> tuple[TeamStanding, ...]:
    """The measured entries by team, the best first: those that meet the challenge by accuracy, ties by size; then the
    others in the same way."""
    measured = {team: entry.outcome for team, entry in entries.items() if entry.outcome is not None}
    best = unbeaten(measured.values(), lambda o: -o.share, lambda o: o.accuracy)
    front = {(outcome.share, outcome.accuracy) for outcome in best}
    order = sorted(measured.items(), key=lambda item: (*_rank(item[1], challenge), item[0]))
    return tuple(
        TeamStanding(place, team, outcome, outcome.meets(challenge), (outcome.share, outcome.accuracy) in front)
        for place, (team, outcome) in enumerate(order, 1)
    )


def _rank(outcome: EntryResult, challenge: Challenge) -> tuple[bool, float, float]:
    return not outcome.meets(challenge), -outcome.accuracy, outcome.share


@dataclass(frozen=True)
class EntryRequest(TaskRequest[EntryResult]):
    """Measure one entry on the hidden split. The look is counted by whoever takes the entry: once a team."""

    kind: ClassVar[str] = "entry"
    unit: ClassVar[str] = "entries"

    spec: PruneSpec = part(spec, PruneSpec())

    def title(self, context: Context) -> str:
        """ "entry for digits-resnet"."""
        return f"entry for {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """One."""
        return 1

    def key(self, context: Context) -> str:
        """By the masks: whoever asks for the same in other words gets the same measurement."""
        masks = plan(context.model, self.spec, context.scores(self.spec)).digest
        what = [self.kind, masks, context.model.identity, context.dataset.digest]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]

    def run(self, context: Context) -> Iterator[EntryResult]:
        """The one outcome."""
        scores, dense = context.scores(self.spec), PruneSpec()
        whole = smallest_file(context.model, plan(context.model, dense, context.scores(dense)))
        for point in measure(context.model, [self.spec], context.dataset, split=HIDDEN, scores=scores):
            drop = point.drop
            share, n = point.size_bytes / whole, drop.n or 0
            yield EntryResult(point.plan_digest, share, point.accuracy.value, drop.value, drop.low, drop.high, n)
