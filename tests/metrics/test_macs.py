"""MACs by hand for one layer of each kind, and against PyTorch's own counter (2 FLOPs = 1 MAC)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import linear, scaled_dot_product_attention
from torch.nn.utils.prune import l1_unstructured
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from explorer import models
from explorer.errors import ExplorerError
from explorer.metrics.macs import mac_table, macs, theoretical_speedup, why_no_macs
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.slicing import sliced
from explorer.pruning.spec import PruneSpec
from explorer.types import LayerTable, LoadedModel, Plan, tensors_digest
from tests.every import for_each


def loaded(module: nn.Module, example: Tensor) -> LoadedModel:
    weights = dict(module.named_parameters())
    return LoadedModel("hand", module.eval(), weights, tensors_digest(weights), example=example)


def plan_of(masks: Mapping[str, Tensor], **more: object) -> Plan:
    return Plan({}, (), masks, LayerTable(()), 0.0, "digest", **more)  # type: ignore[arg-type]


class First(nn.Module):
    """Gives only the first output of a recurrent layer or an attention."""

    def __init__(self, inner: nn.Module, n_inputs: int = 1, **options: bool) -> None:
        super().__init__()
        self.inner, self.n_inputs, self.options = inner, n_inputs, options

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(*[x] * self.n_inputs, **self.options)[0]


IMAGE, SEQUENCE, SIGNAL, VOLUME = (
    torch.ones(1, 4, 9, 9),
    torch.ones(1, 7, 8),
    torch.ones(1, 4, 20),
    torch.ones(1, 2, 5, 6, 7),
)
# (module, example, MACs by hand)
BY_HAND = {
    "linear": (nn.Linear(8, 5), SEQUENCE, 7 * 8 * 5),
    "conv1d": (nn.Conv1d(4, 6, 5), SIGNAL, 16 * 6 * 4 * 5),
    "conv2d": (nn.Conv2d(4, 6, 3, padding=1), IMAGE, 81 * 6 * 4 * 9),
    "strided conv2d": (nn.Conv2d(4, 6, 3, stride=2), IMAGE, 16 * 6 * 4 * 9),
    "grouped conv2d": (nn.Conv2d(4, 6, 3, groups=2), IMAGE, 49 * 6 * 2 * 9),
    "depthwise conv2d": (nn.Conv2d(4, 4, 3, groups=4), IMAGE, 49 * 4 * 9),
    "conv3d": (nn.Conv3d(2, 3, (1, 2, 3)), VOLUME, 5 * 5 * 5 * 3 * 2 * 6),
    "transposed conv1d": (nn.ConvTranspose1d(4, 6, 5, stride=3), SIGNAL, 20 * 4 * 6 * 5),
    "transposed conv2d": (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), IMAGE, 81 * 4 * 3 * 9),
    "transposed conv3d": (nn.ConvTranspose3d(2, 3, 2), VOLUME, 210 * 2 * 3 * 8),
    "rnn": (First(nn.RNN(8, 5, batch_first=True)), SEQUENCE, 7 * 5 * (8 + 5)),
    "two-layer gru": (First(nn.GRU(8, 5, 2, batch_first=True)), SEQUENCE, 7 * 15 * ((8 + 5) + (5 + 5))),
    "two-way lstm": (
        First(nn.LSTM(8, 5, 2, batch_first=True, bidirectional=True)),
        SEQUENCE,
        7 * 2 * 20 * ((8 + 5) + (10 + 5)),
    ),
    "projected lstm": (First(nn.LSTM(8, 5, batch_first=True, proj_size=3)), SEQUENCE, 7 * (20 * (8 + 3) + 3 * 5)),
    "attention": (First(nn.MultiheadAttention(8, 2, batch_first=True), 3), SEQUENCE, 7 * 8 * 32 + 2 * 49 * 8),
    "attention without weights": (
        First(nn.MultiheadAttention(8, 2, batch_first=True), 3, need_weights=False),
        SEQUENCE,
        7 * 8 * 32 + 2 * 49 * 8,
    ),
    "transformer layer": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        SEQUENCE,
        7 * 8 * 32 + 2 * 49 * 8 + 2 * 7 * 8 * 16,
    ),
    "transformer": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 3),
        SEQUENCE,
        3 * (7 * 8 * 32 + 2 * 49 * 8 + 2 * 7 * 8 * 16),
    ),
    "batch norm": (nn.BatchNorm2d(4), IMAGE, 0),
    "embedding": (nn.Embedding(10, 3), torch.ones(1, 6, dtype=torch.int64), 0),
    "weight norm": (nn.utils.parametrizations.weight_norm(nn.Linear(8, 5)), SEQUENCE, 7 * 8 * 5),
    "bilinear": (First(nn.Bilinear(8, 8, 5), 2), SEQUENCE, 7 * 8 * 8 * 5),
}


@for_each("name", BY_HAND)
def test_macs_of_one_layer_equal_the_count_by_hand(name):
    module, example, by_hand = BY_HAND[name]
    assert macs(loaded(module, example))["dense"].value == by_hand


class _Plain(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


# The oracle sees neither oneDNN's LSTM nor the CPU's fused attention kernel nor bilinear layers.
UNSEEN = {"two-way lstm", "transformer layer", "transformer", "attention without weights", "bilinear"}


@for_each("name", sorted(set(BY_HAND) - UNSEEN))
def test_macs_are_half_the_flops_that_pytorch_counts(name):
    module, example, _ = BY_HAND[name]
    with torch.no_grad(), FlopCounterMode(display=False) as oracle, _Plain():
        module.eval()(example)
    assert 2 * macs(loaded(module, example))["dense"].value == oracle.get_total_flops()


def test_a_convolutional_network_agrees_with_pytorchs_counter():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, groups=4),
        nn.ReLU(), nn.ConvTranspose2d(16, 4, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10),
    )  # fmt: skip
    example = torch.randn(1, 3, 17, 13)
    with torch.no_grad(), FlopCounterMode(display=False) as oracle:
        net.eval()(example)
    assert 2 * macs(loaded(net, example))["dense"].value == oracle.get_total_flops()


class Free(nn.Module):
    """Products that no module makes."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(8, 3))
        self.experts = nn.Parameter(torch.randn(2, 8, 5))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        heads = x[:, None]
        return (
            torch.einsum("bij,jk->bik", x, self.w),
            x.expand(2, 7, 8) @ self.experts,
            x @ x.mT,
            scaled_dot_product_attention(heads, heads, heads),
            linear(x, self.w.T[:2]),
        )


