"""What is stored, as values: a measured point, a scan's extent."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import torch

from explorer.params.plugins import plugin_versions
from explorer.types import Dataset, LoadedModel, Measurement, SplitName, TradeOffPoint
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.results import FIRST_NAMES


@dataclass(frozen=True)
class PointRecord:
    """One measured point with everything that its number depends on.

    ``kind`` is what asked for it ("drag", "sweep", "evaluate", ...). ``time`` is UTC, as
    2031-12-24T18:00:00.000000+00:00. ``id`` is 0 until the record is stored. ``judged_by`` says what the accuracy is:
    the share of right answers, or the agreement with the dense model. ``model_identity`` is that of the weights and
    of how they are run; empty in records of before it was kept.
    """

    point: TradeOffPoint
    spec_digest: str
    model_digest: str
    model_address: str
    data_digest: str
    data_address: str
    split: SplitName
    n: int
    kind: str
    device: str
    machine: str
    torch_version: str
    explorer_version: str
    python_version: str
    time: str
    id: int = 0
    model_identity: str = ""

    @property
    def origin(self) -> str:
        """Where the accuracy comes from: counted, estimated or measured."""
        return self.point.accuracy.origin

    @property
    def judged_by(self) -> Literal["labels", "agreement", "metric"]:
        """What the accuracy is a share of: right answers, or answers like the dense model's; or the chosen metric."""
        name = self.point.accuracy.name
        return "agreement" if name == "agreement" else "labels" if name in FIRST_NAMES else "metric"

    @property
    def identity(self) -> str:
        """Equal identity = the same measurement: equal masks, model, samples, versions and protocol."""
        point = self.point
        parts = [self.model_digest, self.data_digest, self.split, point.plan_digest or self.spec_digest, self.n]
        parts += [] if point.accuracy.name in FIRST_NAMES else [point.accuracy.name]
        parts += [point.seed, self.device, self.torch_version, self.explorer_version, _canonical(point.protocol)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def stored(self) -> JsonDict:
        """What the store holds of it: one flat object, the point's parts among the others."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "point"}
        return {**asdict(self.point), **own}

    def to_json(self) -> JsonDict:
        """The same object, and what follows from it; ratios may be infinite where nothing is left."""
        return {**self.stored(), "origin": self.origin, "judged_by": self.judged_by}


@dataclass(frozen=True)
class ScanSummary:
    """How far a scan is: how many cells are kept, since when, and when the last one came (UTC).

    ``about`` is what it is a scan of, as it was told; empty where that is not known.
    """

    scan_key: str
    n_cells: int
    n_groups: int
    first: str
    last: str
    about: JsonObject = field(default_factory=dict)


def record_of(
    point: TradeOffPoint,
    model: LoadedModel,
    data: Dataset,
    *,
    split: SplitName,
    kind: str,
    device: str = "cpu",
    protocol: JsonObject | None = None,
) -> PointRecord:
    """The record of a point that was measured just now, on this machine."""
    return PointRecord(
        point=replace(point, protocol=dict(protocol or point.protocol)),
        spec_digest=spec_digest(point.spec),
        model_digest=model.digest,
        model_address=model.address,
        data_digest=data.digest,
        data_address=data.address,
        split=split,
        n=point.accuracy.n or 0,
        kind=kind,
        device=device,
        machine=point.accuracy.machine or "",
        **versions(),
        time=now(),
        model_identity=model.identity,
    )


def versions() -> JsonDict:
    """Of all that a number may depend on."""
    return {
        "torch_version": str(torch.__version__),
        "explorer_version": " + ".join((explorer_version(), *plugin_versions())),
        "python_version": platform.python_version(),
    }


def spec_digest(spec: JsonObject) -> str:
    """The digest of a PruneSpec's JSON, equal to ``PruneSpec.digest``."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


def record_from(stored: JsonObject, record_id: int) -> PointRecord:
    """A record from its JSON. What a newer version may have added is left out.

    Raises ValueError, TypeError or KeyError for what is no record.
    """
    parts = {name: value for name, value in {**stored, "id": record_id}.items() if name != "point"}
    return PointRecord(point_from(parts), **_checked(PointRecord, parts))


def point_from(stored: JsonObject) -> TradeOffPoint:
    """A point from its JSON; as for :func:`record_from`."""
    values = dict(stored)
    for name in ("accuracy", "drop", "loss"):
        if values[name] is not None:
            values[name] = Measurement(**_checked(Measurement, values[name]))
    more = values.get("metrics") or {}
    values["metrics"] = {key: Measurement(**_checked(Measurement, value)) for key, value in more.items()}
    return TradeOffPoint(**_checked(TradeOffPoint, values))


def _checked(cls: type, content: JsonObject) -> JsonDict:
    """The parts of ``content`` that ``cls`` knows, each of the type that it declares."""
    allowed = _types_of(cls)
    values = {name: value for name, value in dict(content).items() if name in allowed}
    for name, value in values.items():
        if not isinstance(value, allowed[name]) or isinstance(value, bool):
            raise ValueError(f"{name} is {type(value).__name__}")
    return values


@cache
def _types_of(cls: type) -> dict[str, tuple[type, ...]]:
    hints = get_type_hints(cls)
    return {field.name: _classes(hints[field.name]) for field in fields(cls)}


def _classes(hint: object) -> tuple[type, ...]:
    """What ``isinstance`` takes for a declared type; a literal is text, and a number may be written without a point."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return tuple(part for alternative in get_args(hint) for part in _classes(alternative))
    if origin is Literal:
        return (str,)
    if isinstance(origin, type):
        return (dict,) if issubclass(origin, Mapping) else (origin,)
    return (int, float) if hint is float else (hint,) if isinstance(hint, type) else (str,)


def now() -> str:
    """The present moment in UTC; later moments sort after earlier ones."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _canonical(value: JsonObject) -> str:
    return json.dumps(value, sort_keys=True)


def explorer_version() -> str:
    """The version of this package."""
    # The package that a module belongs to is always loaded before the module.
    return str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))
