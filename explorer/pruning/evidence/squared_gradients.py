from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from explorer.errors import ExplorerError
from explorer.pruning.evidence.per_sample import mean_squares
from explorer.types import LoadedModel, Split


class SquaredGradients:
    """The diagonal of the empirical Fisher information: parameter -> mean over samples of (dL_sample/dw)^2.

    The network is in eval mode. The square is of each sample's gradient, not of a batch's.
    """

    key: ClassVar[str] = "squared_gradients"
    labels: ClassVar[bool] = True

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        if split.y is None:
            raise ExplorerError("There is no loss without labels.", fix="Give labelled data.")
        labels = split.y

        def of_loss(scores: Tensor, start: int) -> Tensor:
            """The derivative of the cross entropy by the class scores."""
            targets = F.one_hot(labels[start : start + len(scores)], scores.shape[1])
            return (scores.softmax(dim=1) - targets).unsqueeze(1)

        return mean_squares(model, split.x, of_loss)