def test_free_functions_are_counted_and_put_to_the_weight_they_use():
    table = mac_table(loaded(Free(), SEQUENCE))
    assert table.fixed == 49 * 8 + 2 * 49 * 8
    assert table.uses["experts"] == 7
    assert torch.equal(table.uses["w"], torch.tensor([14, 14, 7]).expand(8, 3))
    assert table.of("w") == 7 * 8 * 3 + 7 * 8 * 2


class Cross(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.register_buffer("memory", torch.randn(1, 3, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, self.memory, self.memory)[0]


def test_cross_attention_uses_its_query_rows_more_often_than_key_and_value_rows():
    table = mac_table(loaded(Cross(), SEQUENCE))
    uses = table.uses["attention.in_proj_weight"]
    assert isinstance(uses, Tensor)
    assert uses[:8].unique().tolist() == [7]
    assert uses[8:].unique().tolist() == [3]
    assert table.uses["attention.out_proj.weight"] == 7
    assert table.fixed == 2 * 7 * 3 * 8


def test_recurrent_weights_are_used_once_a_step():
    table = mac_table(loaded(First(nn.LSTM(8, 5, 2, batch_first=True, bidirectional=True)), SEQUENCE))
    assert set(table.uses) == {
        f"inner.weight_{part}_l{layer}{way}" for part in ("ih", "hh") for layer in (0, 1) for way in ("", "_reverse")
    }
    assert set(table.uses.values()) == {7}


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.embed(x))


def test_a_tied_weight_is_credited_once_under_its_first_name():
    table = mac_table(loaded(Tied(), torch.ones(1, 6, dtype=torch.int64)))
    assert dict(table.uses) == {"embed.weight": 6}


def test_weights_pruned_by_torch_keep_their_products_under_the_stored_name():
    net = nn.Sequential(nn.Linear(8, 5))
    with torch.no_grad():
        l1_unstructured(net[0], "weight", amount=0.5)
    assert dict(mac_table(loaded(net, SEQUENCE)).uses) == {"0.weight_orig": 7}


def test_sparse_macs_leave_out_the_products_of_pruned_weights():
    model = loaded(nn.Sequential(nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(6 * 49, 2)), IMAGE)
    first, last = torch.ones(6, 4, 3, 3, dtype=torch.bool), torch.ones(2, 294, dtype=torch.bool)
    first[0], last[:, :10] = False, False
    found = macs(model, plan_of({"0.weight": first, "2.weight": last, "0.bias": torch.zeros(6, dtype=torch.bool)}))
    assert found["dense"].value == 49 * 216 + 588
    assert found["sparse"].value == 49 * 180 + 568
    assert "removed" not in found
    assert all(m.unit == "MAC" and m.origin == "counted" for m in found.values())


def test_macs_after_removal_equal_those_of_the_smaller_model():
    def net(width: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(4, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width * 49, 2))

    model, smaller = loaded(net(6), IMAGE), loaded(net(4), IMAGE)
    kept = {name: tuple(t.shape) for name, t in smaller.weights.items()}
    found = macs(model, plan_of({}, kept_shapes=kept))
    assert found["removed"].value == macs(smaller)["dense"].value
    speedup = theoretical_speedup(model, plan_of({}, kept_shapes=kept))
    assert speedup is not None
    assert speedup.value == found["dense"].value / found["removed"].value


def test_products_between_activations_stay_while_anything_is_left_that_makes_them():
    model = loaded(First(nn.MultiheadAttention(8, 2, batch_first=True), 3), SEQUENCE)
    one_left = {name: torch.zeros_like(t, dtype=torch.bool) for name, t in model.weights.items()}
    assert macs(model, plan_of(one_left))["sparse"].value == 0
    weight = one_left["inner.in_proj_weight"]
    weight[::8] = True  # the first slot of query, key and value: what is left of the first head
    found = macs(model, plan_of(one_left))["sparse"].value
    assert found == 7 * 3 * 8 + 2 * 49


def test_single_pruned_weights_spare_no_product_between_activations():
    model = loaded(First(nn.MultiheadAttention(8, 2, batch_first=True), 3), SEQUENCE)
    torch.manual_seed(0)
    masks = {"inner.in_proj_weight": torch.rand(24, 8) > 0.5}
    weights_left = 7 * (int(masks["inner.in_proj_weight"].sum()) + 64)
    assert macs(model, plan_of(masks))["sparse"].value == weights_left + 2 * 49 * 8


@pytest.mark.parametrize("unit", ["head", "mlp_neuron", "out_channel", "layer", "depth"])
def test_macs_left_of_a_transformer_are_what_pytorch_counts_on_the_smaller_network(unit):
    model = models.load("digits-vit")
    plan = make_plan(model, PruneSpec(unit, "lp_norm", "global:sparsity=0.5"))
    small = sliced(model, plan).module
    with sdpa_kernel(SDPBackend.MATH), torch.no_grad(), FlopCounterMode(display=False) as oracle:
        small(model.example)
    found = macs(model, plan)
    assert 2 * found["removed"].value == oracle.get_total_flops()
    assert found["sparse"].value == found["removed"].value < found["dense"].value


def test_a_table_made_before_gives_the_same_answers_and_only_one_example_is_counted():
    net = nn.Sequential(nn.Linear(8, 5))
    model = loaded(net, torch.ones(3, 8))
    table, plan = mac_table(model), plan_of({"0.weight": torch.arange(40).reshape(5, 8) % 2 == 0})
    assert table.dense == 40
    assert macs(model, plan, table) == macs(model, plan)
    assert theoretical_speedup(model, plan, table).value == 2.0


def test_counting_leaves_the_model_as_it_was():
    net = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6))
    model = loaded(net, IMAGE)
    before = tensors_digest(net.state_dict())
    mac_table(model)
    assert tensors_digest(net.state_dict()) == before
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


def test_a_file_without_an_architecture_has_no_macs_and_says_why():
    model = LoadedModel("x.pt", None, {"w": torch.ones(3)}, "d", why_not_runnable="No architecture was chosen.")
    assert macs(model) == {}
    assert theoretical_speedup(model, plan_of({})) is None
    assert str(why_no_macs(model)) == "No architecture was chosen."
    with pytest.raises(ExplorerError, match="No architecture was chosen"):
        mac_table(model)
