"""The memory of a served language model: weights as files are counted, keys and values as transformers keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from explorer import models
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.quantized_size import quantized_sizes
from explorer.recovery.serving import cache_values, serving


def test_the_cache_of_the_sample_is_counted_by_hand_and_shrinks_with_heads_alone() -> None:
    """Four blocks, keys and values of 128 numbers: 1,024 a token; half of the heads are half of it, zeros are not."""
    model = models.load("topics-gpt")
    dense, zeros = plan(model, PruneSpec()), plan(model, PruneSpec("weight", "lp_norm", "uniform:sparsity=0.5"))
    assert cache_values(model, dense) == (1024, "")
    assert cache_values(model, zeros) == (1024, "Zeros make it no smaller.")
    heads = plan(model, PruneSpec("head", "lp_norm", "uniform:sparsity=0.5"))
    assert cache_values(model, heads)[0] == 512
    rows = {row.bits: row for row in serving(model, zeros, batch=8, context=4096, cache_bits=16)}
    assert {row.cache.value for row in rows.values()} == {8 * 4096 * 1024 * 2}
    assert rows[32].dense.value == 4 * model.n_parameters
    assert rows[32].smallest.value == min(size.value for size in file_sizes(model, zeros).values())
    assert rows[4].dense.value == quantized_sizes(model, zeros, 4)["int8"].value


def test_grouped_keys_and_values_are_counted_as_transformers_keeps_them(tmp_path: Path) -> None:
    """By hand, too: two layers, keys and values, one head of eight numbers for all four heads of queries."""
    transformers: Any = pytest.importorskip("transformers")
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 40}
    config = transformers.LlamaConfig(**sizes, num_attention_heads=4, num_key_value_heads=1, max_position_embeddings=64)
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    model = models.load(str(tmp_path))
    assert cache_values(model, plan(model, PruneSpec())) == (2 * 2 * 8, "")


def test_what_keeps_nothing_from_token_to_token_is_refused() -> None:
    model = models.load("digits-vit")
    with pytest.raises(ExplorerError, match="keeps no keys and values"):
        serving(model, plan(model, PruneSpec()))
    gpt = models.load("topics-gpt")
    with pytest.raises(ExplorerError, match="no such cache"):
        serving(gpt, plan(gpt, PruneSpec()), context=0)
