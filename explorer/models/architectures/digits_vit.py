"""A small vision transformer whose attention projections are ordinary linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.params import param


class SelfAttention(nn.Module):
    """Multi-head self-attention with explicit ``qkv`` and ``proj`` layers.

    The rows of ``qkv`` are ordered query, key, value; within each, head by head.
    """

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.head_dim = dim // n_heads
        self.qkv = nn.Linear(dim, 3 * n_heads * self.head_dim)
        self.proj = nn.Linear(n_heads * self.head_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(n, tokens, dim) -> (n, tokens, dim)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.n_heads, self.head_dim)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """fc1 - GELU - fc2."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(n, tokens, dim) -> (n, tokens, dim)."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class EncoderBlock(nn.Module):
    """Attention, then a feed-forward net, each behind a norm and beside a shortcut."""

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = SelfAttention(dim, n_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = FeedForward(dim, 2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        """(n, tokens, dim) -> (n, tokens, dim)."""
        mixed: Tensor = x + self.attn(self.norm1(x))
        out: Tensor = mixed + self.mlp(self.norm2(mixed))
        return out


class Vit(nn.Module):
    """2 x 2 patches, a learned position for each, transformer blocks, mean over the tokens."""

    def __init__(self, dim: int, n_heads: int, depth: int, n_classes: int) -> None:
        super().__init__()
        self.patch = nn.Conv2d(1, dim, 2, stride=2)
        self.position = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 16, dim), std=0.02))
        self.blocks = nn.Sequential(*(EncoderBlock(dim, n_heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.fc = nn.Linear(dim, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> (n, n_classes) logits."""
        tokens: Tensor = self.patch(x).flatten(2).transpose(1, 2) + self.position
        out: Tensor = self.fc(self.norm(self.blocks(tokens)).mean(1))
        return out


@dataclass(frozen=True)
class DigitsVit:
    """A vision transformer of 16 patches with several heads per block.

    Source: Dosovitskiy et al. 2020, arXiv:2010.11929.
    """

    key: ClassVar[str] = "digits-vit"
    description: ClassVar[str] = "A small vision transformer for 8 x 8 digits"
    input_shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    mean: ClassVar[tuple[float, ...]] = (0.3053,)
    std: ClassVar[tuple[float, ...]] = (0.3761,)
    head_dim: int = param(12, "Width of one head", low=1, high=128)
    n_heads: int = param(4, "Heads", low=1, high=32)
    depth: int = param(3, "Blocks", low=1, high=32)
    n_classes: int = param(10, "Classes", low=2, high=1000)

    def build(self) -> nn.Module:
        """A new vision transformer; (n, 1, 8, 8) -> (n, n_classes)."""
        return Vit(self.head_dim * self.n_heads, self.n_heads, self.depth, self.n_classes)
