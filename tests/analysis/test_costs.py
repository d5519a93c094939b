"""The costs of a pruned model beside the dense one: what is measured, and in which form."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from torch import fx

from explorer import models
from explorer.analysis import costs as costs_module
from explorer.analysis.costs import RunningCosts, comparable, costs, refined_costs
from explorer.analysis.report import finite, report
from explorer.errors import ExplorerError
from explorer.metrics.energy import estimated
from explorer.metrics.macs import macs
from explorer.metrics.memory import traffic
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Measurement, Plan


def request(unit: str, sparsity: float = 0.5, model: str = "digits-mlp") -> tuple[LoadedModel, Plan]:
    loaded = models.load(model)
    return loaded, make_plan(loaded, PruneSpec(unit, "lp_norm", f"uniform:sparsity={sparsity}"))  # type: ignore[arg-type]


def quick(model: LoadedModel, plan: Plan) -> RunningCosts:
    return costs(model, plan, pairs=2, threads=1)


def test_channels_are_measured_cut_out_and_cost_less_memory_and_energy() -> None:
    model, plan = request("out_channel")
    found = quick(model, plan)
    assert (found.form, found.why_masked) == ("sliced", None)
    left = sum(4 * torch.Size(plan.kept_shapes.get(name, tuple(t.shape))).numel() for name, t in model.weights.items())
    assert found.memory["weights_pruned"].value == left < found.memory["weights_dense"].value
    assert found.energy["pruned"].value < found.energy["dense"].value


def test_single_zeros_are_measured_masked_and_cost_as_much_as_before() -> None:
    found = quick(*request("weight", 0.9))
    assert found.form == "masked"
    assert found.why_masked
    assert found.memory["weights_pruned"].value == found.memory["weights_dense"].value
    assert found.memory["activations_pruned"].value == found.memory["activations_dense"].value
    assert found.energy["pruned"].value == found.energy["dense"].value


def test_the_energy_is_that_of_the_multiplications_left_and_of_what_is_moved() -> None:
    model, plan = request("out_channel")
    module = comparable(model, plan).pruned
    n_bytes = sum(4 * p.numel() for p in module.parameters())
    assert model.example is not None
    expected = estimated(macs(model, plan)["removed"].value, n_bytes, traffic(module, model.example).moved)
    assert quick(model, plan).energy["pruned"].value == pytest.approx(expected.value)


def test_a_cut_graph_is_compared_with_the_uncut_graph_and_a_masked_class_with_the_class() -> None:
    model, plan = request("out_channel")
    cut = comparable(model, plan)
    assert isinstance(cut.dense, fx.GraphModule)
    assert isinstance(cut.pruned, fx.GraphModule)
    assert model.module is not None
    assert model.example is not None
    assert torch.equal(cut.dense(model.example), model.module(model.example))
    model, plan = request("weight")
    zeros = comparable(model, plan)
    assert type(zeros.dense) is type(zeros.pruned)


def test_nothing_is_called_faster_without_a_measured_time_beside_it() -> None:
    found = quick(*request("out_channel"))
    assert "Theoretical speed-up" in found.sentences[0]
    assert "Measured" in found.sentences[0]


def test_the_costs_are_refined_while_the_pairs_come_in() -> None:
    model, plan = request("weight")
    steps = [found.latency.n for found in refined_costs(model, plan, pairs=7, threads=1)]
    assert steps == [5, 7]


def test_a_report_holds_them_as_json_with_their_origins() -> None:
    model, plan = request("out_channel")
    found = json.loads(json.dumps(report(model, plan, costs=quick(model, plan)).to_json(), allow_nan=False))
    assert found["latency"]["origin"] == "measured"
    assert found["latency"]["form"] == "sliced"
    assert {"dense", "pruned", "ratio", "batch", "threads", "machine"} <= set(found["latency"])
    assert {row["pattern"] for row in found["runtimes"]} == {"units"}
    assert all(row["source"] and row["as_of"] for row in found["runtimes"])
    assert found["memory"]["activations_dense"]["origin"] == "counted"
    assert found["energy"]["dense"]["origin"] == "estimated"
    assert "latency" not in report(model, plan).to_json()


def test_what_is_not_finite_becomes_null_in_json() -> None:
    assert finite({"latency": {"ms": float("inf")}}) == {"latency": {"ms": None}}


def test_a_model_without_an_architecture_is_refused() -> None:
    model, plan = request("weight")
    bare = LoadedModel("bare", None, model.weights, model.digest, why_not_runnable="No architecture was given.")
    with pytest.raises(ExplorerError, match="cannot be run"):
        quick(bare, plan)


def test_where_the_machine_has_a_meter_both_networks_are_measured_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model, plan = request("out_channel")
    outputs = []

    def by_meter(run: Callable[[], torch.Tensor], *, batch: int) -> Measurement:
        outputs.append(run())
        return Measurement("energy", 2.0 / len(outputs), "joules", "measured", batch_size=batch)

    assert quick(model, plan).energy.keys() == {"dense", "pruned"}
    monkeypatch.setattr(costs_module, "why_not_measured", lambda: None)
    monkeypatch.setattr(costs_module, "by_meter", by_meter)
    measured = quick(model, plan)
    assert {name: m.value for name, m in measured.energy.items() if "measured" in name} == {
        "dense_measured": 2.0,
        "pruned_measured": 1.0,
    }
    assert measured.to_json()["energy"]["pruned_measured"]["origin"] == "measured"
    pair = comparable(model, plan)
    for output, network in zip(outputs, (pair.dense, pair.pruned), strict=True):
        torch.testing.assert_close(output, network(model.example))
