"""Measured points come back as they were, once each, newest first."""

from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import explorer as ex
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.store.records import PointRecord, record_of, spec_digest
from explorer.types import TradeOffPoint
from tests.store.recorded import MEASURED, RECORD, changed, record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_point_comes_back_as_it_was_kept(store: Store) -> None:
    kept = record(protocol={"epochs": 3, "schedule": [1, 2]})
    number = store.record_point(kept)
    assert store.points() == [replace(kept, id=number)]
    assert store.point(number) == replace(kept, id=number)
    assert store.findings == ()


def test_another_store_on_the_same_folder_sees_it(store: Store, tmp_path: Path) -> None:
    number = store.record_point(record())
    assert [r.id for r in Store(tmp_path).points()] == [number]


def test_what_was_measured_without_labels_or_with_nothing_left_comes_back_too(store: Store) -> None:
    agreement = replace(MEASURED, name="agreement", low=None, high=None)
    store.record_point(record(accuracy=agreement, loss=None, compression_ratio=math.inf))
    store.record_point(record(1, loss=replace(MEASURED, name="loss", value=math.nan)))
    newer, older = store.points()
    assert newer.point.loss is not None
    assert math.isnan(newer.point.loss.value)
    assert newer.judged_by == "labels"
    assert (older.judged_by, older.point.loss, older.point.compression_ratio) == ("agreement", None, math.inf)


def test_the_same_measurement_is_kept_once_and_counts_as_new(store: Store) -> None:
    first = store.record_point(record(0, plan_digest="same"))
    store.record_point(record(1))
    again = store.record_point(record(2, plan_digest="same", kind="sweep"))
    assert again == first
    assert [(r.point.plan_digest, r.kind) for r in store.points()] == [("same", "sweep"), ("plan-1", "evaluate")]


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": "x"},
        {"data_digest": "x"},
        {"split": "test"},
        {"plan_digest": "x"},
        {"n": 449},
        {"seed": 1},
        {"device": "cuda"},
        {"torch_version": "x"},
        {"explorer_version": "x"},
        {"protocol": {"epochs": 1}},
    ],
)
def test_what_differs_in_anything_that_matters_is_another_measurement(store: Store, change: dict[str, object]) -> None:
    assert store.record_point(RECORD) != store.record_point(changed(RECORD, **change))  # type: ignore[arg-type]
    assert len(store.points()) == 2


def test_the_newest_come_first_and_no_more_than_asked(store: Store) -> None:
    for i in (3, 1, 4, 0, 2):
        store.record_point(record(i))
    assert [r.point.plan_digest for r in store.points(limit=3)] == ["plan-4", "plan-3", "plan-2"]
    assert len(store.points(limit=10**30)) == 5
    assert store.points(limit=0) == store.points(limit=-1) == []


def test_points_are_found_by_model_data_and_split(store: Store) -> None:
    store.record_point(record(0))
    store.record_point(record(1, model_digest="other", model_address="other.pt"))
    store.record_point(record(2, data_digest="other"))
    store.record_point(record(3, split="test"))
    assert [r.point.plan_digest for r in store.points(model_digest="m0de1", data_digest="da7a", split="tune")] == [
        "plan-0"
    ]
    assert [r.point.plan_digest for r in store.points(split="test")] == ["plan-3"]
    assert [r.point.plan_digest for r in store.points(model="other.pt")] == ["plan-1"]
    assert [r.point.plan_digest for r in store.points(model="other")] == ["plan-1"]
    assert store.points(model="'; DROP TABLE points; --") == []
    assert len(store.points()) == 4


def test_a_path_that_is_no_text_is_kept_and_found(store: Store) -> None:
    address = b"\xff\x00w.pt".decode("utf-8", "surrogateescape")
    store.record_point(record(model_address=address))
    assert [r.model_address for r in store.points(model=address)] == [address]


@pytest.mark.parametrize("number", [0, -1, 2, 2**63, 10**40])
def test_there_is_no_point_of_another_number(store: Store, number: int) -> None:
    store.record_point(record())
    assert store.point(number) is None


