from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP
from explorer.pruning.criteria.products import why_no_products
from explorer.pruning.evidence.base import Evidence
from explorer.pruning.evidence.least_squares import Products
from explorer.pruning.within_layer import scored_parameters
from explorer.types import LoadedModel


@dataclass(frozen=True)
class Obs(Criterion):
    """Optimal brain surgeon, layer by layer: what goes is what the other weights can best make up for, and they do.

    score[i, j] = W[i, j]^2 / (2 [H^-1]_jj): the rise of the squared error of the layer's outputs when that weight
    goes and the others of its row change to make up for it. H is the mean of X^T X over samples (X: the layer's
    inputs in the dense model), plus ``damping`` times its mean diagonal. Errors of different layers do not
    compare (the next layer may scale them), so each layer's score is multiplied by the mean of its [H^-1]_jj:
    then a weight of one size costs about the same in all. Larger units: the mean over their weights.

    The kept weights of each row then take the values that make the layer's error smallest: the exact
    least-squares solution where rows keep or lose up to 150 inputs, and wherever they lose the same ones (whole
    channels); else SparseGPT's column sweep with some steps of conjugate gradients behind it.

    Weak where rows are wide (it inverts a matrix of inputs by inputs for each layer), or the samples are fewer
    than the inputs and the damping decides.

    Source: Hassibi and Stork 1993, "Second order derivatives for network pruning: optimal brain surgeon";
    layer by layer: Dong et al. 2017, arXiv:1705.07565; the sweep: Frantar and Alistarh 2023, arXiv:2301.00774.
    """

    key: ClassVar[str] = "obs"
    label: ClassVar[str] = "Optimal brain surgeon"
    needs: ClassVar[frozenset[str]] = frozenset({"input_products"})
    n_samples: int = param(128, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)
    damping: float = param(
        0.01, "Damping", low=1e-4, high=1.0, help="Added to the diagonal of H, as a share of its mean."
    )

    def why_not(self, units: Units) -> Refusal | None:
        return why_no_products(units)

    def score(self, units: Units) -> Tensor:
        model, group, _ = units.of
        problems = units.seen.kinds["input_products"]
        field = {
            name: problems[name].saliency(model.weights[name], self.damping) * problems[name].ease(self.damping)
            for name in scored_parameters(model, group)
        }
        return units.arranged(field).mean(dim=1)

    def updates(self, model: LoadedModel, masks: Mapping[str, Tensor], evidence: Evidence | None) -> dict[str, Tensor]:
        """The kept weights of every row that lost some: by choice, or since a neighbour no longer makes its input."""
        problems = evidence.kinds["input_products"] if evidence is not None else {}
        return {
            name: problem.compensated(model.weights[name], mask, self.damping)
            for name, mask in masks.items()
            if isinstance(problem := problems.get(name), Products) and problem.can_help(mask)
        }
