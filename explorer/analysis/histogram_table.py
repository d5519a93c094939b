"""The histograms of all groups as one table: how many units lie in each bin of scores, and how many of them go."""

from __future__ import annotations

import numpy as np

from explorer.pruning.select import keep_mask
from explorer.types import Plan, Scores
from explorer.types.aliases import JsonDict

_BINS = 64


def histogram_table(scores: Scores, plan: Plan) -> list[JsonDict]:
    """A row for each of 64 bins of equal width between the lowest and the highest score of each group.

    Each bin has its lower end and not its upper one, but the last, which has both; ``units`` of all groups add up to
    all units that are ranked, ``pruned`` to those that go.
    """
    rows = []
    for group in plan.groups:
        values = scores.values.get(group.group.name)
        if values is None or not values.numel():
            continue
        goes = ~keep_mask(values, group.n_pruned).reshape(-1).numpy()
        numbers = values.reshape(-1).double().numpy()
        counts, edges = np.histogram(numbers, _BINS)
        pruned = np.histogram(numbers[goes], edges)[0]
        rows += [
            {"group": group.group.name, "unit": group.group.unit, "low": low, "high": high, "units": n, "pruned": gone}
            for low, high, n, gone in zip(
                edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), pruned.tolist(), strict=True
            )
        ]
    return rows
