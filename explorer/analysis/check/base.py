"""What every check offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar, Literal

from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.report import finite
from explorer.errors import Refusal
from explorer.params import param
from explorer.types import Measurement
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Brief

Status = Literal["pass", "warn", "fail", "cannot tell", "does not apply"]
Level = Literal["fail", "warn", "off"]
LEVELS = ("fail", "warn", "off")


@dataclass(frozen=True, repr=False)
class Outcome(Brief):
    """What one check came to.

    ``why`` is a sentence or two. ``value`` is the number that was held against ``limit``, with its interval, n and
    origin, and in the same unit. ``n_needed``: how many samples would tell. ``decides`` is False where it can only
    warn. ``rows`` are what is behind it, one JSON-able object each (a class, a kind of corruption).
    """

    key: str
    label: str
    status: Status
    why: str
    value: Measurement | None = None
    limit: float | None = None
    n_needed: int | None = None
    decides: bool = True
    rows: tuple[JsonObject, ...] = field(default=())

    def to_json(self) -> JsonDict:
        """One JSON-able object; numbers that are not finite become None."""
        return dict(finite(asdict(self)))


@dataclass(frozen=True)
class CheckRule(ABC):
    """A check: a frozen dataclass whose fields are its limits, as a policy states them.

    ``key`` is its name in a policy, ``label`` what it shows; ``question`` is what it asks, in a sentence.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    question: ClassVar[str]

    level: Level = param("fail", "what it does", choices=LEVELS, help="fail, only warn, or off")

    @abstractmethod
    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """What the evidence says. Raises ExplorerError only for what is wrong with the input itself."""

    def says(self, status: Status, why: str, value: Measurement | None = None, **more: object) -> Outcome:
        """The outcome in this check's name; what fails only warns where the policy says so."""
        if self.level == "warn" and status == "fail":
            status = "warn"
        return Outcome(self.key, self.label, status, why, value, decides=self.level == "fail", **more)  # type: ignore[arg-type]

    def no_case(self, why: str | Refusal) -> Outcome:
        """It does not apply, and why."""
        return self.says("does not apply", str(why))


Rows = tuple[Mapping[str, object], ...]
