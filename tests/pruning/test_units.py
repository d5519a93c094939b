"""Heads, hidden units, blocks and rounding: what a unit is, by hand and against torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from builders import loaded
from torch import Tensor, nn
from zoo import inputs_for, model_of

from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.granularity import get
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.slicing import sliced
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, PruningGroup
from tests.every import for_each


def groups_of(key: str, model: LoadedModel) -> dict[str, PruningGroup]:
    return {k.name: k for k in get(key).groups(model, layer_table(model))}


def parts_of(group: PruningGroup) -> dict[tuple[str, int], list[int]]:
    return {(p.parameter, p.dim): p.units.tolist() for p in group.parts}


# -- heads ------------------------------------------------------------------------------------------


def test_a_head_is_its_rows_of_query_key_and_value_and_its_columns_of_the_output() -> None:
    group = groups_of("head", model_of("hub attention"))["query"]
    heads = [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    rows = [(f"{name}.{what}", 0) for name in ("query", "key", "value") for what in ("weight", "bias")]
    assert parts_of(group) == dict.fromkeys([*rows, ("dense.weight", 1)], heads)
    assert group.layers == ("query", "key", "value")


def test_the_heads_of_torchs_attention_lie_in_its_packed_rows() -> None:
    group = groups_of("head", model_of("torch attention"))["attend.in_proj_weight"]
    heads = [0] * 4 + [1] * 4
    assert parts_of(group) == {
        ("attend.in_proj_weight", 0): heads * 3,
        ("attend.in_proj_bias", 0): heads * 3,
        ("attend.out_proj.weight", 1): heads,
    }


def test_heads_that_share_keys_and_values_are_one_unit() -> None:
    group = groups_of("head", model_of("grouped queries"))["query"]
    assert parts_of(group)["query.weight", 0] == [0] * 6 + [1] * 6
    assert parts_of(group)["key.weight", 0] == [0] * 3 + [1] * 3


def test_a_pruned_head_adds_nothing_to_what_torchs_attention_gives() -> None:
    model = model_of("torch attention")
    ours = plan(model, PruneSpec("head", "lp_norm", "uniform:sparsity=0.5"))
    assert model.module is not None
    attend = model.module.get_submodule("attend")
    gone = int((~ours.masks["attend.out_proj.weight"][0]).nonzero()[0]) // 4
    x = torch.randn(3, 5, 8)
    q, k, v = F.linear(x, attend.in_proj_weight, attend.in_proj_bias).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
    left = F.scaled_dot_product_attention(q, k, v)[:, 1 - gone]
    columns = slice((1 - gone) * 4, (2 - gone) * 4)
    by_hand = F.linear(left, attend.out_proj.weight[:, columns], attend.out_proj.bias)
    ours_says = masked(model, ours).module.get_submodule("attend")(x, x, x, need_weights=False)[0]
    torch.testing.assert_close(ours_says, by_hand)


def test_one_head_always_stays() -> None:
    ours = plan(model_of("torch encoder"), PruneSpec("head", "lp_norm", "uniform:sparsity=1.0"))
    assert {k.n_pruned for k in ours.groups if k.group.why_not is None} == {3}
    assert any("At least one unit stays" in note for note in ours.notes)


class Masked(nn.Module):
    """Torch's attention with a mask, and hub-style attention behind a decision: neither can be followed."""

    def __init__(self) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.n_heads = 4
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(8, 8) for _ in range(4))
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 1e9:
            return x
        x = self.attend(x, x, x, attn_mask=torch.eye(5).bool())[0]
        q, k, v = (f(x).unflatten(-1, (4, 2)).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        return self.fc(self.o_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)).mean(1))


def test_heads_of_an_attention_that_cannot_be_traced_are_masked_and_not_cut() -> None:
    torch.manual_seed(0)
    model = loaded(Masked(), 5, 8)
    groups = groups_of("head", model)
    assert {k.name: k.n_units for k in groups.values() if k.why_not is None} == {
        "attend.in_proj_weight": 2,
        "q_proj": 4,
    }
    ours = plan(model, PruneSpec("head", "lp_norm", "uniform:sparsity=0.5"))
    assert not ours.masks["o_proj.weight"].all(dim=0).all()
    assert not ours.kept_shapes
    assert model.module is not None
    values = masked(model, ours).module.get_submodule("v_proj")(torch.randn(2, 5, 8))
    assert int((values == 0).all(dim=(0, 1)).sum()) == 4
    with pytest.raises(ExplorerError, match=r"cannot be cut.*could not be followed"):
        sliced(model, ours)


def test_an_attention_with_one_head_says_that_it_stays() -> None:
    class Single(Masked):
        def __init__(self) -> None:
            super().__init__()
            self.n_heads = 1

    assert groups_of("head", loaded(Single(), 5, 8))["q_proj"].why_not == "It has one head, and one always stays."


# -- hidden units -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_the_cut_recurrent_layer_is_torchs_own_smaller_layer(kind: type[nn.RNNBase]) -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = kind(5, 6, num_layers=2, batch_first=True)
            self.fc = nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.rnn(x)[0][:, -1])

    torch.manual_seed(0)
    model = loaded(Network(), 7, 5)
    ours = plan(model, PruneSpec("hidden_unit", "lp_norm", "uniform:sparsity=0.5"))
    small = sliced(model, ours).module
    rnn = small.get_submodule("rnn")
    assert isinstance(rnn, kind)
    fresh = kind(5, 3, num_layers=2, batch_first=True)
    fresh.load_state_dict(rnn.state_dict())
    x = torch.randn(4, 7, 5)
    torch.testing.assert_close(fresh(x)[0], rnn(x)[0])
    assert (rnn.hidden_size, small.get_submodule("fc").in_features) == (3, 3)


