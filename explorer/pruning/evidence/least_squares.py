"""Layers as least-squares problems: which kept weights make up best for those that went.

Row by row, the squared error of a layer's outputs is d^T H d / 2, with d the change of the row and H
the mean of products of its inputs. What is the best d when some weights must become zero?
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.pruning.evidence.running import one_thread
from explorer.types.stopping import check

EXACT_UP_TO = 150  # unknowns: with more of them every row alone costs more than a hand that drags can wait for
FEW_PATTERNS = 8  # rows that lose the same inputs are solved together, so few patterns are always solved exactly
POLISH = 10  # steps after a sweep: from 2 to 5 times the least error to within a quarter of it
_TINY = 1e-300
_BLOCK = 64  # columns of a sweep whose effect on later ones is added at once


@dataclass(eq=False)
class Products:
    """H of one layer before damping, (groups, columns, columns), mean over samples; what follows from it is kept.

    ``turned``: the weight is (columns, rows) instead of (rows, columns). Groups are those of a convolution.
    """

    mean: Tensor
    turned: bool = False
    _solvers: dict[float, list[Solver]] = field(default_factory=dict)
    _last: tuple[Tensor, Tensor, float, Tensor] | None = None

    def saliency(self, weight: Tensor, damping: float) -> Tensor:
        """What the squared output error rises by when each weight goes alone and the others of its row make up for it.

        w^2 / (2 [H^-1]_jj), in the weight's shape.
        """
        rows = self.rows(weight)
        diagonal = torch.stack([solver.inverse.diagonal() for solver in self.solved(damping)])
        return self.back(rows.square() / (2 * diagonal[:, None]), weight)

    def ease(self, damping: float) -> float:
        """The mean of [H^-1]_jj: how well the layer makes up for a weight, in the units of its inputs."""
        return float(torch.stack([solver.inverse.diagonal() for solver in self.solved(damping)]).mean())

    def can_help(self, mask: Tensor) -> bool:
        """Whether a row loses some weights and keeps others."""
        keep = self.rows(mask)
        return bool((keep.any(dim=2) & ~keep.all(dim=2)).any())

    def compensated(self, weight: Tensor, mask: Tensor, damping: float) -> Tensor:
        """The weight with zeros where the mask cuts, and the kept weights changed to make up for them; a new tensor.

        The last answer is kept: a layer that did not change while another one's threshold moves costs nothing.
        """
        last = self._last
        if last is not None and last[0] is weight and last[2] == damping and torch.equal(last[1], mask):
            return last[3]
        with one_thread():
            pairs = zip(self.solved(damping), self.rows(weight), self.rows(mask), strict=True)
            rows = torch.stack([solver.solve(row, keep) for solver, row, keep in pairs])
        new = self.back(rows, weight)
        self._last = (weight, mask, damping, new)
        return new

    def solved(self, damping: float) -> list[Solver]:
        if damping not in self._solvers:
            with one_thread():
                self._solvers[damping] = [Solver.of(h, damping) for h in self.mean]
        return self._solvers[damping]

    def rows(self, weight: Tensor) -> Tensor:
        """(groups, rows, columns)."""
        rows = weight.detach().T[None] if self.turned else weight.detach().reshape(len(self.mean), -1, self.n_columns)
        return rows if rows.dtype == torch.bool else rows.double()

    def back(self, rows: Tensor, weight: Tensor) -> Tensor:
        matrix = rows[0].T if self.turned else rows.reshape(weight.shape)
        return matrix.to(weight.dtype).contiguous()

    @property
    def n_columns(self) -> int:
        """How many inputs each output reads."""
        return self.mean.shape[-1]


@dataclass(frozen=True, eq=False)
class Solver:
    """One damped H, its inverse, and the upper Cholesky factor of the inverse; all (columns, columns), float64."""

    h: Tensor
    inverse: Tensor
    factor: Tensor

    @classmethod
    def of(cls, products: Tensor, damping: float) -> Solver:
        """``damping`` is a share of the mean diagonal; inputs that are always zero are held by it alone."""
        check()
        extra = max(damping * float(products.diagonal().mean()), 1e-12)
        h = products + extra * torch.eye(len(products), dtype=products.dtype)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(h))
        return cls(h, inverse, torch.linalg.cholesky(inverse, upper=True))

    def solve(self, rows: Tensor, keep: Tensor) -> Tensor:
        """(rows, columns) weights with zeros where ``keep`` is False: exact, or near it where that would take long."""
        n_kept = keep.sum(dim=1)
        largest = int(torch.minimum(n_kept, keep.shape[1] - n_kept).max()) if len(keep) else 0
        patterns, which = torch.unique(keep, dim=0, return_inverse=True)
        if largest > EXACT_UP_TO and len(patterns) > FEW_PATTERNS:
            return self.polished(rows, keep, self.swept(rows, keep))
        solution = torch.empty_like(rows)
        order = torch.argsort(which, stable=True)
        for pattern, places in zip(patterns, torch.split(order, torch.bincount(which).tolist()), strict=True):
            check()
            solution[places] = self.exact(rows[places], pattern)
        return solution

    def exact(self, rows: Tensor, keep: Tensor) -> Tensor:
        """The best weights of rows that keep the same inputs, (columns,) bool: the least-squares solution.

        Of the two equal ways the one with the smaller system: over what stays, or over what goes.
        """
        stays, gone = keep.nonzero().flatten(), (~keep).nonzero().flatten()
        new = torch.zeros_like(rows)
        if not len(gone):
            return rows
        if len(stays) <= len(gone):
            system, right = self.h[stays][:, stays], self.h[stays] @ rows.T
            new[:, stays] = torch.cholesky_solve(right, torch.linalg.cholesky(system)).T
        else:
            weights = torch.cholesky_solve(rows[:, gone].T, torch.linalg.cholesky(self.inverse[gone][:, gone]))
            new[:, stays] = rows[:, stays] - (self.inverse[stays][:, gone] @ weights).T
        return new

    def swept(self, rows: Tensor, keep: Tensor) -> Tensor:
        """Column by column: what goes is made up for by the columns after it. Much quicker than the best.

        Source: Frantar and Alistarh 2023, arXiv:2301.00774, algorithm 1, for a mask that is given.
        """
        new, gone = rows.T.contiguous(), (~keep).T.to(rows.dtype)
        n = len(new)
        for start in range(0, n, _BLOCK):
            check()
            stop = min(start + _BLOCK, n)
            factor = self.factor[start:stop, start:stop]
            block, errors = new[start:stop], torch.zeros(stop - start, len(rows), dtype=rows.dtype)
            scale = gone[start:stop] / factor.diagonal()[:, None]
            for j in range(stop - start):
                torch.mul(block[j], scale[j], out=errors[j])
                block[j:].addr_(factor[j, j:], errors[j], alpha=-1)
            new[stop:] -= self.factor[start:stop, stop:].T @ errors
        return new.T.masked_fill(~keep, 0)

    def polished(self, rows: Tensor, keep: Tensor, start: Tensor) -> Tensor:
        """Weights nearer to the best than ``start``, by conjugate gradients for all rows at once; none gets worse."""
        kept, scale = keep.to(rows.dtype), self.h.diagonal()
        new = start.clone()
        left = ((rows - new) @ self.h) * kept
        step = left / scale
        size = (left * step).sum(dim=1, keepdim=True)
        for _ in range(POLISH):
            check()
            turned = (step @ self.h) * kept
            far = size / (step * turned).sum(dim=1, keepdim=True).clamp_min(_TINY)
            new += far * step
            left = left - far * turned
            ahead = left / scale
            before, size = size, (left * ahead).sum(dim=1, keepdim=True)
            step = ahead + size / before.clamp_min(_TINY) * step
        return new
