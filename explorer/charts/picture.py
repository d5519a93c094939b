"""A weight tensor laid out as rows and columns, small enough to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Picture:
    """``values`` (rows, columns) float32, NaN where there is nothing to paint; ``pruned`` bool of the same shape.

    ``is_reduced``: values are mean magnitudes of blocks, >= 0. ``down`` and ``across`` title the axes. ``places``:
    what each row and each column is, in words, where that is not its number.
    """

    values: Tensor
    pruned: Tensor
    down: str
    across: str
    note: str
    is_reduced: bool
    places: tuple[tuple[str, ...], tuple[str, ...]] | None = None


def groups_of(weights: Tensor, mask: Tensor, m: int, position: int, most: int) -> Picture:
    """Outputs x inputs at one place of the kernel, an empty column after every ``m`` inputs: what n of m looks like.

    ``weights`` (out, in, ...); ``position`` counts the kernel's places row by row. Of more than ``most`` outputs or
    inputs the first are shown, whole groups, and a note says so.
    """
    values, keeps = (t.detach().cpu().reshape(*t.shape[:2], -1)[:, :, position] for t in (weights, mask))
    n_out, n_in = min(len(values), most), min(values.shape[1], max(m, most // m * m))
    columns = [i + i // m for i in range(n_in)]
    painted = torch.full((n_out, columns[-1] + 1), math.nan)
    pruned = torch.zeros(painted.shape, dtype=torch.bool)
    painted[:, columns] = _hidden(values[:n_out, :n_in].float(), keeps[:n_out, :n_in])
    pruned[:, columns] = ~keeps[:n_out, :n_in]
    names = [""] * painted.shape[1]
    for i, column in enumerate(columns):
        names[column] = f"input {i}"
    note = ""
    if (n_out, n_in) != tuple(values.shape):
        note = f"The first {n_out:,} of {len(values):,} outputs and {n_in:,} of {values.shape[1]:,} inputs."
    rows = tuple(f"output {o}" for o in range(n_out))
    across = f"inputs, in groups of {m}"
    return Picture(painted, pruned, "outputs", across, note, is_reduced=False, places=(rows, tuple(names)))


def picture_of(weights: Tensor, mask: Tensor | None, max_side: int) -> Picture:
    """Kernels tiled with a gap where that fits, else outputs x inputs, else blocks of that."""
    values = weights.detach().cpu().float()
    keeps = torch.ones(values.shape, dtype=torch.bool) if mask is None else mask.cpu()
    tiled = _tiled(values, keeps, max_side)
    if tiled is not None:
        return tiled
    rows = values.reshape(1, -1) if values.dim() < 2 else values.reshape(len(values), -1)
    kept = keeps.reshape(rows.shape)
    if max(rows.shape) <= max_side:
        return Picture(_hidden(rows, kept), ~kept, "outputs", _across(values), "", is_reduced=False)
    return _reduced(rows, kept, max_side, _across(values))


def _across(values: Tensor) -> str:
    return "inputs" if values.dim() <= 2 else "inputs x kernel positions"


def _hidden(values: Tensor, kept: Tensor) -> Tensor:
    return values.masked_fill(~kept, math.nan)


def _tiled(values: Tensor, keeps: Tensor, max_side: int) -> Picture | None:
    """Convolution kernels (out, in, height, width), each in its own tile with one empty line between."""
    if values.dim() != 4 or max(values.shape[2:]) < 2:
        return None
    out, into, high, wide = values.shape
    side_by_side = _side_by_side(out * (high + 1), into * (wide + 1))
    down = math.ceil(out / side_by_side)
    # Between the blocks one more empty column than between kernels.
    block = into * (wide + 1) + (1 if side_by_side > 1 else 0)
    shape = (down * (high + 1) - 1, side_by_side * block - 1)
    if max(shape) > max_side:
        return None
    painted, pruned = torch.full(shape, math.nan), torch.zeros(shape, dtype=torch.bool)
    for o in range(out):
        for i in range(into):
            top, left = o % down * (high + 1), o // down * block + i * (wide + 1)
            tile = (slice(top, top + high), slice(left, left + wide))
            painted[tile] = _hidden(values[o, i], keeps[o, i])
            pruned[tile] = ~keeps[o, i]
    across = "inputs" if side_by_side == 1 else f"inputs, in {side_by_side} columns of outputs"
    return Picture(painted, pruned, "outputs", across, "", is_reduced=False)


def _side_by_side(high: int, wide: int) -> int:
    """A tall, narrow stack of kernels is broken into columns until it is about square."""
    return max(1, round(math.sqrt(high / wide))) if high > 4 * wide else 1


def _reduced(rows: Tensor, kept: Tensor, max_side: int, across: str) -> Picture:
    """Means over blocks; ragged edges make smaller blocks, so every weight is in exactly one."""
    down_by, across_by = (math.ceil(side / max_side) for side in rows.shape)
    magnitudes = rows.abs().nan_to_num(0.0, posinf=0.0).masked_fill(~kept, 0.0)
    total, n_kept = _sums(magnitudes, down_by, across_by), _sums(kept.float(), down_by, across_by)
    note = (
        f"Each cell is the mean |w| of the kept weights in a block of {down_by} x {across_by}; "
        "grey blocks are pruned entirely."
    )
    values = torch.where(n_kept > 0, total / n_kept.clamp(min=1), torch.full_like(total, math.nan))
    return Picture(values, n_kept == 0, "outputs", across, note, is_reduced=True)


def _sums(values: Tensor, down_by: int, across_by: int) -> Tensor:
    n_rows, n_columns = values.shape
    padded = torch.nn.functional.pad(values, (0, -n_columns % across_by, 0, -n_rows % down_by))
    return padded.reshape(-(-n_rows // down_by), down_by, -(-n_columns // across_by), across_by).sum(dim=(1, 3))
