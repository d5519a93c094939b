"""What is counted of a model's weights once."""

from __future__ import annotations

import torch

from explorer.pruning.weight_counts import weight_counts
from explorer.types import LoadedModel


def test_zeros_and_broken_numbers_are_counted_by_parameter_in_small_and_large_tensors() -> None:
    large = torch.ones(100, 100)
    large[0, :7] = 0
    large[1, 0] = torch.nan
    small = torch.tensor([[0.0, -0.0, 1.0], [torch.inf, 2.0, -torch.inf]])
    model = LoadedModel("x.pt", None, {"large": large, "small": small, "whole": torch.tensor([0, 3])}, "d")

    counts = weight_counts(model)

    assert dict(counts.n_zeros) == {"large": 7, "small": 2, "whole": 1}
    assert dict(counts.n_not_finite) == {"large": 1, "small": 2}
    assert weight_counts(model) is counts
