from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.criteria.base import Choice, Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP
from explorer.pruning.criteria.places import places
from explorer.pruning.criteria.products import why_no_products
from explorer.pruning.evidence.base import Evidence
from explorer.pruning.evidence.column_choice import Pattern, costs, rechosen, swept_exactly
from explorer.pruning.evidence.least_squares import Products
from explorer.pruning.granularity.n_of_m import NOfM
from explorer.pruning.granularity.weight import Weight
from explorer.pruning.within_layer import scored_parameters
from explorer.types import LoadedModel


@dataclass(frozen=True)
class SparseGpt(Criterion):
    """SparseGPT: columns are pruned from left to right, and those after each make up for what went.

    score[i, j] = the place of W[i, j]^2 / U_jj^2 among all weights of its block of columns, from 0 to 1: every
    block of every layer loses the same share. H is the mean of X^T X over samples (X: the layer's inputs in the
    dense model) plus ``damping`` times its mean diagonal, and U the upper Cholesky factor of its inverse. What goes
    is then chosen anew in each block, from the weights as the blocks before it have changed them (with n of m: in
    each group). The kept weights take the values that the sweep leaves. Optimal brain surgeon solves for
    the best values instead, and takes longer.

    Weak where layers differ in how much they can give up: every block of columns loses the same share. The best
    order of columns is not searched.

    Source: Frantar and Alistarh 2023, arXiv:2301.00774, algorithm 1 (there in float32).
    """

    key: ClassVar[str] = "sparsegpt"
    label: ClassVar[str] = "SparseGPT"
    needs: ClassVar[frozenset[str]] = frozenset({"input_products"})
    n_samples: int = param(128, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)
    damping: float = param(
        0.01, "Damping", low=1e-4, high=1.0, help="Added to the diagonal of H, as a share of its mean."
    )
    block: int = param(128, "Columns of a block", low=1, high=4096, help="Each block of columns loses the same share.")

    def why_not(self, units: Units) -> Refusal | None:
        _, group, granularity = units.of
        if not isinstance(granularity, Weight | NOfM):
            return Refusal(f"It chooses single weights, and a {group.unit} is none: choose optimal brain surgeon.")
        return why_no_products(units)

    def score(self, units: Units) -> Tensor:
        model, group, _ = units.of
        name = scored_parameters(model, group)[0]
        products: Products = units.seen.kinds["input_products"][name]
        weight = model.weights[name]
        rows = products.rows(costs(products, weight, self.damping))
        blocks = [places(part.reshape(1, -1)).reshape(part.shape) for part in torch.split(rows, self.block, dim=2)]
        return products.back(torch.cat(blocks, dim=2), weight).reshape(-1)

    def chosen(self, masks: dict[str, Tensor], of: Choice) -> dict[str, Tensor]:
        """As many of each layer, chosen while the sweep goes on."""
        problems = of.evidence.kinds["input_products"] if of.evidence is not None else {}
        new = dict(masks)
        for name, mask in masks.items():
            weight, problem = of.model.weights[name], problems.get(name)
            pattern = self._pattern(of, weight, problem)
            if pattern is not None and isinstance(problem, Products):
                new[name] = rechosen(problem, weight, mask, self.damping, pattern)
        return new

    def _pattern(self, of: Choice, weight: Tensor, problem: Products | None) -> Pattern | None:
        if isinstance(of.granularity, Weight):
            return Pattern(self.block)
        # A convolution's neighbours are not beside each other in its columns: there the ranking decides.
        beside = weight.dim() == 2 and isinstance(problem, Products) and not problem.turned
        if isinstance(of.granularity, NOfM) and beside:
            return Pattern(self.block, of.granularity.n, of.granularity.m)
        return None

    def updates(self, model: LoadedModel, masks: Mapping[str, Tensor], evidence: Evidence | None) -> dict[str, Tensor]:
        """The kept weights of the layers that lost some."""
        problems = evidence.kinds["input_products"] if evidence is not None else {}
        return {
            name: swept_exactly(problem, model.weights[name], mask, self.damping)
            for name, mask in masks.items()
            if isinstance(problem := problems.get(name), Products) and problem.can_help(mask)
        }