def test_the_state_of_a_pruned_unit_stays_at_zero() -> None:
    model = model_of("gru, last state")
    ours = plan(model, PruneSpec("hidden_unit", "lp_norm", "uniform:sparsity=0.5"))
    rnn = masked(model, ours).module.get_submodule("rnn")
    gone = ~ours.masks["rnn.weight_hh_l0"].any(dim=0)
    states, _ = rnn(torch.randn(3, 5, 9))
    assert int(gone.sum()) == 4
    assert bool((states[..., gone.repeat(2)] == 0).all())


def test_a_hidden_unit_has_a_row_in_every_gate_of_every_layer_and_direction() -> None:
    parts = parts_of(groups_of("hidden_unit", model_of("lstm, two ways"))["lstm.weight_ih_l0"])
    units = list(range(7))
    assert parts["lstm.weight_hh_l1_reverse", 0] == units * 4
    assert parts["lstm.weight_hh_l1_reverse", 1] == units
    assert parts["lstm.weight_ih_l1", 1] == units * 2
    assert parts["fc.weight", 1] == units * 2
    assert ("lstm.weight_ih_l0", 1) not in parts


# -- residual blocks ----------------------------------------------------------------------------------


def test_a_network_without_all_its_residual_blocks_is_its_shortcuts() -> None:
    model = model_of("residual blocks")
    ours = plan(model, PruneSpec("layer", "lp_norm", "uniform:sparsity=1.0"))
    module = model.module
    assert module is not None
    (x,) = inputs_for(model)
    stem = F.relu(module.get_submodule("stem")(x))
    by_hand = module.get_submodule("fc")(F.relu(module.get_submodule("shortcut")(stem)).mean((2, 3)))
    small = sliced(model, ours).module
    torch.testing.assert_close(small(x), by_hand)
    assert {name.partition(".")[0] for name, _ in small.named_parameters()} == {"stem", "shortcut", "fc"}


def test_the_score_of_a_block_is_the_mean_over_its_own_weights() -> None:
    model = model_of("residual blocks")
    scores = score(model, PruneSpec("layer", "lp_norm:p=1")).values["residual blocks"]
    blocks = [("one.0", "one.3"), ("two.0", "two.3"), ("wider.0", "wider.3"), ("last.0", "last.3")]
    for found, names in zip(scores, blocks, strict=True):
        weights = torch.cat([model.weights[f"{name}.weight"].flatten() for name in names])
        assert float(found) == pytest.approx(float(weights.abs().mean()), rel=0.02)


def test_a_side_that_is_not_zero_without_its_weights_is_no_block() -> None:
    class Squashed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.fc = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x + torch.sigmoid(self.b(F.relu(self.a(x)))))

    assert all(k.why_not for k in groups_of("layer", loaded(Squashed(), 6)).values())


# -- rounding ------------------------------------------------------------------------------------------


@for_each("step", [1, 4, 8])
@for_each("share", [0.1, 0.3, 0.55, 0.8, 1.0])
def test_what_stays_is_a_multiple_and_never_less_than_was_asked(step: int, share: float) -> None:
    model = model_of("torch encoder")
    ours = plan(model, PruneSpec(f"mlp_neuron:round_to={step}", "lp_norm", f"uniform:sparsity={share}"))
    for k in (k for k in ours.groups if k.group.why_not is None):
        kept, wanted = k.group.n_units - k.n_pruned, k.group.n_units - min(round(share * 24), 23)
        assert kept % step == 0
        assert wanted <= kept < wanted + step
    assert any(f"multiple of {step}" in note for note in ours.notes) == (step > 1)


def test_a_layer_that_is_no_multiple_stays_whole_where_rounding_up_passes_its_size() -> None:
    model = model_of("u-net")
    limits = {"enter": Limit(locked=False)}
    ours = plan(model, PruneSpec("out_channel:round_to=4", "lp_norm", "uniform:sparsity=0.2", limits))
    kept = {k.group.name: k.group.n_units - k.n_pruned for k in ours.groups if k.group.why_not is None}
    assert kept == {"enter": 6, "down1": 8, "down2": 12, "up1": 8, "mix": 8}
    assert any("asked" in note and "reached 0.0%" in note for note in ours.notes)


def test_what_is_cut_out_leaves_the_strongest_units_in_a_multiple() -> None:
    network = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3))
    strength = torch.tensor([7.0, 1.0, 9.0, 4.0, 10.0, 2.0, 8.0, 3.0, 6.0, 5.0])
    with torch.no_grad():
        network[0].weight.copy_(strength[:, None].expand(10, 4))  # type: ignore[operator]
    model = loaded(network, 4)
    for step, n_left in ((1, 5), (4, 8), (8, 8), (16, 10)):
        spec = PruneSpec(f"out_channel:round_to={step}", "lp_norm", "uniform:sparsity=0.5", {"0": Limit(locked=False)})
        ours = plan(model, spec)
        first, _, last = sliced(model, ours).module.children()
        expected = [value for value in strength.tolist() if value > 10 - n_left]
        assert first.weight[:, 0].tolist() == expected  # type: ignore[index, union-attr]
        assert tuple(last.weight.shape) == (3, n_left)  # type: ignore[union-attr]
        shares = f"asked 50.0%, reached {10 * (10 - n_left)}.0% of the units"
        assert any(shares in note for note in ours.notes) == (step > 1)
