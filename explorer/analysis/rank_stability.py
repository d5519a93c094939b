"""How much a ranking depends on the samples that it looked at."""

from __future__ import annotations

import torch

from explorer.analysis.rank_correlation import spearman
from explorer.errors import ExplorerError
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Measurement, Scores


def stability(model: LoadedModel, spec: PruneSpec, data: Dataset | None = None) -> Measurement:
    """Do both halves of the samples rank the units alike? 1: the same order; near 0: chance decides.

    The Spearman rank correlation, over all units of all layers, of the scores by the even and by the odd places
    of the samples that the criterion looks at. With all of them the scores are steadier than that. ``n`` is how
    many samples both halves have; a criterion that looks at none gives 1 and says so in ``note``.

    Raises ExplorerError where the criterion has nothing to look at, or one sample only.
    """
    label = spec.criterion.label
    if not spec.criterion.needs:
        return Measurement(
            "rank_stability", 1.0, "fraction", "counted", n=0, note=f"{label} looks at no data: its ranking is fixed."
        )
    fit = data.splits.get("fit") if data is not None else None
    if fit is not None and len(fit) < 2:
        raise ExplorerError("One sample has no halves.", fix="Give a fit split of two samples or more.")
    halves = [score(model, spec, data, half=half) for half in (0, 1)]
    n = sum(part.n_seen for part in halves)
    note = f"Spearman rank correlation of the scores of two halves of {n:,} samples."
    if not halves[0].values:
        return Measurement("rank_stability", 1.0, "fraction", "counted", n=n, note=f"{label} ranks no unit here.")
    value = spearman(_all(halves[0]), _all(halves[1]))
    return Measurement("rank_stability", value, "fraction", "measured", n=n, note=note)


def _all(scores: Scores) -> torch.Tensor:
    return torch.cat([values.double() for values in scores.values.values()])
