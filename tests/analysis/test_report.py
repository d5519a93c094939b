"""One report, one JSON object: every number by hand."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.analysis.facts import Fact, facts
from explorer.analysis.report import Report, report
from explorer.cli import printing
from explorer.pruning.plan import plan
from explorer.pruning.spec import Limit, PruneSpec
from explorer.text.delta import NOTHING_REMOVED as NOTHING
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Split, tensors_digest


def tiny(**more: Any) -> LoadedModel:
    """4 inputs, 2 hidden, 2 classes: 12 weights and 4 biases."""
    module = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2)).eval()
    with torch.no_grad():
        module[0].weight.copy_(torch.arange(1.0, 9.0).reshape(2, 4))
        module[2].weight.copy_(torch.tensor([[10.0, 20.0], [30.0, 40.0]]))
        module[0].bias.copy_(torch.tensor([1.0, 0.0]))
        module[2].bias.copy_(torch.tensor([0.0, 1.0]))
    weights = {name: p.detach() for name, p in module.named_parameters()}
    return LoadedModel("tiny", module, weights, tensors_digest(weights), torch.zeros(1, 4), 2, "digits", **more)


def measured(judged_by: Literal["labels", "agreement"] = "labels") -> Evaluation:
    accuracy = Measurement("accuracy", 0.75, "fraction", "measured", 0.5, 0.9, 20)
    return Evaluation(
        n=20,
        total=20,
        accuracy=accuracy,
        drop=Measurement("drop", 0.05, "fraction", "measured", -0.1, 0.2, 20),
        agreement=Measurement("agreement", 0.9, "fraction", "measured", 0.7, 0.98, 20),
        loss=None,
        predictions=torch.arange(20) % 2,
        dense_predictions=torch.arange(20) % 2,
        judged_by=judged_by,
        seconds=0.1,
    )


DATA = Dataset(
    "digits", {"tune": Split("tune", torch.zeros(20, 4), torch.zeros(20, dtype=torch.int64))}, ("a", "b"), "d1"
)


def reported(spec: PruneSpec | None = None, **more: Any) -> Report:
    model = tiny()
    return report(model, plan(model, spec or PruneSpec("weight", "lp_norm", "global:sparsity=0.5")), **more)


def test_the_object_holds_what_it_must() -> None:
    found = reported(evaluation=measured(), data=DATA, split="tune").to_json()
    assert found["model"] == {"address": "tiny", "digest": tiny().digest}
    assert found["asked"] == 0.5
    assert found["sparsity"] == 6 / 12
    assert found["compression_ratio"] == 16 / 10
    assert found["theoretical_speedup"] == 12 / 6
    assert found["macs"] == {"dense": 12, "sparse": 6}
    assert found["parameters"] == {"total": 16, "kept": 10, "nonzero": 8}
    assert {"dense_file", "csr", "bitmask"} <= set(found["sizes"])
    assert all(isinstance(n, int) for n in found["sizes"].values())
    assert (found["data"], found["split"]) == ({"address": "digits", "digest": "d1"}, "tune")
    assert PruneSpec.from_json(found["spec"]) == PruneSpec("weight", "lp_norm", "global:sparsity=0.5")


def test_every_metric_says_value_interval_n_and_origin() -> None:
    metrics = reported(evaluation=measured()).to_json()["metrics"]
    assert set(metrics) == {"accuracy", "dense_accuracy", "drop", "agreement"}
    wanted = {"value": 0.75, "low": 0.5, "high": 0.9, "n": 20, "origin": "measured"}
    assert wanted.items() <= metrics["accuracy"].items()
    assert (metrics["dense_accuracy"]["value"], metrics["dense_accuracy"]["n"]) == (0.8, 20)


def test_every_parameter_has_one_row() -> None:
    rows = reported().to_json()["layers"]
    keys = {"name", "kind", "shape", "n_weights", "n_pruned", "threshold", "prunable", "why_not"}
    assert all(set(row) == keys for row in rows)
    first = {"name": "0", "kind": "Linear", "shape": [2, 4], "n_weights": 8, "n_pruned": 6, "prunable": True}
    assert first.items() <= rows[0].items()
    assert rows[0]["threshold"] == 7.0
    assert rows[0]["why_not"] is None
    assert [row["name"] for row in rows if not row["prunable"]] == ["0.bias", "2.bias"]
    assert all(row["why_not"].endswith(".") and row["threshold"] is None for row in rows if not row["prunable"])


def test_channels_that_go_are_counted_in_every_layer_they_touch() -> None:
    spec = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5", {"0": Limit(locked=False)})
    found = reported(spec).to_json()
    # Row 0 of the first layer (4 weights, 1 bias) and column 0 of the second (2 weights) go.
    assert [row["n_pruned"] for row in found["layers"]] == [4, 1, 2, 0]
    assert found["compression_ratio"] == 16 / 9
    assert found["macs"]["removed"] == 6
    assert "removed" in found["sizes"]


def test_without_labels_there_is_agreement_and_no_accuracy() -> None:
    found = reported(evaluation=measured("agreement")).to_json()
    assert set(found["metrics"]) == {"agreement"}
    assert found["judged_by"] == "agreement"
    assert any("agreement with the dense model" in note for note in found["notes"])


def test_a_file_without_architecture_is_reported_with_the_reason() -> None:
    weights = {"w": torch.arange(1.0, 5.0).reshape(2, 2)}
    model = LoadedModel(
        "w.pt", None, weights, "d", why_not_runnable="No architecture was chosen.", repairs=("Mended.",)
    )
    found = report(model, plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.5")))
    assert found.accuracy is None
    assert found.to_json()["theoretical_speedup"] is None
    assert found.to_json()["macs"] == {}
    assert "No architecture was chosen." in found.to_json()["notes"]
    assert found.to_json()["repairs"] == ["Mended."]


def test_an_empty_model_is_still_json() -> None:
    weights = {"w": torch.ones(2, 2)}
    model = LoadedModel("w.pt", None, weights, "d", why_not_runnable="No architecture was chosen.")
    found = report(model, plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=1")))
    assert math.isinf(found.compression_ratio)
    assert found.to_json()["compression_ratio"] is None
    json.dumps(found.to_json(), allow_nan=False)


def test_what_is_wrong_is_among_the_findings() -> None:
    findings = reported(PruneSpec("weight", "lp_norm", "uniform:sparsity=1")).to_json()["findings"]
    assert {f["layer"] for f in findings if f["level"] == "fail"} == {"0", "2"}
    assert all(f["what"] and f["action"] for f in findings)


@pytest.mark.parametrize(("judged_by", "word"), [("labels", "accuracy"), ("agreement", "agreement")])
def test_the_summary_names_what_was_measured(judged_by: Any, word: str) -> None:
    text = str(reported(evaluation=measured(judged_by), split="tune"))
    assert text.startswith("tiny: 50.0% pruned, compression ratio 1.6×")
    assert f"{word}" in text
    assert text.endswith("75.0% on 20 tune samples")


def test_zeros_the_model_came_with_are_counted_apart_and_with_what_is_pruned() -> None:
    model = tiny()
    with torch.no_grad():
        model.weights["0.weight"][0] = 0.0  # 4 of 12
        model.weights["2.weight"].zero_()  # 4 more: the whole layer
    spec = PruneSpec("weight", "lp_norm", "threshold:value=5.5")  # type: ignore[arg-type]
    found = report(model, plan(model, spec)).to_json()  # 5 goes, and the eight zeros with it
    assert (found["n_already_zero"], found["n_zero_in_all"]) == (8, 9)
    dense = report(model, plan(model, PruneSpec("weight", "lp_norm", "threshold:value=0"))).to_json()  # type: ignore[arg-type]
    assert (dense["n_already_zero"], dense["n_zero_in_all"], dense["n_pruned"]) == (8, 8, 0)
    assert (found["sparsity"], dense["sparsity"], dense["pruned_share"]) == (9 / 12, 8 / 12, 0.0)
    n_parameters = sum(t.numel() for t in model.weights.values())
    assert dense["compression_ratio"] == n_parameters / (n_parameters - 8)
    assert dense["parameters"]["kept"] == n_parameters - 8
    assert any("2 is empty: it holds nothing but zeros" in finding["what"] for finding in dense["findings"])


def test_where_nothing_is_removed_every_face_says_so_and_gives_no_interval() -> None:
    dense = ex.evaluate("digits-mlp")
    assert dense.evaluation is not None
    drop = dense.evaluation.drop

    assert (drop.value, drop.low, drop.high) == (0.0, None, None)
    assert facts(dense.model, dense.plan, dense.evaluation, None)[1] == Fact("Δ accuracy", "", "0.0 pt", NOTHING)
    assert printing.delta(drop) == ("0.0 pt", NOTHING)
    assert f"0.0 pt ({NOTHING})" in dense._repr_mimebundle_()["text/html"]
