from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from explorer.pruning.evidence.inputs import Inputs, InputWatch
from explorer.pruning.evidence.watching import watched
from explorer.types import LoadedModel, Split


class InputSquares:
    """For each weight the sum of squares of the input it is multiplied by: one mapping, parameter -> its shape.

    Summed over samples and over all places (positions of a convolution, tokens, time steps). A
    convolution is taken as the matrix product that it is: each place of the kernel has inputs of
    its own, zeros of the padding among them. Weights whose inputs cannot be told are absent.
    """

    key: ClassVar[str] = "input_squares"
    labels: ClassVar[bool] = False

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        cut_up: set[str] = set()

        def make(names: Mapping[int, str]) -> _Sum:
            return _Sum(names, sums, cut_up)

        watched(model, split, make)
        return {name: _spread(total.float(), model.weights[name]) for name, total in sums.items() if name not in cut_up}


class _Sum(InputWatch):
    def __init__(self, names: Mapping[int, str], sums: dict[str, Tensor], cut_up: set[str]) -> None:
        super().__init__(names)
        self._sums, self._cut_up = sums, cut_up

    def found(self, parameter: str, inputs: Inputs) -> None:
        squares = inputs.squares()
        self._sums[parameter] = self._sums[parameter] + squares if parameter in self._sums else squares

    def partly(self, parameter: str) -> None:
        self._cut_up.add(parameter)


def _spread(total: Tensor, weight: Tensor) -> Tensor:
    """In the weight's shape; a grouped convolution has one row for each group of outputs."""
    if total.shape[0] not in (1, weight.shape[0]):
        total = total.repeat_interleave(weight.shape[0] // total.shape[0], dim=0)
    return total.expand(weight.shape)
