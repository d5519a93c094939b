"""What a check came to, as one frozen value that every face shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.evidence import file_digest, file_of
from explorer.analysis.check.policy import Policy
from explorer.text.names import model_name
from explorer.types import LoadedModel
from explorer.types.aliases import JsonDict
from explorer.types.brief import LONGEST, Shown

Verdict = Literal["pass", "fail", "cannot tell"]
STATUS: Mapping[Verdict, int] = {"pass": 0, "fail": 1, "cannot tell": 3}
"""The exit status of each verdict; 2 is for what was refused."""


@dataclass(frozen=True)
class Identity:
    """Which model: its address, the digest of its weights, and, where it is a file, sha256 and bytes of that."""

    address: str
    digest: str
    sha256: str | None
    n_bytes: int | None
    is_request: bool = False

    @classmethod
    def of(cls, model: LoadedModel) -> Identity:
        """A model as it is open; ``is_request``: it is what a request leaves of the one at its address."""
        path = file_of(model)
        sha256, n_bytes = (None, None) if path is None else (file_digest(path), path.stat().st_size)
        return cls(model.address, model.digest, sha256, n_bytes, model.meta.get("source") == "request")


@dataclass(frozen=True, repr=False)
class Check(Shown):
    """A candidate against the dense model that it would replace: one outcome a check, and what they are of.

    ``looks_at_test`` counts the looks at the locked test split, this one included; None on another split. ``command``
    is the one line that does the same again. ``policy`` holds every limit.

    Examples:
        >>> import explorer as ex
        >>> only = {key: False for key in ex.Policy.of().to_json() if key != "accuracy"}
        >>> check = ex.check(against="digits-mlp", spec=ex.PruneSpec(), policy=only)
        >>> check.verdict, check.exit_status, check.outcome("accuracy").value.n
        ('pass', 0, 450)
    """

    candidate: Identity
    dense: Identity
    outcomes: tuple[Outcome, ...]
    policy: Policy
    data: JsonDict
    split: str
    n: int
    seed: int
    command: str
    machine: str
    date: str
    versions: Mapping[str, str]
    looks_at_test: int | None = None
    seconds: float = field(default=0.0, compare=False)

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks that decide: fail, else cannot tell, else pass."""
        statuses = {outcome.status for outcome in self.outcomes if outcome.decides}
        return "fail" if "fail" in statuses else "cannot tell" if "cannot tell" in statuses else "pass"

    @property
    def exit_status(self) -> int:
        """0 pass, 1 fail, 3 cannot tell."""
        return STATUS[self.verdict]

    @property
    def n_needed(self) -> int | None:
        """How many samples would tell, of the checks that say so and decide: the most of them."""
        numbers = [o.n_needed for o in self.outcomes if o.decides and o.status == "cannot tell" and o.n_needed]
        return max(numbers, default=None)

    def outcome(self, key: str) -> Outcome:
        """The outcome of one check, by its key."""
        return next(outcome for outcome in self.outcomes if outcome.key == key)

    def __repr__(self) -> str:
        return f"<Check of {str(self)[:LONGEST]}>"

    def __str__(self) -> str:
        counts = Counter(outcome.status for outcome in self.outcomes)
        parts = ", ".join(f"{n} {status}" for status, n in counts.items())
        return (
            f"{model_name(self.candidate.address)} against {model_name(self.dense.address)}: {self.verdict} ({parts})"
        )

    def to_json(self) -> JsonDict:
        """One JSON-able object."""
        return {
            "verdict": self.verdict,
            "exit_status": self.exit_status,
            "n_needed": self.n_needed,
            "candidate": asdict(self.candidate),
            "dense": asdict(self.dense),
            "data": dict(self.data),
            "split": self.split,
            "n": self.n,
            "looks_at_test": self.looks_at_test,
            "checks": [outcome.to_json() for outcome in self.outcomes],
            "policy": {"digest": self.policy.digest, "rules": self.policy.to_json()},
            "seed": self.seed,
            "command": self.command,
            "machine": self.machine,
            "date": self.date,
            "versions": dict(self.versions),
            "seconds": round(self.seconds, 3),
        }
