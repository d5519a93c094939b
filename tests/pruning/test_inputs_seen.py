"""What weights are multiplied by, and how often outputs are silent: against autograd, loops and counting by hand."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from builders import Plain, Residual, loaded
from torch import Tensor, nn
from zoo import inputs_for, model_of
from zoo_sequences import Cells, Cross, Encoder, LastState, Seq2Seq

from explorer.pruning.criteria import get
from explorer.pruning.evidence.input_squares import InputSquares
from explorer.pruning.evidence.zeros import Zeros
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Split, tensors_digest
from tests.every import for_each


def of_chance(*shape: int, n: int = 70) -> Split:
    generator = torch.Generator().manual_seed(1)
    return Split("fit", torch.randn(n, *shape, generator=generator), torch.arange(n) % 4)


def dataset(split: Split) -> Dataset:
    return Dataset("tiny-data", {"fit": split}, ("a", "b", "c", "d"), "d1")


def model_around(layer: nn.Module, *shape: int) -> LoadedModel:
    torch.manual_seed(0)
    return loaded(nn.Sequential(layer), *shape)


CONVOLUTIONS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "plain": (nn.Conv2d(3, 4, 3), (3, 7, 6)),
    "stride, padding": (nn.Conv2d(3, 4, (3, 2), stride=(2, 3), padding=(1, 0)), (3, 7, 6)),
    "groups": (nn.Conv2d(6, 4, 3, groups=2, padding=1), (6, 5, 5)),
    "depthwise": (nn.Conv2d(4, 8, 3, groups=4, padding=1), (4, 5, 5)),
    "same, dilated": (nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(1, 2)), (2, 6, 7)),
    "mirrored border": (nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), (2, 6, 7)),
    "one dimension": (nn.Conv1d(3, 4, 3, stride=2, padding=2), (3, 9)),
    "three dimensions": (nn.Conv3d(2, 3, 2, padding=1), (2, 4, 3, 4)),
    "linear": (nn.Linear(6, 4), (6,)),
    "linear on tokens": (nn.Linear(6, 4), (5, 6)),
}


@for_each("name", CONVOLUTIONS)
def test_squared_inputs_of_a_layer_are_the_gradient_of_its_sum_at_squared_inputs(name: str) -> None:
    layer, shape = CONVOLUTIONS[name]
    model, split = model_around(layer, *shape), of_chance(*shape)
    found = InputSquares().collect(model, split)["0.weight"]
    # y = sum_j w_j x_j, so d(sum of y)/dw_j at x^2 is the sum of x_j^2 over all places that w_j meets.
    weight = layer.weight.detach().clone().requires_grad_()  # type: ignore[union-attr, operator]
    out = torch.func.functional_call(layer, {"weight": weight, "bias": None}, (split.x.square(),))
    (expected,) = torch.autograd.grad(out.sum(), weight)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_a_transposed_convolution_has_one_norm_for_each_input_channel() -> None:
    model, split = model_around(nn.ConvTranspose2d(3, 4, 2, stride=2), 3, 4, 4), of_chance(3, 4, 4)
    found = InputSquares().collect(model, split)["0.weight"]
    expected = split.x.square().sum(dim=(0, 2, 3)).reshape(3, 1, 1, 1).expand(3, 4, 2, 2)
    torch.testing.assert_close(found, expected)


def squares(x: Tensor) -> Tensor:
    return x.reshape(-1, x.shape[-1]).square().sum(dim=0)


def test_a_recurrent_layers_weights_see_inputs_and_the_states_before_each_step() -> None:
    torch.manual_seed(0)
    model, split = loaded(LastState(), 5, 6), of_chance(5, 6)
    found = InputSquares().collect(model, split)
    net: Any = model.module
    x = F.relu(net.enter(split.x))
    cells = {}
    for layer in (0, 1):
        outs = []
        for way, order in (("", range(5)), ("_reverse", range(4, -1, -1))):
            cell = nn.GRUCell(x.shape[-1], 8)
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, part).data.copy_(getattr(net.rnn, f"{part}_l{layer}{way}"))
            h, before, out = torch.zeros(len(x), 8), [], [torch.empty(0)] * 5
            for step in order:
                before.append(h)
                h = out[step] = cell(x[:, step], h).detach()
            cells[f"rnn.weight_ih_l{layer}{way}"] = squares(x)
            cells[f"rnn.weight_hh_l{layer}{way}"] = squares(torch.stack(before))
            outs.append(torch.stack(out, dim=1))
        x = torch.cat(outs, dim=-1)
    for name, expected in cells.items():
        torch.testing.assert_close(found[name], expected.expand(model.weights[name].shape), rtol=1e-4, atol=1e-4)


def test_cells_and_states_handed_on_are_seen_for_every_weight() -> None:
    for build in (Cells, Seq2Seq):
        torch.manual_seed(0)
        model = loaded(build(), 5, 6)
        found = InputSquares().collect(model, of_chance(5, 6))
        assert {name for name, w in model.weights.items() if w.dim() == 2} == set(found)
        assert bool(torch.isfinite(torch.cat([t.flatten() for t in found.values()])).all())


def test_a_projected_lstm_is_not_guessed_at() -> None:
    torch.manual_seed(0)

    class Projected(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(6, 8, proj_size=3, batch_first=True)
            self.fc = nn.Linear(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.rnn(x)[0][:, -1])

    found = score(loaded(Projected(), 5, 6), PruneSpec("weight", "wanda"), dataset(of_chance(5, 6)))
    why = {group.name: group.why_not for group in found.groups}
    assert why["fc"] is None
    assert "cannot be seen" in (why["rnn.weight_ih_l0"] or "")


def test_attention_of_torch_is_written_out_so_that_its_projections_are_seen() -> None:
    torch.manual_seed(0)
    model, split = loaded(Encoder(), 5, 6), of_chance(5, 6)
    found = InputSquares().collect(model, split)
    net: Any = model.module
    entered = net.enter(split.x)
    torch.testing.assert_close(found["encoder.layers.0.self_attn.in_proj_weight"][0], squares(entered))
    seen = []
    attention = net.encoder.layers[0].self_attn
    q, k, v = F.linear(entered, attention.in_proj_weight, attention.in_proj_bias).chunk(3, -1)
    heads = [t.unflatten(-1, (4, 4)).transpose(1, 2) for t in (q, k, v)]
    seen = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
    torch.testing.assert_close(
        found["encoder.layers.0.self_attn.out_proj.weight"][0], squares(seen), rtol=1e-4, atol=1e-4
    )


def test_a_packed_projection_whose_parts_read_different_inputs_says_so() -> None:
    torch.manual_seed(0)
    model, split = loaded(Cross(), 5, 6), of_chance(5, 6)
    why = {k.name: k.why_not for k in score(model, PruneSpec("weight", "wanda"), dataset(split)).groups}
    assert "used in parts" in (why["attend.in_proj_weight"] or "")
    assert why["query"] is None


def test_watching_changes_neither_the_model_nor_what_it_answers() -> None:
    model = model_of("plain")
    before, x = tensors_digest(dict(model.weights)), inputs_for(model)[0]
    answer = model.module(x)  # type: ignore[misc]
    InputSquares().collect(model, of_chance(1, 8, 8))
    Zeros().collect(model, of_chance(1, 8, 8))
    assert tensors_digest(dict(model.weights)) == before
    assert torch.equal(model.module(x), answer)  # type: ignore[misc]


# -- Wanda ---------------------------------------------------------------------------------------


def test_wanda_is_weight_times_input_norm_by_hand() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.data = torch.tensor([[4.0, -1.0, 2.0], [1.0, 3.0, -5.0]])
    model = model_around(layer, 3)
    split = Split("fit", torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, 2.0], [0.0, 4.0, 1.0]]), torch.tensor([0, 1, 1]))
    found = score(model, PruneSpec("weight", "wanda"), dataset(split)).values["0"]
    norms = torch.tensor([1.0, 5.0, 3.0])
    torch.testing.assert_close(found.reshape(2, 3), layer.weight.abs() * norms / (35 / 3) ** 0.5)


def test_wanda_ranks_a_layer_of_equal_inputs_by_magnitude() -> None:
    torch.manual_seed(0)
    model = model_around(nn.Linear(4, 3), 4)
    split = Split("fit", torch.tensor([[7.0, -7.0, 7.0, -7.0]]), torch.tensor([0]))
    found = score(model, PruneSpec("weight", "wanda"), dataset(split)).values["0"]
    torch.testing.assert_close(found.reshape(3, 4), model.weights["0.weight"].abs())


def test_wanda_by_rows_takes_the_same_share_of_every_output() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(10, 6)
    layer.weight.data *= torch.logspace(-2, 2, 6)[:, None]
    model, data = model_around(layer, 10), dataset(of_chance(10))
    by_layer, by_row = (score(model, PruneSpec("weight", f"wanda:compare={c}"), data) for c in ("layer", "row"))
    lost = (by_row.values["0"].argsort(stable=True).argsort() < 30).reshape(6, 10)
    assert lost.sum(dim=1).tolist() == [5] * 6
    # Within a row the order is that of the products themselves.
    assert torch.equal(by_row.values["0"].reshape(6, 10).argsort(1), by_layer.values["0"].reshape(6, 10).argsort(1))
    assert (by_layer.values["0"].argsort().argsort() < 30).reshape(6, 10).sum(dim=1).tolist() != [5] * 6


def test_wanda_ranks_inside_an_n_of_m_pattern() -> None:
    layer = nn.Linear(4, 1)
    layer.weight.data = torch.tensor([[3.0, 2.0, 1.0, 0.5]])
    model = model_around(layer, 4)
    split = Split("fit", torch.tensor([[0.1, 0.1, 5.0, 9.0]]), torch.tensor([0]))
    found = score(model, PruneSpec("n_of_m:n=2,m=4", "wanda"), dataset(split))
    assert found.within["0.weight"].flatten().argsort().tolist() == [1, 0, 3, 2]


def test_wanda_of_a_channel_is_its_output_energy_where_inputs_are_uncorrelated() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 4))
    model = loaded(net, 4)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 4)  # uncorrelated columns
    split = Split("fit", signs, torch.zeros(16, dtype=torch.int64))
    spec = PruneSpec("out_channel", "wanda")
    found = score(model, spec, dataset(split)).values["0"]
    energy = net[0](signs).square().sum(dim=0)
    torch.testing.assert_close(found.square() * 4, energy / 16)


# -- APoZ ----------------------------------------------------------------------------------------


def test_apoz_counts_the_zeros_of_each_channel_after_its_relu() -> None:
    torch.manual_seed(0)
    model, split = loaded(Residual(), 1, 8, 8), of_chance(1, 8, 8)
    net: Any = model.module
    found = score(model, PruneSpec("out_channel", get("apoz")), dataset(split))
    stem = F.relu(net.bn0(net.stem(split.x)))
    inner = F.relu(net.bn1(net.conv1(stem)))
    joined = F.relu(stem + net.bn2(net.conv2(inner)))
    torch.testing.assert_close(found.values["conv1"], (inner != 0).float().mean(dim=(0, 2, 3)))
    both = ((stem != 0).float().mean(dim=(0, 2, 3)) + (joined != 0).float().mean(dim=(0, 2, 3))) / 2
    torch.testing.assert_close(found.values["stem"], both)


def test_apoz_sees_through_pooling_and_says_where_no_zeros_are_made() -> None:
    class Pooled(Plain):
        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(F.max_pool2d(self.bn1(self.conv1(x)), 2))
            return self.fc(torch.flatten(F.max_pool2d(torch.sigmoid(self.bn2(self.conv2(x))), 2), 1))

    torch.manual_seed(0)
    model, split = loaded(Pooled(), 1, 8, 8), of_chance(1, 8, 8)
    net: Any = model.module
    found = score(model, PruneSpec("out_channel", "apoz"), dataset(split))
    expected = (F.max_pool2d(net.bn1(net.conv1(split.x)), 2) > 0).float().mean(dim=(0, 2, 3))
    torch.testing.assert_close(found.values["conv1"], expected)
    why = {group.name: group.why_not for group in found.groups}
    assert "No ReLU follows" in (why["conv2"] or "")


@for_each("granularity", ["weight", "n_of_m", "kernel", "in_channel", "head", "hidden_unit"])
def test_apoz_has_nothing_to_say_of_units_that_are_no_whole_outputs(granularity: str) -> None:
    for name in ("plain", "torch encoder", "gru, last state"):
        model = model_of(name)
        shape = tuple(model.example.shape[1:])  # type: ignore[union-attr]
        found = score(model, PruneSpec(granularity, "apoz"), dataset(of_chance(*shape)))
        assert not found.values
        assert all(group.why_not for group in found.groups)
