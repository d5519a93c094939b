"""A recurrent network that reads a digit row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from explorer.params import param


class RowGru(nn.Module):
    """A GRU over the eight rows; the last hidden state is classified."""

    def __init__(self, hidden: int, n_layers: int, n_classes: int) -> None:
        super().__init__()
        self.gru = nn.GRU(8, hidden, n_layers, batch_first=True)
        self.fc = nn.Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> (n, n_classes) logits; rows are time steps, columns are features."""
        states = self.gru(x.flatten(1, 2))[0]
        out: Tensor = self.fc(states[:, -1])
        return out


@dataclass(frozen=True)
class DigitsGru:
    """A gated recurrent network: its gates share one weight matrix per layer and direction.

    Source: Cho et al. 2014, arXiv:1406.1078.
    """

    key: ClassVar[str] = "digits-gru"
    description: ClassVar[str] = "A recurrent network that reads 8 x 8 digits row by row"
    input_shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    mean: ClassVar[tuple[float, ...]] = (0.3053,)
    std: ClassVar[tuple[float, ...]] = (0.3761,)
    hidden: int = param(64, "Hidden units", low=1, high=2048)
    n_layers: int = param(2, "Layers", low=1, high=8)
    n_classes: int = param(10, "Classes", low=2, high=1000)

    def build(self) -> nn.Module:
        """A new recurrent network; (n, 1, 8, 8) -> (n, n_classes)."""
        return RowGru(self.hidden, self.n_layers, self.n_classes)
