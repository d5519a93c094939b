"""SparseGPT's choice of weights: block of columns by block of columns, after what went before was made up for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.pruning.evidence.least_squares import Products, Solver
from explorer.pruning.evidence.running import one_thread
from explorer.pruning.select import keep_mask
from explorer.types.stopping import check

Choose = Callable[[Tensor, int, int], Tensor]
"""(rows, k) costs of the columns from start to stop -> (rows, k) bool, True goes."""


@dataclass(frozen=True)
class Pattern:
    """Which weights go: of each block of ``block`` columns the same share, or m - n of m neighbours."""

    block: int
    n: int = 0
    m: int = 0


def costs(products: Products, weight: Tensor, damping: float) -> Tensor:
    """w^2 / U_jj^2 in the weight's shape, with U the upper Cholesky factor of the inverse of H.

    What the squared error of a row rises by when a weight goes and the columns after it make up for it.
    """
    rows = products.rows(weight)
    diagonal = torch.stack([solver.factor.diagonal() for solver in products.solved(damping)])
    return products.back((rows / diagonal[:, None]).square(), weight)


def rechosen(products: Products, weight: Tensor, mask: Tensor, damping: float, pattern: Pattern) -> Tensor:
    """A mask with as many zeros as ``mask``, chosen in one sweep over the columns; in the weight's shape.

    With a pattern of n of m, the groups that lose some are those of ``mask``.
    """
    rows, keep = products.rows(weight), products.rows(mask)
    n_gone = int((~keep).sum())
    shares = [round(n_gone * (i + 1) / len(rows)) - round(n_gone * i / len(rows)) for i in range(len(rows))]
    with one_thread():
        parts = zip(products.solved(damping), rows, keep, shares, strict=True)
        chosen = torch.stack(
            [_swept(solver, row, _choice(pattern, stays, n), pattern) for solver, row, stays, n in parts]
        )
    return products.back(chosen, mask)


def swept_exactly(products: Products, weight: Tensor, mask: Tensor, damping: float) -> Tensor:
    """The weight with zeros where the mask cuts, each made up for by the columns after it; a new tensor."""
    with one_thread():
        parts = zip(products.solved(damping), products.rows(weight), products.rows(mask), strict=True)
        rows = torch.stack([solver.swept(row, keep) for solver, row, keep in parts])
    return products.back(rows, weight)


def _choice(pattern: Pattern, keep: Tensor, n_gone: int) -> Choose:
    if pattern.m:
        loses = ~keep.reshape(len(keep), -1, pattern.m).all(dim=2)  # (rows, groups)

        def of_group(cost: Tensor, start: int, stop: int) -> Tensor:
            lowest = cost.argsort(dim=1, stable=True)[:, : pattern.m - pattern.n]
            gone = torch.zeros_like(cost, dtype=torch.bool).scatter_(1, lowest, True)
            within: Tensor = gone & loses[:, start // pattern.m, None]
            return within

        return of_group

    def of_block(cost: Tensor, start: int, stop: int) -> Tensor:
        n = keep.shape[1]
        in_block = round(n_gone * stop / n) - round(n_gone * start / n)
        return ~keep_mask(cost.flatten(), in_block).reshape(cost.shape)

    return of_block


def _swept(solver: Solver, rows: Tensor, choose: Choose, pattern: Pattern) -> Tensor:
    """(rows, columns) bool, True keeps.

    Source: Frantar and Alistarh 2023, arXiv:2301.00774, algorithm 1.
    """
    new, n = rows.T.contiguous(), rows.shape[1]
    keep = torch.ones_like(rows, dtype=torch.bool)
    size = pattern.m or pattern.block
    for start in range(0, n, size):
        check()
        stop = min(start + size, n)
        factor = solver.factor[start:stop, start:stop]
        block, errors = new[start:stop], torch.zeros(stop - start, len(rows), dtype=rows.dtype)
        gone = choose((block / factor.diagonal()[:, None]).square().T, start, stop)
        keep[:, start:stop] = ~gone
        scale = gone.T.to(rows.dtype) / factor.diagonal()[:, None]
        for j in range(stop - start):
            torch.mul(block[j], scale[j], out=errors[j])
            block[j:].addr_(factor[j, j:], errors[j], alpha=-1)
        new[stop:] -= solver.factor[start:stop, stop:].T @ errors
    return keep
