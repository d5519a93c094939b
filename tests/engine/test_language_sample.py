"""The language sample through the engine: what was published of large models holds of the small one, too."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from explorer import data, models
from explorer.engine.blocks import in_blocks
from explorer.engine.evaluator import Evaluator
from explorer.pruning.allocation import PerLayer
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Split


@pytest.mark.slow
@pytest.mark.parametrize("setting", [("weight", 0.5), ("n_of_m:n=2,m=4", 1.0)])
def test_sparsegpt_loses_less_than_wanda_and_wanda_less_than_magnitude(setting: tuple[str, float]) -> None:
    model = models.load("topics-gpt")
    dataset = data.load("topics", model=model)
    evaluator = Evaluator(model, dataset.splits["tune"])
    perplexities = []
    for criterion in ("sparsegpt", "wanda:n_samples=128", "lp_norm"):
        spec = in_blocks(model, PruneSpec(setting[0], criterion, f"uniform:sparsity={setting[1]}"))
        perplexities.append(evaluator.final(plan(model, spec, data=dataset)).metrics["perplexity"].value)
    assert evaluator.dense().metrics["perplexity"].value < perplexities[0] < perplexities[1] < perplexities[2]


def test_a_threshold_moved_in_the_last_block_runs_only_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.load("topics-gpt")
    whole = data.load("topics", model=model).splits["tune"]
    assert whole.y is not None
    evaluator = Evaluator(model, Split("tune", whole.x[:64], whole.y[:64]), threads=1)
    evaluator.dense()
    evaluator.final(plan(model, PruneSpec(allocation=PerLayer(shares=(("blocks.3.mlp.down", 0.3),)))))
    ran: list[tuple[int, int]] = []
    forward = nn.Linear.forward

    def counting(layer: nn.Linear, x: Tensor) -> Tensor:
        ran.append((layer.in_features, layer.out_features))
        return forward(layer, x)

    monkeypatch.setattr(nn.Linear, "forward", counting)
    evaluator.final(plan(model, PruneSpec(allocation=PerLayer(shares=(("blocks.3.mlp.down", 0.4),)))))
    # The layer that changed and the head, of all seventeen; no attention of any block.
    assert set(ran) == {(512, 128), (128, 256)}
    assert len(ran) == 2 * len(evaluator.batches)
