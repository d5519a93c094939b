"""Outputs of the sample models, pruned every way that needs no data, beside torch's own."""

from __future__ import annotations

import pytest
import torch

from explorer import data, models
from explorer.engine.edits import Batch, Edit, Walk
from explorer.engine.evaluator import Evaluator
from explorer.pruning.apply import masked
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score, why_no_units
from explorer.pruning.spec import PruneSpec
from tests.every import for_each

DATA_FREE = [member.key for member in CRITERIA if not member.needs]
N = 96

pytestmark = pytest.mark.usefixtures("one_thread_here")


@pytest.mark.slow
@for_each("name", models.samples())
@for_each("granularity", ["weight", "out_channel"])
def test_outputs_are_torch_s_within_one_in_ten_thousand_under_every_criterion(name: str, granularity: str) -> None:
    model = models.load(name)
    x = data.load(model.data, model=model).splits["tune"].x[:N]  # type: ignore[arg-type]
    split = data.load(model.data, model=model).splits["tune"]  # type: ignore[arg-type]
    ready = Evaluator(model, split).ready
    n_judged = 0
    for criterion in DATA_FREE:
        spec = PruneSpec(granularity, criterion)
        scores = score(model, spec)
        if why_no_units(scores) is not None:
            continue
        for sparsity in (0.3, 0.8):
            shares = {"key": "uniform", "sparsity": sparsity}
            pruned = plan(model, PruneSpec.from_json({**spec.to_json(), "allocation": shares}), scores)
            edit = Edit(ready, pruned.masks, lambda pruned=pruned: pruned.updates)  # type: ignore[misc]
            (found,) = Walk(ready, 0).outputs([Batch(0, x)], [edit])
            with torch.no_grad():
                wanted = masked(model, pruned).module(x.clone())
            assert torch.equal(found[0].argmax(dim=-1), wanted.argmax(dim=-1))
            assert float((found[0] - wanted).abs().max()) <= 1e-4 * float(wanted.abs().max())
            n_judged += 1
    assert n_judged or (name, granularity) == ("digits-gru", "out_channel")  # its one layer gives the classes
