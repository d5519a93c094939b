"""Simulated int8 weights are what torch's own quantizer gives, and their size is that of a real file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from explorer import data, models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.size import stored_tensors
from explorer.models.bitmask import pack
from explorer.pruning.apply import masked, masked_weights
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.quantization import (
    measured,
    quantized,
    quantized_plan,
    quantized_weights,
    to_whole_numbers,
    whole_numbers,
)
from explorer.recovery.quantized_size import quantized_sizes
from explorer.types import LoadedModel, Plan
from tests.every import for_each

HALF = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return models.load("digits-cnn")


@pytest.fixture(scope="module")
def plan(model: LoadedModel) -> Plan:
    return make_plan(model, HALF)


@pytest.fixture(scope="module")
def evaluator(model: LoadedModel) -> Evaluator:
    return Evaluator(model, data.load("digits", model=model).splits["tune"])


def test_three_channels_by_hand() -> None:
    weights = torch.tensor([[1.0, -0.5, 0.25], [0.0, 0.0, 0.0], [127.0, 0.4, -0.6]])

    found = to_whole_numbers(weights)

    assert found.scales.tolist() == [pytest.approx(1 / 127), 1.0, 1.0]
    # 63.5 and 31.75 in units of 1/127: halves go to the even neighbour.
    assert found.values.tolist() == [[127, -64, 32], [0, 0, 0], [127, 0, -1]]
    assert found.weights()[2].tolist() == [127.0, 0.0, -1.0]


@for_each("axis", [0, 1])
@for_each("bits", range(2, 9))
def test_the_values_are_those_of_torch_bit_for_bit(bits: int, axis: int) -> None:
    generator = torch.Generator().manual_seed(bits)
    weights = torch.randn(16, 9, 3, 3, generator=generator) * torch.rand(16, 1, 1, 1, generator=generator) ** 4
    weights[weights.abs() < 0.02] = 0
    weights[3], weights[:, 4] = 0, 0
    most = 2 ** (bits - 1) - 1

    found = to_whole_numbers(weights, axis, bits)

    zero_points = torch.zeros(len(found.scales), dtype=torch.int32)
    expected = torch.fake_quantize_per_channel_affine(weights, found.scales, zero_points, axis, -most, most)
    assert torch.equal(found.weights().view(torch.int32), expected.view(torch.int32))
    assert bool((found.values.abs().amax(dim=[d for d in range(4) if d != axis]) <= most).all())


def test_eight_bits_are_the_whole_numbers_of_torch() -> None:
    weights = torch.randn(8, 20, generator=torch.Generator().manual_seed(0))
    found = to_whole_numbers(weights)
    zero_points = torch.zeros(8, dtype=torch.int64)
    theirs = torch.quantize_per_channel(weights, found.scales.double(), zero_points, 0, torch.qint8)
    assert torch.equal(theirs.int_repr(), found.values)
    assert torch.equal(theirs.dequantize(), found.weights())


def test_numbers_too_small_to_divide_by_become_zero_and_never_nan() -> None:
    weights = torch.tensor([[1e-42, -1e-44], [1.0, 0.0]])
    assert to_whole_numbers(weights).weights()[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("bits", [0, 1, 9, 32])
def test_other_numbers_of_bits_are_refused(bits: int) -> None:
    with pytest.raises(ExplorerError, match="2 to 8 bits"):
        to_whole_numbers(torch.ones(2, 2), bits=bits)


@pytest.mark.parametrize("name", models.samples())
def test_what_was_pruned_stays_zero_and_no_weight_moves_more_than_half_a_step(name: str) -> None:
    model = models.load(name)
    plan = make_plan(model, HALF)
    pruned = {**model.weights, **masked_weights(model, plan)}

    numbers, weights = whole_numbers(model, plan), quantized_weights(model, plan)

    assert set(weights) == {layer.parameter for layer in plan.layers.prunable if layer.kind != "Embedding"}
    for parameter, found in weights.items():
        steps = numbers[parameter].scales.reshape(-1, *[1] * (found.dim() - 1))
        assert bool(((found - pruned[parameter]).abs() <= 0.5001 * steps).all())
        assert int(torch.count_nonzero(found[~plan.masks[parameter]])) == 0


def test_a_transposed_convolution_has_its_channels_along_the_second_dimension() -> None:
    module = nn.Sequential(nn.ConvTranspose2d(3, 5, 2))
    weights = {name: p.detach() for name, p in module.named_parameters()}
    model = LoadedModel("made", module.eval(), weights, "made", example=torch.zeros(1, 3, 4, 4))
    assert whole_numbers(model)["0.weight"].scales.shape == (5,)


def test_the_quantized_plan_runs_as_the_quantized_model_does(model: LoadedModel, plan: Plan) -> None:
    x = data.load("digits", model=model).splits["tune"].x[:40]
    by_plan = masked(model, quantized_plan(model, plan, 4)).module
    as_model = quantized(model, plan, 4)
    assert as_model.module is not None
    assert torch.equal(by_plan(x), as_model.module(x))
    assert as_model.digest != model.digest
    assert as_model.meta["quantized"] == {"bits": 4, "from": model.digest, "plan": plan.digest}


def test_the_dense_model_is_never_written_to(model: LoadedModel, plan: Plan, evaluator: Evaluator) -> None:
    before = {name: tensor.clone() for name, tensor in model.weights.items()}
    quantized(model, plan, 3)
    measured(evaluator, plan, 3)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.weights.items())


def test_the_accuracy_is_that_of_a_plain_loop_with_torchs_own_rounding(
    model: LoadedModel, plan: Plan, evaluator: Evaluator
) -> None:
    module = models.load("digits-cnn").module
    assert module is not None
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name in plan.masks:
                parameter.masked_fill_(~plan.masks[name], 0)
            if parameter.dim() >= 2:
                scales = parameter.abs().amax(dim=tuple(range(1, parameter.dim()))) / 3
                zero_points = torch.zeros(len(scales), dtype=torch.int32)
                scales = torch.where(scales > 0, scales, torch.ones_like(scales))
                parameter.copy_(torch.fake_quantize_per_channel_affine(parameter, scales, zero_points, 0, -3, 3))
        expected = (module(evaluator.split.x).argmax(1) == evaluator.split.y).float().mean()

    found = measured(evaluator, plan, 3)

    assert found.accuracy.value == pytest.approx(float(expected))
    assert found.drop.value == pytest.approx(evaluator.dense().accuracy.value - float(expected))


def test_equal_requests_have_equal_digests_and_others_do_not(model: LoadedModel, plan: Plan) -> None:
    digests = [quantized_plan(model, plan, bits).digest for bits in (8, 8, 7)]
    assert digests[0] == digests[1]
    assert len({plan.digest, *digests}) == 3


def as_a_file(model: LoadedModel, plan: Plan, kind: str) -> dict[str, Tensor]:
    """The tensors of a real file of this kind, put together by hand."""
    numbers, out = whole_numbers(model, plan), dict[str, Tensor]()
    for name, tensor in stored_tensors(model).items():
        mask = plan.masks.get(name)
        found = numbers[name].values if name in numbers else tensor
        if name in numbers:
            out[f"{name}.scales"] = numbers[name].scales
        if kind == "int8_bitmask" and mask is not None:
            out |= {f"{name}.{part}": t for part, t in pack(found, mask).items()}
        elif kind == "int8_csr" and mask is not None:
            rows = found.reshape(len(found), -1).to_sparse_csr()
            out[f"{name}.values"] = found[mask]
            out[f"{name}.columns"] = mask.reshape(len(mask), -1).nonzero()[:, 1].to(torch.int32)
            out[f"{name}.rows"] = torch.zeros(len(rows.crow_indices()), dtype=torch.int32)
        else:
            out[f"{name}.values" if name in numbers else name] = found
    return {name: t.clone().contiguous() for name, t in out.items()}


@pytest.mark.parametrize("kind", ["int8", "int8_bitmask", "int8_csr"])
def test_a_counted_size_is_that_of_the_written_file(model: LoadedModel, plan: Plan, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    save_file(as_a_file(model, plan, kind), path)
    found: Mapping[str, object] = {k: m.value for k, m in quantized_sizes(model, plan).items()}
    assert found[kind] == path.stat().st_size


def test_removed_units_take_their_scales_with_them(model: LoadedModel) -> None:
    plan = make_plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))
    found = quantized_sizes(model, plan)
    n_weights = sum(
        t.numel() if name not in plan.kept_shapes else torch.Size(plan.kept_shapes[name]).numel()
        for name, t in model.weights.items()
        if t.dim() >= 2
    )
    assert n_weights < found["int8_removed"].value < found["int8_bitmask"].value


def test_four_bits_take_half_of_eight(model: LoadedModel, plan: Plan) -> None:
    eight, four = (quantized_sizes(model, plan, bits)["int8"] for bits in (8, 4))
    n_weights = sum(layer.n_weights for layer in plan.layers.prunable)
    assert abs((eight.value - four.value) - n_weights / 2) < 200
    assert four.origin == "counted"
