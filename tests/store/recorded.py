"""Records made by hand, for the tests of the store."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from explorer.store.records import PointRecord
from explorer.types import Measurement, TradeOffPoint

MEASURED = Measurement(
    "accuracy", 0.96, "fraction", "measured", 0.93, 0.98, 450, 128, "a machine, torch 2", "2031-12-24"
)
POINT = TradeOffPoint(
    spec={"granularity": {"key": "weight"}, "limits": {}},
    plan_digest="91a7",
    seed=0,
    label="weight, lp_norm, global",
    asked=0.8,
    sparsity=0.79,
    compression_ratio=4.5,
    theoretical_speedup=3.25,
    size_bytes=12_345,
    accuracy=MEASURED,
    drop=replace(MEASURED, name="drop", value=0.01, low=-0.002, high=0.021),
    loss=replace(MEASURED, name="loss", value=0.12, unit="nats"),
)
RECORD = PointRecord(
    point=POINT,
    spec_digest="5bec",
    model_digest="m0de1",
    model_address="digits-cnn",
    data_digest="da7a",
    data_address="digits",
    split="tune",
    n=450,
    kind="evaluate",
    device="cpu",
    machine="a machine, torch 2",
    torch_version="2.13.0",
    explorer_version="0.1.0",
    python_version="3.11.7",
    time="2031-12-24T18:00:00.000000+00:00",
)
_OF_THE_POINT = {part.name for part in fields(TradeOffPoint)}


def changed(given: PointRecord, **changes: Any) -> PointRecord:
    """The record with other parts, those of its point among them."""
    parts = {name: value for name, value in changes.items() if name in _OF_THE_POINT}
    others = {name: value for name, value in changes.items() if name not in _OF_THE_POINT}
    return replace(given, point=replace(given.point, **parts), **others)


def record(i: int = 0, **changes: Any) -> PointRecord:
    """The i-th of many different measurements, a second later than the one before."""
    time = f"2031-12-24T18:{i // 60 % 60:02}:{i % 60:02}.000000+00:00"
    return changed(RECORD, **{"plan_digest": f"plan-{i}", "time": time, **changes})
