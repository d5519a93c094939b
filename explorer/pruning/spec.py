"""PruneSpec: one frozen, comparable, JSON-able value that every screen, flag and link makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from explorer.errors import ExplorerError
from explorer.params import member_to_json
from explorer.params.numerals import real
from explorer.pruning import allocation as allocations
from explorer.pruning import criteria, granularity
from explorer.pruning.allocation import Allocation, Global
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.criteria.lp_norm import LpNorm
from explorer.pruning.granularity.base import Granularity
from explorer.pruning.granularity.weight import Weight
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Brief

_PARTS = ("granularity", "criterion", "allocation", "limits", "then")


@dataclass(frozen=True)
class Limit:
    """What one layer allows: at least ``floor`` and at most ``cap`` (shares, 0 to 1) of its units go.

    ``locked`` holds the layer's line at ``floor`` (0: nothing goes). None leaves the default:
    under structured pruning the first layer is locked, everything else is free.

    Examples:
        >>> import explorer as ex
        >>> spec = ex.PruneSpec(allocation="uniform:sparsity=0.5").with_limit("fc1", ex.Limit(locked=True))
        >>> plan = ex.plan(ex.load("digits-mlp"), spec)
        >>> bool(plan.masks.get("fc1.weight") is None or plan.masks["fc1.weight"].all())
        True
    """

    locked: bool | None = None
    floor: float = 0.0
    cap: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.floor <= self.cap <= 1.0:
            raise ExplorerError(
                f"A floor of {self.floor:g} and a cap of {self.cap:g} do not fit together.",
                fix="Give shares from 0 to 1 with the floor no higher than the cap.",
            )

    def to_json(self) -> JsonDict:
        return {"locked": self.locked, "floor": self.floor, "cap": self.cap}


@dataclass(frozen=True, repr=False)
class PruneSpec(Brief):
    """Everything a pruning request says. Equal JSON gives an equal result on the same machine.

    Members may be given as objects or as text: ``PruneSpec("weight", "lp_norm:p=1",
    "global:sparsity=0.8")``. ``limits`` names layers (groups); it may be given as a mapping.
    ``then`` is a second request, of single weights: a share of those that the whole units of the first leave.

    Examples:
        >>> import explorer as ex
        >>> spec = ex.PruneSpec("out_channel", "taylor", "uniform:sparsity=0.3")
        >>> ex.PruneSpec.from_json(spec.to_json()) == spec
        True
    """

    granularity: Granularity = field(default_factory=Weight)
    criterion: Criterion = field(default_factory=LpNorm)
    allocation: Allocation = field(default_factory=Global)
    limits: tuple[tuple[str, Limit], ...] = ()
    then: PruneSpec | None = None

    def __post_init__(self) -> None:
        # Text is welcome in place of members, so that a notebook reads well.
        object.__setattr__(self, "granularity", granularity.get(self.granularity))
        object.__setattr__(self, "criterion", criteria.get(self.criterion))
        object.__setattr__(self, "allocation", allocations.get(self.allocation))
        pairs = self.limits.items() if isinstance(self.limits, Mapping) else self.limits
        object.__setattr__(self, "limits", tuple(sorted((n, v) for n, v in pairs if v != Limit())))
        _check_then(self)

    def limit(self, name: str) -> Limit:
        return dict(self.limits).get(name, Limit())

    def with_limit(self, name: str, limit: Limit) -> PruneSpec:
        """The same request with another limit for one layer."""
        return replace(self, limits=tuple((dict(self.limits) | {name: limit}).items()))

    def to_json(self) -> JsonDict:
        document: JsonDict = {
            "granularity": member_to_json(self.granularity),
            "criterion": member_to_json(self.criterion),
            "allocation": member_to_json(self.allocation),
            "limits": {name: limit.to_json() for name, limit in self.limits},
        }
        # Left out where there is none, so that requests of one kind of unit have the digests that they always had.
        return document if self.then is None else document | {"then": self.then.to_json()}

    @classmethod
    def from_json(cls, data: str | JsonObject) -> PruneSpec:
        """The inverse of :meth:`to_json`; takes text too. Every value is checked.

        The description that is written beside pruned weights (``OUT.spec.json``) holds a request, and is taken for it.
        """
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                raise ExplorerError("This is not JSON.", fix="Give a PruneSpec as the explorer writes it.") from None
        if not isinstance(data, Mapping):
            raise ExplorerError("A PruneSpec is a JSON object.", fix="Give a PruneSpec as the explorer writes it.")
        inner = data.get("spec")
        if isinstance(inner, Mapping) and "source" in data:
            return cls.from_json(inner)
        unknown = set(data) - set(_PARTS)
        if unknown:
            raise ExplorerError(
                f"A PruneSpec has no part {sorted(unknown)[0]!r}.",
                fix=f"Its parts: {', '.join(_PARTS)}.",
            )
        limits = data.get("limits") or {}
        if not isinstance(limits, Mapping):
            raise ExplorerError("The limits of a PruneSpec are an object of layer: limit.", fix="Correct the limits.")
        return cls(
            granularity.GRANULARITIES.from_json(data.get("granularity", {"key": "weight"})),
            criteria.CRITERIA.from_json(data.get("criterion", {"key": "lp_norm"})),
            allocations.ALLOCATIONS.from_json(data.get("allocation", {"key": "global"})),
            tuple((str(name), _limit(name, value)) for name, value in limits.items()),
            _then(data.get("then")),
        )

    @property
    def digest(self) -> str:
        """Equal digest = equal request."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def _check_then(spec: PruneSpec) -> None:
    then = spec.then
    if then is None:
        return
    if spec.granularity.key == "weight" or then.granularity.key != "weight" or then.then is not None:
        what = f"{then.granularity.label} after {spec.granularity.label.lower()} is no request."
        raise ExplorerError(what, fix="Prune whole units first (out_channel, head, ...), then single weights.")


def _then(data: object) -> PruneSpec | None:
    """The second request; only an object, for it has the depth of one."""
    if data is None:
        return None
    if not isinstance(data, Mapping) or data.get("then") is not None:
        raise ExplorerError('The part "then" is a PruneSpec of single weights.', fix="Correct it, or leave it out.")
    return PruneSpec.from_json(data)


def _limit(name: str, value: object) -> Limit:
    try:
        if not isinstance(value, Mapping) or set(value) - {"locked", "floor", "cap"}:
            raise ValueError
        locked = value.get("locked")
        if not (locked is None or isinstance(locked, bool)):
            raise ValueError
        return Limit(locked, real(value.get("floor", 0.0)), real(value.get("cap", 1.0)))
    except ValueError:
        raise ExplorerError(
            f"The limit of {name!r} cannot be read.",
            fix='Write it as {"locked": true, "floor": 0, "cap": 1}; each part may be left out.',
        ) from None
