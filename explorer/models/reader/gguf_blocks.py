"""The blocks of numbers in GGUF files: how many bytes a block has, and which numbers it stands for.

Each function takes the bytes of n blocks, (n, bytes) uint8, and gives (n, values) float32.

Source: the block types of ggml (Q4_0 to Q8_0, and the "K" types in blocks of 256 with scales of 6 bits).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.text.names import clean
from explorer.types.files.reading.refusal import RefusedError

_PIECE = 1 << 15  # blocks at a time, so that what is between stays small


@dataclass(frozen=True)
class BlockLayout:
    """A type of block: ``bits`` is what one number takes in it, without its share of scales."""

    name: str
    bits: int
    n_values: int
    n_bytes: int
    decode: Callable[[Tensor], Tensor]

    def numbers(self, blocks: Tensor) -> Tensor:
        """(n, n_bytes) uint8 -> n * n_values numbers."""
        return torch.cat([self.decode(blocks[at : at + _PIECE]).reshape(-1) for at in range(0, len(blocks), _PIECE)])


def _plain(dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Numbers that are stored as such; 16-bit ones become 32-bit ones, which hold them exactly."""

    def decode(blocks: Tensor) -> Tensor:
        numbers = blocks.contiguous().view(dtype)
        return numbers.float() if dtype in (torch.float16, torch.bfloat16) else numbers.clone()

    return decode


def _half(blocks: Tensor, at: int) -> Tensor:
    """(n, 1): the 16-bit number at a byte of every block."""
    return blocks[:, at : at + 2].contiguous().view(torch.float16).float()


def _nibbles(packed: Tensor) -> Tensor:
    """(n, bytes) -> (n, 2 * bytes): all lower halves, then all upper ones."""
    return torch.cat([packed & 15, packed >> 4], dim=1)


def _fifth_bits(blocks: Tensor, at: int) -> Tensor:
    """(n, 32): bit k of the four bytes at ``at``, in the place of a fifth bit."""
    shifts = torch.arange(8, dtype=torch.uint8)
    return ((blocks[:, at : at + 4, None] >> shifts & 1) << 4).flatten(1)


def _q4_0(blocks: Tensor) -> Tensor:
    return (_nibbles(blocks[:, 2:]).float() - 8) * _half(blocks, 0)


def _q4_1(blocks: Tensor) -> Tensor:
    return _nibbles(blocks[:, 4:]).float() * _half(blocks, 0) + _half(blocks, 2)


def _q5_0(blocks: Tensor) -> Tensor:
    return ((_nibbles(blocks[:, 6:]) | _fifth_bits(blocks, 2)).float() - 16) * _half(blocks, 0)


def _q5_1(blocks: Tensor) -> Tensor:
    values = (_nibbles(blocks[:, 8:]) | _fifth_bits(blocks, 4)).float()
    return values * _half(blocks, 0) + _half(blocks, 2)


def _q8_0(blocks: Tensor) -> Tensor:
    return blocks[:, 2:].contiguous().view(torch.int8).float() * _half(blocks, 0)


def _scales(packed: Tensor) -> tuple[Tensor, Tensor]:
    """Eight scales and eight minima of six bits each, (n, 8, 1), out of twelve bytes."""
    low, middle, high = packed[:, :4], packed[:, 4:8], packed[:, 8:12]
    scales = torch.cat([low & 63, high & 15 | (low >> 6) << 4], dim=1)
    minima = torch.cat([middle & 63, high >> 4 | (middle >> 6) << 4], dim=1)
    return scales.float()[:, :, None], minima.float()[:, :, None]


def _in_eighths(blocks: Tensor, values: Tensor) -> Tensor:
    """(n, 8, 32) whole numbers with the scale and the minimum of each eighth."""
    scales, minima = _scales(blocks[:, 4:16])
    d, least = _half(blocks, 0)[:, :, None], _half(blocks, 2)[:, :, None]
    return (d * scales * values.float() - least * minima).flatten(1)


def _pairs(packed: Tensor) -> Tensor:
    """(n, 128) bytes -> (n, 8, 32): of each 32 bytes the lower halves, then the upper ones."""
    quarters = packed.reshape(len(packed), 4, 1, 32)
    return torch.cat([quarters & 15, quarters >> 4], dim=2).reshape(len(packed), 8, 32)


def _q4_k(blocks: Tensor) -> Tensor:
    return _in_eighths(blocks, _pairs(blocks[:, 16:]))


def _q5_k(blocks: Tensor) -> Tensor:
    eighths = torch.arange(8, dtype=torch.uint8)[:, None]
    fifth = (blocks[:, 16:48].reshape(len(blocks), 1, 32) >> eighths & 1) << 4
    return _in_eighths(blocks, _pairs(blocks[:, 48:]) | fifth)


def _q6_k(blocks: Tensor) -> Tensor:
    low = blocks[:, :128].reshape(len(blocks), 2, 1, 64)
    low = torch.cat([low & 15, low >> 4], dim=2).reshape(len(blocks), 2, 4, 32)
    shifts = torch.tensor([0, 2, 4, 6], dtype=torch.uint8)[:, None]
    high = blocks[:, 128:192].reshape(len(blocks), 2, 1, 32) >> shifts & 3
    values = (low | high << 4).float().reshape(len(blocks), 16, 16) - 32
    scales = blocks[:, 192:208].contiguous().view(torch.int8).float()[:, :, None]
    return (_half(blocks, 208)[:, :, None] * scales * values).flatten(1)


_LAYOUTS = {
    0: BlockLayout("F32", 32, 1, 4, _plain(torch.float32)),
    1: BlockLayout("F16", 16, 1, 2, _plain(torch.float16)),
    2: BlockLayout("Q4_0", 4, 32, 18, _q4_0),
    3: BlockLayout("Q4_1", 4, 32, 20, _q4_1),
    6: BlockLayout("Q5_0", 5, 32, 22, _q5_0),
    7: BlockLayout("Q5_1", 5, 32, 24, _q5_1),
    8: BlockLayout("Q8_0", 8, 32, 34, _q8_0),
    12: BlockLayout("Q4_K", 4, 256, 144, _q4_k),
    13: BlockLayout("Q5_K", 5, 256, 176, _q5_k),
    14: BlockLayout("Q6_K", 6, 256, 210, _q6_k),
    28: BlockLayout("F64", 64, 1, 8, _plain(torch.float64)),
    30: BlockLayout("BF16", 16, 1, 2, _plain(torch.bfloat16)),
}
_OTHERS = {10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL"}


def layout_of(kind: int, name: str) -> BlockLayout:
    """The type of block with this number; RefusedError, with the tensor's ``name``, where it is not read."""
    if (layout := _LAYOUTS.get(kind)) is not None:
        return layout
    why = f"{clean(name)!r} is stored as {_OTHERS.get(kind, f'type {kind}')}."
    readable = ", ".join(layout.name for layout in _LAYOUTS.values())
    raise RefusedError(why, f"Take the model in one of these types: {readable}.")
