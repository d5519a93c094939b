"""The smaller network computes what the masked one computes, or says why it cannot be made."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from builders import Attention, Mobile, Padded, Plain, Recurrent, Residual, loaded
from torch import Tensor, nn

from explorer import models
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, tensors_digest
from tests.every import for_each


class Transposed(nn.Module):
    """Down, up by a transposed convolution, and a skip that is concatenated: a small U-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6, affine=False)
        self.low = nn.Conv2d(6, 10, 3, padding=1)
        self.up = nn.ConvTranspose2d(10, 5, 2, stride=2)
        self.side = nn.Conv2d(1, 3, 3, padding=1)
        self.act = nn.PReLU(8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        low = F.relu(self.low(F.relu(self.norm(self.down(x)))))
        joined = self.act(torch.cat([self.up(low), self.side(x)], dim=1))
        return self.fc(joined.amax((2, 3)))


class Split(nn.Module):
    """Channels are split in two, one half is gated, and a reshape counts them by number."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.gate = nn.Conv2d(4, 1, 1)
        self.other = nn.Conv2d(4, 6, 1)
        self.fc = nn.Linear(4 * 64 + 6 * 64, 4)

    def forward(self, x: Tensor) -> Tensor:
        a, b = torch.chunk(F.relu(self.conv(x)), 2, dim=1)
        a = a * torch.sigmoid(self.gate(a))
        b = self.other(b).view(-1, 6 * 64)
        return self.fc(torch.cat([a.reshape(a.shape[0], 4 * 64), b], dim=1))


class Sequence(nn.Module):
    """Tokens with a learned position between two linear layers, and a one-dimensional convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(6, 12)
        self.position = nn.Parameter(torch.randn(1, 5, 12))
        self.mix = nn.Conv1d(12, 10, 3, padding=1)
        self.norm = nn.BatchNorm1d(10)
        self.fc = nn.Linear(10, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.up(x) + self.position).permute(0, 2, 1)
        return self.fc(F.silu(self.norm(self.mix(x))).mean(-1))


class Shared(nn.Module):
    """One convolution is used twice, on two branches."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(1, 6, 3, padding=1)
        self.right = nn.Conv2d(1, 6, 1)
        self.both = nn.Conv2d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.both(F.relu(self.left(x))), self.both(F.relu(self.right(x)))
        return self.fc((F.relu(a) + F.relu(b)).mean((2, 3)))


ZOO = {
    "plain": (Plain, (1, 8, 8)),
    "residual": (Residual, (1, 8, 8)),
    "zero-padded shortcut": (Padded, (1, 8, 8)),
    "depthwise, grouped, concatenated": (Mobile, (1, 8, 8)),
    "transposed, skip": (Transposed, (1, 8, 8)),
    "split, gated, reshaped": (Split, (1, 8, 8)),
    "tokens, one dimension": (Sequence, (5, 6)),
    "shared": (Shared, (1, 8, 8)),
    "attention": (Attention, (5, 6)),
}
REAL = ["digits-mlp", "digits-cnn", "digits-resnet", "digits-vit", "cifar-resnet20"]


def random_like(key: str) -> LoadedModel:
    """An architecture with weights of chance, so that no symmetry hides a mistake."""
    torch.manual_seed(1)
    architecture = models.ARCHITECTURES.get(key)
    return loaded(architecture.build(), *architecture.input_shape, n_classes=architecture.n_classes)


def unlocked(model: LoadedModel, share: float) -> PruneSpec:
    spec = PruneSpec("out_channel", "lp_norm", f"uniform:sparsity={share}")
    for group in plan(model, spec).groups:
        if group.locked:
            spec = spec.with_limit(group.group.name, Limit(locked=False))
    return spec


def assert_it_proves_itself(model: LoadedModel, share: float) -> None:
    ours = plan(model, unlocked(model, share))
    assert any(k.n_pruned for k in ours.groups)
    small = sliced(model, ours).module
    generator = torch.Generator().manual_seed(5)
    assert model.example is not None
    x = torch.randn(16, *model.example.shape[1:], generator=generator)
    full = masked(model, ours).module
    assert largest_difference(full, small, x) <= 1e-5
    assert torch.equal(full(x).argmax(1), small(x).argmax(1))
    shapes = {name: tuple(p.shape) for name, p in small.named_parameters()}
    expected = {name: tuple(p.shape) for name, p in full.named_parameters()} | dict(ours.kept_shapes)
    assert shapes == {name: expected[name] for name in shapes}
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in full.parameters())


@for_each("share", [0.25, 0.5, 0.75])
@for_each("name", ZOO)
def test_a_hand_written_network_is_cut_and_computes_the_same(name: str, share: float) -> None:
    network, shape = ZOO[name]
    torch.manual_seed(0)
    assert_it_proves_itself(loaded(network(), *shape), share)


@for_each("share", [0.25, 0.5, 0.75])
@for_each("key", REAL)
def test_a_real_architecture_is_cut_and_computes_the_same(key: str, share: float) -> None:
    assert_it_proves_itself(random_like(key), share)


def test_cutting_nothing_gives_the_same_network() -> None:
    model = loaded(Residual(), 1, 8, 8)
    small = sliced(model, plan(model, PruneSpec("out_channel"))).module
    x = torch.randn(4, 1, 8, 8)
    assert model.module is not None
    assert torch.equal(small(x), model.module(x))


def test_a_recurrent_network_has_no_channels_to_cut_and_that_is_refused_with_the_reason() -> None:
    model = loaded(Recurrent(), 6)
    with pytest.raises(ExplorerError, match="choose hidden units"):
        plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))


def test_single_weights_cannot_be_removed_and_it_is_said() -> None:
    model = loaded(Plain(), 1, 8, 8)
    with pytest.raises(ExplorerError, match="Single weights cannot be removed"):
        sliced(model, plan(model, PruneSpec(allocation="uniform:sparsity=0.5")))


def test_cutting_leaves_the_dense_network_as_it_was() -> None:
    model = loaded(Mobile(), 1, 8, 8)
    assert model.module is not None
    before = tensors_digest(model.module.state_dict())
    text = copy.deepcopy(str(model.module))
    sliced(model, plan(model, unlocked(model, 0.5)))
    assert tensors_digest(model.module.state_dict()) == before
    assert str(model.module) == text
