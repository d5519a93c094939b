from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from explorer.pruning.evidence.inputs import Inputs, InputWatch, Rows, Spread
from explorer.pruning.evidence.least_squares import Products
from explorer.pruning.evidence.watching import watched
from explorer.types import LoadedModel, Split

MOST_INPUTS = 2048  # their products are 32 MB of memory, and as much again for the inverse


class InputProducts:
    """For each weight the products of all pairs of its layer's inputs, summed over places, mean over samples.

    One mapping, parameter -> ``Products``, or a sentence that says why there are none. A convolution's inputs
    are its patches, padding included.
    """

    key: ClassVar[str] = "input_products"
    labels: ClassVar[bool] = False

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Products | str]:
        sums: dict[str, Tensor] = {}
        others: dict[str, str] = {}
        turned: set[str] = set()

        def make(names: Mapping[int, str]) -> _Sum:
            return _Sum(names, sums, others, turned)

        watched(model, split, make)
        products: dict[str, Products | str] = {
            name: Products(total / len(split), turned=name in turned) for name, total in sums.items()
        }
        return products | others


class _Sum(InputWatch):
    def __init__(
        self, names: Mapping[int, str], sums: dict[str, Tensor], others: dict[str, str], turned: set[str]
    ) -> None:
        super().__init__(names)
        self._sums, self._others, self._turned = sums, others, turned

    def found(self, parameter: str, inputs: Inputs) -> None:
        if isinstance(inputs, Spread):
            self._others[parameter] = "A transposed convolution is no least-squares problem of its rows."
        elif inputs.n_columns > MOST_INPUTS:
            self._others[parameter] = (
                f"Each of its outputs reads {inputs.n_columns} inputs, whose products take too much memory "
                f"(at most {MOST_INPUTS})."
            )
        else:
            if isinstance(inputs, Rows) and inputs.turned:
                self._turned.add(parameter)
            products = inputs.products()
            self._sums[parameter] = self._sums[parameter] + products if parameter in self._sums else products

    def partly(self, parameter: str) -> None:
        self._others[parameter] = "It is used in parts, and they read different inputs."