def test_nothing_is_written_to_answer_that_nothing_is_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder")
    assert (store.points(), store.point(1), store.cells("s"), store.scans()) == ([], None, {}, [])
    assert not (tmp_path / "new").exists()
    store.record_point(record())
    assert store.path.parent == tmp_path / "new" / "folder"


def test_the_environment_says_where_unless_a_folder_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "said"))
    assert Store().path.parent == tmp_path / "said"
    assert Store(tmp_path / "given").path.parent == tmp_path / "given"


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"accuracy": 3, "drop": 3}', "\x00", "[" * 99_999])
def test_one_record_that_cannot_be_read_is_told_and_harms_no_other(store: Store, damage: str) -> None:
    store.record_point(record(0))
    bad = store.record_point(record(1))
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE points SET record = ? WHERE id = ?", (damage, bad))
    connection.close()
    assert [r.point.plan_digest for r in store.points()] == ["plan-0"]
    assert len(store.findings) == 1
    assert "point could not be read" in store.findings[0].what


@pytest.mark.parametrize("value", ["3", "'text'", "null", "json('true')", "json('{}')"])
@pytest.mark.parametrize("name", ["accuracy", "accuracy.value", "accuracy.name", "drop", "n", "split", "spec", "label"])
def test_parts_of_the_wrong_kind_never_reach_a_screen(store: Store, name: str, value: str) -> None:
    store.record_point(record())
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"UPDATE points SET record = json_set(record, '$.{name}', {value})")
    connection.close()
    for found in store.points():
        assert isinstance(found.point.accuracy.value, int | float)
        assert isinstance(found.n, int)
        assert isinstance(found.point.spec, dict)
        assert all(isinstance(text, str) for text in (found.split, found.point.label, found.point.accuracy.name))


def test_a_record_of_a_newer_version_is_read_as_far_as_it_is_known(store: Store) -> None:
    number = store.record_point(record())
    change = "UPDATE points SET record = json_set(record, '$.later', 1, '$.accuracy.later', 2)"
    with sqlite3.connect(store.path) as connection:
        connection.execute(change)
    connection.close()
    assert store.points() == [replace(record(), id=number)]


def test_a_record_stays_the_flat_object_that_earlier_versions_wrote_and_read(store: Store) -> None:
    number = store.record_point(RECORD)
    with sqlite3.connect(store.path) as connection:
        stored = json.loads(connection.execute("SELECT record FROM points").fetchone()[0])
    connection.close()
    names = "spec plan_digest model_digest asked sparsity compression_ratio accuracy drop seed protocol kind time n"
    assert set(names.split()) < set(stored)
    assert "point" not in stored
    assert stored["accuracy"]["value"] == 0.96
    assert store.point(number) == replace(RECORD, id=number)


def test_a_measured_point_becomes_a_record_and_a_point_again() -> None:
    model = ex.load("digits-mlp")
    data = ex.load_data("digits", model=model)
    (point,) = ex.sweep(model, "{}", data, sparsities=[0.5])
    found = record_of(point, model, data, split="tune", kind="sweep")
    assert found.point == point
    assert isinstance(found.point, TradeOffPoint)
    assert (found.n, found.model_digest, found.data_digest) == (450, model.digest, data.digest)
    assert found.point.plan_digest == ex.plan(model, PruneSpec.from_json(point.spec)).digest
    assert found.spec_digest == PruneSpec.from_json(found.point.spec).digest
    assert (found.torch_version, found.explorer_version) == (torch.__version__, ex.__version__)
    assert found.point.loss is not None
    assert found.machine
    assert found.origin == "measured"


def test_the_digest_of_a_spec_is_the_specs_own() -> None:
    for spec in (PruneSpec(), PruneSpec("out_channel", "random:seed=3", "uniform:sparsity=0.25")):
        assert spec_digest(spec.to_json()) == spec.digest


def test_later_times_sort_later() -> None:
    from explorer.store.records import now

    times = [now() for _ in range(200)]
    assert times == sorted(times)
    assert {len(t) for t in times} == {32}
    assert isinstance(RECORD, PointRecord)
