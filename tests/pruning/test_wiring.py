"""Which layer reads which, worked out by hand from each network's forward."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from zoo import model_of

from explorer.models import load
from explorer.pruning.coupling.wiring import wiring
from explorer.pruning.layers import layer_table
from explorer.types import LoadedModel, tensors_digest


def edges_of(model: LoadedModel) -> set[tuple[str, str]]:
    """With each joint written as the word of what happens there."""
    found = wiring(model, layer_table(model))
    return {(found.joints.get(a, a), found.joints.get(b, b)) for a, b in found.edges}


@pytest.mark.parametrize(
    ("network", "edges"),
    [
        ("plain", {("conv1", "conv2"), ("conv2", "fc")}),
        ("residual", {("stem", "conv1"), ("conv1", "conv2"), ("conv2", "+"), ("stem", "+"), ("+", "fc")}),
        (
            "dense blocks",
            {
                ("a", "b"), ("a", "concat"), ("b", "concat"), ("concat", "c"), ("c", "concat"), ("concat", "concat"),
                ("concat", "fc"),
            },
        ),
        ("shared weights", {("left", "both"), ("right", "both"), ("both", "first"), ("first", "fc")}),
        (
            "squeeze and excite",
            {
                ("stem", "expand"), ("expand", "depth"), ("depth", "squeeze"), ("squeeze", "excite"), ("depth", "·"),
                ("excite", "·"), ("·", "project"), ("project", "+"), ("stem", "+"), ("+", "fc"),
            },
        ),
    ],
)  # fmt: skip
def test_layers_are_wired_as_the_network_calls_them(network: str, edges: set[tuple[str, str]]) -> None:
    assert edges_of(model_of(network)) == edges


def test_a_transformer_is_one_stream_to_which_every_part_adds() -> None:
    model = load("digits-vit")
    found = wiring(model, layer_table(model))
    assert list(found.joints.values()) == ["+"] * 6
    assert {b for a, b in found.edges if a == "blocks.0.attn.qkv"} == {"blocks.0.attn.proj"}
    readers = [b for a, b in found.edges if a in found.joints and b not in found.joints]
    assert readers == [
        "blocks.0.mlp.fc1", "blocks.1.attn.qkv", "blocks.1.mlp.fc1", "blocks.2.attn.qkv", "blocks.2.mlp.fc1", "fc",
    ]  # fmt: skip


def test_the_weights_of_a_recurrent_layer_follow_each_other() -> None:
    gru = [f"gru.weight_{part}_l{layer}" for layer in (0, 1) for part in ("ih", "hh")]
    assert edges_of(load("digits-gru")) == set(zip(gru, [*gru[1:], "fc"], strict=True))


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a(x) if x.sum() > 0 else self.b(x)


def test_a_network_that_cannot_be_traced_has_no_wires() -> None:
    net = Branches().eval()
    weights = dict(net.named_parameters())
    model = LoadedModel("hand", net, weights, tensors_digest(weights), example=torch.ones(1, 4))
    assert wiring(model, layer_table(model)).edges == ()
