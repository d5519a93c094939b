"""A small decoder of bytes: what a large language model is made of, at a size that is measured while a hand drags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.params import param

N_BYTES = 256
LENGTH = 128


class CausalAttention(nn.Module):
    """Multi-head attention of each position to itself and what came before it.

    The rows of ``qkv`` are ordered query, key, value; within each, head by head.
    """

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.head_dim = dim // n_heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, length, dim) -> (n, length, dim)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.n_heads, self.head_dim)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_causal=True)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """up - GELU - down."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.up = nn.Linear(dim, 4 * dim, bias=False)
        self.down = nn.Linear(4 * dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, length, dim) -> (n, length, dim)."""
        out: Tensor = self.down(F.gelu(self.up(x)))
        return out


class DecoderBlock(nn.Module):
    """Attention, then a feed-forward net, each behind a norm and beside a shortcut."""

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = CausalAttention(dim, n_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = FeedForward(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(n, length, dim) -> (n, length, dim)."""
        mixed: Tensor = x + self.attn(self.norm1(x))
        out: Tensor = mixed + self.mlp(self.norm2(mixed))
        return out


class Gpt(nn.Module):
    """Bytes and their positions, decoder blocks, and scores of the next byte by the same matrix that looks bytes up."""

    def __init__(self, dim: int, n_heads: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(N_BYTES, dim)
        self.position = nn.Parameter(torch.empty(LENGTH, dim))
        self.blocks = nn.Sequential(*(DecoderBlock(dim, n_heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, N_BYTES, bias=False)
        self.head.weight = self.embed.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:  # what adds to the residual stream starts smaller, as in GPT-2
                adds = name.endswith(("proj.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * depth) ** 0.5 if adds else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, length) int64 bytes -> (n, length, 256) scores of the byte that follows each."""
        x = self.embed(tokens) + self.position
        out: Tensor = self.head(self.norm(self.blocks(x)))
        return out


@dataclass(frozen=True)
class TopicsGpt:
    """A decoder-only transformer of bytes with learned positions and a tied head.

    Source: Radford et al. 2019, "Language models are unsupervised multitask learners" (GPT-2), without biases.
    """

    key: ClassVar[str] = "topics-gpt"
    description: ClassVar[str] = "A small language model of bytes, 128 at a time"
    input_shape: ClassVar[tuple[int, ...]] = (LENGTH,)
    mean: ClassVar[tuple[float, ...]] = (0.0,)
    std: ClassVar[tuple[float, ...]] = (1.0,)
    n_tokens: ClassVar[int] = N_BYTES
    head_dim: int = param(32, "Width of one head", low=1, high=128)
    n_heads: int = param(4, "Heads", low=1, high=32)
    depth: int = param(4, "Blocks", low=1, high=32)

    @property
    def n_classes(self) -> int:
        """How many scores each position has."""
        return N_BYTES

    def build(self) -> nn.Module:
        """A new decoder; (n, 128) int64 -> (n, 128, 256)."""
        return Gpt(self.head_dim * self.n_heads, self.n_heads, self.depth)
