from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.evidence.per_sample import mean_squares
from explorer.types import LoadedModel, Split

_CLASSES_IN_FULL = 16
_N_PROBES = 8


class Curvature:
    """The diagonal of the Gauss-Newton matrix of the mean cross entropy: parameter -> its shape, never negative.

    The Hessian by the class scores is diag(p) - p p' = sum over classes of v v' with v = sqrt(p_c) (e_c - p), so
    that the diagonal is the sum of the squared gradients along each v. Up to 16 classes all of them are followed;
    beyond, 8 sums of them with random signs, whose squares are right on average.

    Source: Schraudolph 2002, "Fast curvature matrix-vector products for second-order gradient descent"; random
    signs as in Bekas et al. 2007, "An estimator for the diagonal of a matrix".
    """

    key: ClassVar[str] = "curvature"
    labels: ClassVar[bool] = False

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(0)

        def of_curvature(scores: Tensor, start: int) -> Tensor:
            p = scores.softmax(dim=1)
            n_classes = p.shape[1]
            if n_classes <= _CLASSES_IN_FULL:
                signs = torch.eye(n_classes, dtype=p.dtype).expand(len(p), -1, -1)
            else:
                shape = (len(p), _N_PROBES, n_classes)
                signs = torch.randint(0, 2, shape, generator=generator).to(p.dtype).mul(2).sub(1) / _N_PROBES**0.5
            parts = signs * p.sqrt().unsqueeze(1)
            return parts - parts.sum(dim=2, keepdim=True) * p.unsqueeze(1)

        return mean_squares(model, split.x, of_curvature)
