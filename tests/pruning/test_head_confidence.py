"""How surely heads attend: against attention computed by hand, in every way that attention is written."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from builders import loaded
from torch import Tensor, nn
from zoo import model_of

from explorer import data, models
from explorer.pruning.criteria.head_confidence import unit_of_heads
from explorer.pruning.evidence.attention import AttentionEvidence, attention_weights
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Scores, Split


def of_chance(n: int = 70) -> Split:
    x = torch.randn(n, 5, 6, generator=torch.Generator().manual_seed(1))
    return Split("fit", x, torch.arange(n) % 4)


def scores_of(model: LoadedModel, granularity: str = "head") -> Scores:
    digits = Dataset("tiny-data", {"fit": of_chance()}, ("a", "b", "c", "d"), "d1")
    return score(model, PruneSpec(granularity, "head_confidence"), digits)  # type: ignore[arg-type]


def surest(weights: Tensor) -> Tensor:
    """(n, heads, queries, keys) -> (heads,)"""
    return weights.amax(-1).mean(dim=(0, 2))


class TwoHeads(nn.Module):
    """One head that looks at a token's own place, one that looks everywhere alike."""

    def __init__(self) -> None:
        super().__init__()
        self.num_heads = 2
        self.query, self.key, self.value = (nn.Linear(4, 4, bias=False) for _ in range(3))
        self.out = nn.Linear(4, 4)
        sure = torch.zeros(4, 4)
        sure[0, 0] = sure[1, 1] = math.sqrt(math.log(9) * math.sqrt(2))
        self.query.weight.data, self.key.weight.data = sure.clone(), sure.clone()

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (f(x).unflatten(-1, (2, 2)).transpose(1, 2) for f in (self.query, self.key, self.value))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2).mean(1))


def test_confidence_is_the_largest_attention_weight_by_hand() -> None:
    model = loaded(TwoHeads(), 2, 4)
    x = torch.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0]]])
    # Scores of the first head: log 9 with itself, 0 with the other, so its weights are 9/10 and 1/10.
    digits = Dataset("two", {"fit": Split("fit", x, torch.tensor([0]))}, ("a", "b"), "d2")
    found = score(model, PruneSpec("head", "head_confidence"), digits)
    torch.testing.assert_close(found.values["query"], torch.tensor([0.9, 0.5]))


def test_heads_of_the_bundled_transformer_have_the_confidence_of_their_softmax() -> None:
    model = models.load("digits-vit")
    digits = data.load("digits", model=model)
    found = score(model, PruneSpec("head", "head_confidence:n_samples=100"), digits)
    net: Any = model.module
    x = digits.splits["fit"].x[:100]
    tokens = net.patch(x).flatten(2).transpose(1, 2) + net.position
    for i, block in enumerate(net.blocks):
        q, k, _ = block.attn.qkv(block.norm1(tokens)).unflatten(-1, (3, 4, 12)).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) / 12**0.5, dim=-1)
        torch.testing.assert_close(found.values[f"blocks.{i}.attn.qkv"], surest(weights), rtol=1e-4, atol=1e-5)
        tokens = block(tokens)


