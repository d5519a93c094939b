"""Sizes are checked against files that are really written."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer.metrics.size import compression_ratio, n_of_m_pattern, parameters, sizes, stored_tensors
from explorer.types import LayerInfo, LayerTable, LoadedModel, Plan, tensors_digest


def loaded(module: nn.Module) -> LoadedModel:
    weights = dict(module.named_parameters())
    return LoadedModel("hand", module.eval(), weights, tensors_digest(weights))


def plan_of(model: LoadedModel, masks: Mapping[str, Tensor], **more: object) -> Plan:
    layers = tuple(
        LayerInfo(name.removesuffix(".weight"), name, "tensor", tuple(t.shape), "net")
        for name, t in model.weights.items()
    )
    return Plan({}, (), masks, LayerTable(layers), 0.0, "digest", **more)  # type: ignore[arg-type]


def small_net(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 5)).to(dtype)


def half_masks(model: LoadedModel) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {name: torch.rand(model.weights[name].shape) > 0.5 for name in ("0.weight", "3.weight")}


def written(tensors: Mapping[str, Tensor], tmp_path) -> int:
    save_file({name: t.detach().contiguous() for name, t in tensors.items()}, tmp_path / "f.safetensors")
    return (tmp_path / "f.safetensors").stat().st_size


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_dense_file_is_exactly_the_length_of_the_file_that_safetensors_writes(dtype, tmp_path):
    model = loaded(small_net(dtype))
    plan = plan_of(model, half_masks(model))
    assert sizes(model, plan)["dense_file"].value == written(model.module.state_dict(), tmp_path)


def test_dense_file_counts_names_that_need_escaping_and_mixed_types_exactly(tmp_path):
    tensors = {
        'ü"\\\n.weight': torch.zeros(3),
        "scalar": torch.zeros(()),
        "empty": torch.zeros(0, 4),
        "half": torch.zeros(5, dtype=torch.float16),
        "steps": torch.zeros(1, dtype=torch.int64),
        "on": torch.zeros(3, dtype=torch.bool),
        "bytes": torch.zeros(3, dtype=torch.uint8),
    }
    model = LoadedModel("hand", None, tensors, "d")
    assert sizes(model, plan_of(model, {}))["dense_file"].value == written(tensors, tmp_path)


def test_pruning_does_not_change_the_dense_file():
    model = loaded(small_net())
    nothing, half = plan_of(model, {}), plan_of(model, half_masks(model))
    assert sizes(model, nothing)["dense_file"].value == sizes(model, half)["dense_file"].value


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_csr_is_exactly_the_length_of_a_file_that_holds_the_csr_arrays(dtype, tmp_path):
    model = loaded(small_net(dtype))
    masks = half_masks(model)
    file = dict(model.module.state_dict())
    for name, mask in masks.items():
        dense = file.pop(name)
        matrix = mask.reshape(mask.shape[0], -1).to(torch.float64).to_sparse_csr()
        file[f"{name}.values"] = dense[mask]
        file[f"{name}.columns"] = matrix.col_indices().to(torch.int32)
        file[f"{name}.rows"] = matrix.crow_indices().to(torch.int32)
    assert sizes(model, plan_of(model, masks))["csr"].value == written(file, tmp_path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_bitmask_file_of_the_stated_size_restores_the_pruned_weights(dtype, tmp_path):
    model = loaded(small_net(dtype))
    masks = half_masks(model)
    file = dict(model.module.state_dict())
    for name, mask in masks.items():
        bits = torch.zeros(-(-mask.numel() // 8) * 8, dtype=torch.uint8)
        bits[: mask.numel()] = mask.reshape(-1)
        file[f"{name}.values"] = file.pop(name)[mask]
        file[f"{name}.bits"] = (bits.reshape(-1, 8) << torch.arange(8)).sum(dim=1).to(torch.uint8)
        file[f"{name}.shape"] = torch.tensor(mask.shape, dtype=torch.int32)
    assert sizes(model, plan_of(model, masks))["bitmask"].value == written(file, tmp_path)

    back = load_file(tmp_path / "f.safetensors")
    shape = back["0.weight.shape"].tolist()
    flags = (back["0.weight.bits"][:, None] >> torch.arange(8) & 1).reshape(-1)[: math.prod(shape)].bool()
    restored = torch.zeros(math.prod(shape), dtype=dtype).masked_scatter(flags, back["0.weight.values"])
    assert torch.equal(restored.reshape(shape), model.weights["0.weight"] * masks["0.weight"])


def test_tensors_that_lost_nothing_stay_dense_in_every_kind():
    model = loaded(small_net())
    plan = plan_of(model, {name: torch.ones_like(t, dtype=torch.bool) for name, t in model.weights.items()})
    found = sizes(model, plan)
    assert found["csr"].value == found["bitmask"].value == found["dense_file"].value
    assert "n_of_m" not in found
    assert "removed" not in found


def two_of_four(shape: tuple[int, ...]) -> Tensor:
    return torch.tensor([True, False, False, True]).repeat(math.prod(shape) // 4).reshape(shape)


def test_n_of_m_counts_two_bits_per_kept_weight_of_a_2_4_mask(tmp_path):
    model = loaded(nn.Sequential(nn.Linear(16, 6), nn.Linear(6, 4)))
    plan = plan_of(model, {"0.weight": two_of_four((6, 16))})
    file = dict(model.module.state_dict())
    file["0.weight.values"] = file.pop("0.weight")[plan.masks["0.weight"]]
    file["0.weight.indices"] = torch.zeros(48 * 2 // 8, dtype=torch.uint8)
    found = sizes(model, plan)["n_of_m"]
    assert found.value == written(file, tmp_path)
    assert "Every 4 neighbours keep 2" in found.note


def test_n_of_m_is_absent_when_one_group_breaks_the_pattern():
    mask = two_of_four((6, 16))
    mask[5, 15] = False
    model = loaded(nn.Sequential(nn.Linear(16, 6)))
    assert "n_of_m" not in sizes(model, plan_of(model, {"0.weight": mask}))


def test_patterns_are_found_along_rows_and_along_input_channels():
    along_channels = two_of_four((2, 3, 3, 8)).movedim(-1, 1)
    assert n_of_m_pattern([two_of_four((4, 8))]) == (2, 4)
    assert n_of_m_pattern([along_channels]) == (2, 4)
    assert n_of_m_pattern([two_of_four((4, 8)), torch.tensor([[True, False, False, False]])]) is None
    assert n_of_m_pattern([torch.tensor([[True, False] + [False] * 6])]) == (1, 8)
    assert n_of_m_pattern([torch.zeros(4, 8, dtype=torch.bool)]) is None
    assert n_of_m_pattern([]) is None


def test_removed_is_exactly_the_length_of_a_file_with_smaller_tensors_and_places(tmp_path):
    model = loaded(small_net())
    smaller = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5, 5))
    shapes = {name: tuple(t.shape) for name, t in smaller.named_parameters() if name != "3.bias"}
    masks = {name: torch.ones_like(model.weights[name], dtype=torch.bool) for name in shapes}
    for name, mask in masks.items():
        (mask.T if name == "3.weight" else mask)[5:] = False
    plan = plan_of(model, masks, kept_shapes=shapes)
    file = {name: t for name, t in model.module.state_dict().items() if name not in masks}
    for name, shape in shapes.items():
        file[f"{name}.values"] = torch.zeros(shape)
        file[f"{name}.units"] = torch.zeros(-(-sum(model.weights[name].shape) // 8), dtype=torch.uint8)
    assert sizes(model, plan)["removed"].value == written(file, tmp_path)
    n_smaller = sum(t.numel() for t in smaller.parameters())
    assert compression_ratio(model, plan).value == pytest.approx(model.n_parameters / n_smaller)
    assert parameters(model, plan)["kept"].value == n_smaller


def test_a_tensor_that_lost_more_than_whole_slices_stays_dense_in_the_removed_file(tmp_path):
    model = loaded(nn.Sequential(nn.Linear(4, 4, bias=False)))
    mask = torch.ones(4, 4, dtype=torch.bool)
    mask[3], mask[0, 0] = False, False
    plan = plan_of(model, {"0.weight": mask}, kept_shapes={"0.weight": (3, 4)})
    assert sizes(model, plan)["removed"].value == written(model.module.state_dict(), tmp_path)


def test_compressed_is_measured_really_and_falls_with_the_number_of_zeros(tmp_path):
    model = loaded(nn.Sequential(nn.Linear(64, 64)))
    torch.manual_seed(0)
    dense = sizes(model, plan_of(model, {}), compress=True)["dense_file_compressed"]
    plan = plan_of(model, {"0.weight": torch.rand(64, 64) > 0.9})
    pruned = sizes(model, plan, compress=True)["dense_file_compressed"]
    assert dense.origin == pruned.origin == "measured"
    assert pruned.date
    assert pruned.machine
    assert pruned.value < 0.4 * dense.value

    weight, mask = model.weights["0.weight"], plan.masks["0.weight"]
    written(dict(model.weights) | {"0.weight": weight.masked_fill(~mask, 0.0)}, tmp_path)
    assert pruned.value == len(zlib.compress((tmp_path / "f.safetensors").read_bytes(), 6))


def test_compressed_size_writes_a_zero_where_a_pruned_weight_was_not_a_number():
    weights = {"w": torch.full((64, 64), math.nan)}
    model = LoadedModel("hand", None, weights, "d")
    plan = plan_of(model, {"w": torch.zeros(64, 64, dtype=torch.bool)})
    zeros = LoadedModel("hand", None, {"w": torch.zeros(64, 64)}, "d")
    kind = "dense_file_compressed"
    assert sizes(model, plan, compress=True)[kind].value == sizes(zeros, plan_of(zeros, {}), compress=True)[kind].value


def test_only_what_is_asked_is_compressed_and_every_size_says_what_it_is():
    model = loaded(small_net())
    found = sizes(model, plan_of(model, half_masks(model)))
    assert "dense_file_compressed" not in found
    assert all(m.unit == "bytes" and m.origin == "counted" and m.note.endswith(".") for m in found.values())


def test_a_tied_weight_is_stored_and_counted_once(tmp_path):
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    net[1].weight = net[0].weight
    model = loaded(net)
    plan = plan_of(model, {"0.weight": two_of_four((4, 4))})
    assert list(stored_tensors(model)) == ["0.weight"]
    assert sizes(model, plan)["dense_file"].value == written({"0.weight": net[0].weight}, tmp_path)
    assert compression_ratio(model, plan).value == 2.0


def test_parameters_are_counted_over_the_whole_model_by_hand():
    net = nn.Sequential(nn.Linear(2, 2))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.0], [2.0, 3.0]]))
        net[0].bias.copy_(torch.tensor([1.0, 1.0]))
    model = loaded(net)
    plan = plan_of(model, {"0.weight": torch.tensor([[True, True], [False, True]])})
    counted = {name: m.value for name, m in parameters(model, plan).items()}
    assert counted == {"total": 6, "kept": 5, "nonzero": 4}
    assert compression_ratio(model, plan).value == pytest.approx(6 / 5)


def test_a_model_with_nothing_left_has_an_infinite_compression_ratio():
    model = LoadedModel("hand", None, {"w": torch.ones(3)}, "d")
    assert compression_ratio(model, plan_of(model, {"w": torch.zeros(3, dtype=torch.bool)})).value == math.inf
