from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP
from explorer.pruning.criteria.places import is_language_model, places_in_rows
from explorer.pruning.granularity.weight import Weight
from explorer.pruning.within_layer import scored_parameters


@dataclass(frozen=True)
class Wanda(Criterion):
    """Weights times activations: a small weight on a strong input may matter more than a large one on a weak one.

    score[i, j] = |W[i, j]| ||X[j]||_2, with X[j] what input j was on all samples and places. A
    convolution is the matrix product over its patches. With compare "row" single weights compete only with those
    of the same output, as in the paper: the score is then the weight's place in its row, from 0 to 1, and every
    output of every layer loses the same share. With "layer" all weights compete: so that layers can be ranked
    together, the norms of each layer are divided by their root mean square, and a layer whose inputs are equally
    strong is ranked by magnitude. "auto" is "row" for language models, as the paper found best for
    them (and not for image classifiers: its section 5), and "layer" for all others.
    Of a larger unit the score is the root mean square over its weights: where inputs are uncorrelated, what
    the unit adds to its layer's outputs.

    Weak where inputs are about equally strong, as in small networks: it is then magnitude. A mean over samples
    also hides an input that is rare but decisive.

    Source: Sun et al. 2023, arXiv:2306.11695, equation 1 (there of linear layers).
    """

    key: ClassVar[str] = "wanda"
    label: ClassVar[str] = "Wanda"
    needs: ClassVar[frozenset[str]] = frozenset({"input_squares"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)
    compare: str = param(
        "auto",
        "Compared within",
        choices=("auto", "layer", "row"),
        help="Single weights only: with all weights of the layer, or with those of the same output (the paper). "
        "Auto: row in language models, layer elsewhere.",
    )

    def why_not(self, units: Units) -> Refusal | None:
        model, group, _ = units.of
        unseen = [name for name in scored_parameters(model, group) if name not in units.seen.field("input_squares")]
        if not unseen:
            return None
        return Refusal(
            f"What {unseen[0]} is multiplied by cannot be seen: it is looked up, used in parts, or never used."
        )

    def score(self, units: Units) -> Tensor:
        model, group, _ = units.of
        squares = {name: units.seen.field("input_squares")[name] for name in scored_parameters(model, group)}
        # A layer that was never given anything but zeros has equal inputs, too.
        typical = {name: field.mean(dtype=torch.float64).float().clamp_min(1e-30) for name, field in squares.items()}
        norms = units.arranged({name: field / typical[name] for name, field in squares.items()}).sqrt()
        products = units.weights.abs() * norms
        if not isinstance(units.granularity, Weight):
            return _root_mean_square(products)
        by_row = is_language_model(model) if self.compare == "auto" else self.compare == "row"
        return places_in_rows(products, units) if by_row else products[:, 0]


def _root_mean_square(values: Tensor) -> Tensor:
    # Divide by the largest, so that squares do not leave the float range.
    scale = values.amax().clamp_min(1e-38)
    mean: Tensor = (values / scale).square().mean(dim=1)
    return mean.sqrt() * scale
