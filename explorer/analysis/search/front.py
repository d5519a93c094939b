"""Which share from each layer? The best trades of predicted harm for what is saved, by dynamic programming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MOST_STATES = 4096


@dataclass(frozen=True)
class Option:
    """One share of one group: what it saves (any unit) and what it is predicted to harm."""

    share: float
    saving: float
    harm: float


@dataclass(frozen=True, eq=False)
class Front:
    """Every combination of options that no other beats in both saving and harm, by rising saving.

    ``savings`` and ``harms``: (n,) float64, both strictly rising. At least one combination is there: nothing pruned.
    """

    names: tuple[str, ...]
    tables: tuple[tuple[Option, ...], ...]
    savings: Tensor
    harms: Tensor
    _steps: tuple[tuple[Tensor, Tensor], ...]

    def __len__(self) -> int:
        return len(self.savings)

    def shares(self, index: int) -> dict[str, float]:
        """The share of each group in one combination."""
        shares: dict[str, float] = {}
        for name, table, (parents, options) in reversed(list(zip(self.names, self.tables, self._steps, strict=True))):
            shares[name] = table[int(options[index])].share
            index = int(parents[index])
        return shares

    def within(self, harm: float) -> int:
        """The combination that saves most for at most this harm."""
        return max(0, int(torch.searchsorted(self.harms, harm, right=True)) - 1)


def front(tables: Mapping[str, Sequence[Option]], most: int = MOST_STATES) -> Front:
    """All best combinations of one option from each table.

    Savings and harms add up. Exact as long as no more than ``most`` combinations are best at once;
    then the savings are rounded to ``most`` steps, and of each step the least harmful is kept.
    Every table needs an option that saves and harms nothing.

    Source: the nondominated-list form of the knapsack recursion, Nemhauser and Ullmann 1969, Management Science 15(9).
    """
    savings = harms = torch.zeros(1, dtype=torch.float64)
    steps = []
    for table in tables.values():
        saved = torch.tensor([option.saving for option in table], dtype=torch.float64)
        harmed = torch.tensor([option.harm for option in table], dtype=torch.float64)
        all_savings, all_harms = (savings[:, None] + saved).flatten(), (harms[:, None] + harmed).flatten()
        best = _thinned(all_savings, _undominated(all_savings, all_harms), most)
        savings, harms = all_savings[best], all_harms[best]
        steps.append((best // len(table), best % len(table)))
    return Front(tuple(tables), tuple(tuple(table) for table in tables.values()), savings, harms, tuple(steps))


def _undominated(savings: Tensor, harms: Tensor) -> Tensor:
    """Indices of those that none beats, by rising saving; of equal ones the first."""
    order = torch.argsort(harms, stable=True)
    order = order[torch.argsort(savings[order], descending=True, stable=True)]
    ranked = harms[order]
    before = torch.cat([torch.full((1,), torch.inf, dtype=ranked.dtype), torch.cummin(ranked, 0).values[:-1]])
    return order[ranked < before].flip(0)


def _thinned(savings: Tensor, best: Tensor, most: int) -> Tensor:
    if len(best) <= most:
        return best
    values = savings[best]
    step = (values[-1] - values[0]) / (most - 1)
    bucket = ((values - values[0]) / step).floor()
    first = torch.cat([torch.ones(1, dtype=torch.bool), bucket[1:] != bucket[:-1]])
    first[-1] = True  # what saves most is always there
    return best[first]
