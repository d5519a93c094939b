"""What every architecture promises, and the published sizes of those that have some."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models import ARCHITECTURES, Architecture
from explorer.models.assemble import skeleton
from explorer.params import member_to_json

KEYS = list(ARCHITECTURES.members)


@pytest.fixture(params=KEYS)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return ARCHITECTURES.get(request.param)


def module_of(architecture: Architecture) -> nn.Module:
    torch.manual_seed(0)
    return architecture.build().eval()


def tokens_read(architecture: Architecture) -> int:
    """How many tokens it knows; 0 where it reads numbers."""
    return getattr(architecture, "n_tokens", 0)


def batch(architecture: Architecture, n: int) -> Tensor:
    """(n, ...) as the network reads it: numbers, or whole numbers below its count of tokens."""
    shape = (n, *architecture.input_shape)
    n_tokens = tokens_read(architecture)
    return torch.randint(n_tokens, shape) if n_tokens else torch.randn(shape)


def answers(architecture: Architecture, n: int) -> tuple[int, ...]:
    """One row of logits per input, or for each of its tokens."""
    return (n, *(architecture.input_shape if tokens_read(architecture) else ()), architecture.n_classes)


def test_it_says_what_it_is(architecture: Architecture) -> None:
    assert architecture.description
    assert type(architecture).__doc__
    channels = 1 if tokens_read(architecture) else architecture.input_shape[0]
    assert len(architecture.mean) == len(architecture.std) == channels


def test_a_batch_gives_one_row_of_logits_per_input(architecture: Architecture) -> None:
    with torch.no_grad():
        out = module_of(architecture)(batch(architecture, 3))
    assert out.shape == answers(architecture, 3)
    assert out.dtype == torch.float32


def test_an_input_is_judged_alone_whatever_else_is_in_the_batch(architecture: Architecture) -> None:
    module, x = module_of(architecture), batch(architecture, 4)
    with torch.no_grad():
        torch.testing.assert_close(module(x)[2:3], module(x[2:3]), rtol=1e-4, atol=1e-5)


def test_two_forward_passes_agree_to_the_bit(architecture: Architecture) -> None:
    module, x = module_of(architecture), batch(architecture, 2)
    with torch.no_grad():
        assert torch.equal(module(x), module(x))


def test_it_can_be_traced_and_the_trace_computes_the_same(architecture: Architecture) -> None:
    module, x = module_of(architecture), batch(architecture, 2)
    traced = torch.fx.symbolic_trace(module)
    with torch.no_grad():
        assert torch.equal(traced(x), module(x))


def test_every_module_with_weights_is_a_leaf_of_the_trace(architecture: Architecture) -> None:
    module = module_of(architecture)
    called = {node.target for node in torch.fx.symbolic_trace(module).graph.nodes if node.op == "call_module"}
    with_weights = {n for n, m in module.named_modules() if "weight" in m._parameters or isinstance(m, nn.GRU)}
    assert with_weights == with_weights & called


def test_its_skeleton_has_the_same_keys_and_no_numbers(architecture: Architecture) -> None:
    real, bare = module_of(architecture).state_dict(), skeleton(architecture).state_dict()
    assert {k: (t.shape, t.dtype) for k, t in real.items()} == {k: (t.shape, t.dtype) for k, t in bare.items()}
    assert all(t.is_meta for t in bare.values())


def test_its_description_in_json_gives_it_back(architecture: Architecture) -> None:
    assert ARCHITECTURES.from_json(member_to_json(architecture)) == architecture


def test_another_number_of_classes_changes_the_logits(architecture: Architecture) -> None:
    if tokens_read(architecture):
        with pytest.raises(ExplorerError, match="has no parameter 'n_classes'"):
            ARCHITECTURES.get(architecture.key, n_classes=17)
        return
    wider = ARCHITECTURES.get(architecture.key, n_classes=17)
    with torch.no_grad():
        assert wider.build().eval()(torch.randn(1, *wider.input_shape)).shape == (1, 17)


@pytest.mark.parametrize(
    ("depth", "millions"),
    [(20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7")],
)
def test_the_cifar_resnets_have_the_sizes_of_the_paper(depth: int, millions: str) -> None:
    """He et al. 2016, arXiv:1512.03385, table 6."""
    n_parameters = sum(p.numel() for p in ARCHITECTURES.get(f"cifar-resnet{depth}").build().parameters())
    digits = len(millions.partition(".")[2])
    assert f"{n_parameters / 1e6:.{digits}f}" == millions


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_the_cifar_resnets_have_as_many_weighted_layers_as_they_are_called(depth: int) -> None:
    module = ARCHITECTURES.get(f"cifar-resnet{depth}").build()
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in module.modules()) == depth


def test_the_digits_resnet_counts_as_on_paper() -> None:
    counted = {n: p.numel() for n, p in ARCHITECTURES.get("digits-resnet").build().named_parameters() if p.dim() > 1}
    assert counted["stem.conv.weight"] == 16 * 9
    assert counted["block2.shortcut.weight"] == 16 * 32
    assert counted["block3.conv2.weight"] == 64 * 64 * 9
    assert sum(counted.values()) == 77_072


def test_heads_of_the_vit_do_not_mix_before_the_projection() -> None:
    module = ARCHITECTURES.get("digits-vit").build().eval()
    attention = module.blocks[0].attn
    x = torch.randn(2, 16, 48)
    with torch.no_grad():
        q, k, v = (t.view(2, 16, 4, 12) for t in attention.qkv(x).split(48, dim=-1))
        heads = []
        for h in range(4):
            weights = (q[:, :, h] @ k[:, :, h].transpose(1, 2) / 12**0.5).softmax(-1)
            heads.append(weights @ v[:, :, h])
        expected = attention.proj(torch.cat(heads, dim=-1))
        torch.testing.assert_close(attention(x), expected)


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ExplorerError, match="cifar-resnet20"):
        ARCHITECTURES.get("resnet-20")


@pytest.mark.parametrize("n_classes", [0, 1, 10**9])
def test_arguments_out_of_range_are_refused(n_classes: int) -> None:
    with pytest.raises(ExplorerError, match="n_classes"):
        ARCHITECTURES.get("cifar-resnet20", n_classes=n_classes)


def test_each_architecture_has_its_own_file_or_family() -> None:
    folder = Path(__file__).parents[2] / "explorer/models/architectures"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {
        "digits_mlp",
        "digits_cnn",
        "digits_resnet",
        "digits_gru",
        "digits_vit",
        "cifar_resnet",
        "topics_gpt",
    }