def test_attention_written_out_and_shared_keys_are_seen() -> None:
    for name, n_units in (("hub attention", 4), ("grouped queries", 2)):
        model, x = model_of(name), of_chance().x
        net: Any = model.module
        h = net.enter(x)
        q, k = net.split(net.query(h), 4), net.split(net.key(h), net.kv_heads)
        k = k.repeat_interleave(4 // net.kv_heads, dim=1)
        expected = surest(torch.softmax(q @ k.transpose(-1, -2) / net.head_dim**0.5, -1))
        (values,) = scores_of(model).values.values()
        torch.testing.assert_close(values, expected.reshape(n_units, -1).mean(1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["torch encoder", "torch encoder, tokens first", "causal", "cross attention"])
def test_torchs_own_layers_are_seen_traced_or_not(name: str) -> None:
    model = model_of(name)
    net: Any = model.module
    seen: dict[str, list[Tensor]] = {}

    def note(path: str, layer: Any) -> None:
        def ask(_: nn.Module, args: Any, kwargs: Any, out: Any) -> None:
            options = {**kwargs, "need_weights": True, "average_attn_weights": False}
            seen.setdefault(path, []).append(surest(layer.forward(*args, **options)[1]))

        hooks.append(layer.register_forward_hook(ask, with_kwargs=True))

    hooks: list[Any] = []
    layers = {path: m for path, m in net.named_modules() if isinstance(m, nn.MultiheadAttention)}
    for path, layer in layers.items():
        note(path, layer)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        net(of_chance().x)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
        for hook in hooks:
            hook.remove()
    values = scores_of(model).values
    assert seen
    for path, expected in seen.items():
        own = next(v for group, v in values.items() if group.startswith(f"{path}."))
        torch.testing.assert_close(own, expected[0], rtol=1e-4, atol=1e-5)


def test_a_layer_that_cannot_be_traced_is_asked_for_its_weights() -> None:
    class Untraceable(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend = nn.MultiheadAttention(6, 3, batch_first=True)
            self.fc = nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Tensor:
            out, weights = self.attend(x, x, x)
            return self.fc(out.mean(1)) * (1 if float(weights.sum()) > 0 else 2)

    torch.manual_seed(0)
    model, x = loaded(Untraceable(), 5, 6), of_chance().x
    net: Any = model.module
    weights = net.attend(x, x, x, average_attn_weights=False)[1]
    (values,) = scores_of(model).values.values()
    torch.testing.assert_close(values, surest(weights), rtol=1e-4, atol=1e-5)


def test_the_weights_of_torchs_function_are_those_that_mix_its_values() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, h, 5, 3, generator=generator) for h in (4, 2, 2))
    away = torch.rand(5, 5, generator=generator) > 0.3
    away[:, 0] = True
    for options in ({}, {"is_causal": True}, {"attn_mask": away}, {"attn_mask": away.float()}, {"scale": 0.3}):
        out = F.scaled_dot_product_attention(q, k, v, enable_gqa=True, **options)
        weights = attention_weights(q, k, v, enable_gqa=True, **options)
        torch.testing.assert_close(weights @ v.repeat_interleave(2, dim=1), out)


def test_rows_of_a_projection_tell_which_unit_each_head_is() -> None:
    assert unit_of_heads(torch.tensor([0, 0, 1, 1] * 3), 2).tolist() == [0, 1]  # type: ignore[union-attr]
    assert unit_of_heads(torch.tensor([0, 0, 0, 1, 1, 1]), 2).tolist() == [0, 1]  # type: ignore[union-attr]
    assert unit_of_heads(torch.tensor([0, 1, 0, 1]), 2).tolist() == [0, 1]  # type: ignore[union-attr]
    assert unit_of_heads(torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), 4).tolist() == [0, 0, 1, 1]  # type: ignore[union-attr]
    assert unit_of_heads(torch.tensor([0, 1, 1, 0]), 2) is None
    assert unit_of_heads(torch.tensor([0, 0, 1]), 2) is None


def test_what_is_no_head_or_shows_no_weights_says_why() -> None:
    for granularity in ("weight", "out_channel", "mlp_neuron"):
        found = scores_of(model_of("hub attention"), granularity)
        assert not found.values
        assert all(group.why_not for group in found.groups)
    assert any("choose heads" in (k.why_not or "") for k in scores_of(model_of("hub attention"), "weight").groups)
    inside = scores_of(model_of("heads within the batch"))
    assert not inside.values
    assert any("cannot be seen" in (k.why_not or "") for k in inside.groups)


def test_watching_leaves_answers_as_they_are() -> None:
    model, x = model_of("causal"), of_chance().x
    before = model.module(x)  # type: ignore[misc]
    AttentionEvidence().collect(model, of_chance())
    assert torch.equal(model.module(x), before)  # type: ignore[misc]
