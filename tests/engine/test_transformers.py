"""Networks of the library transformers, with random weights, against a plain loop over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.pruning.apply import masked_weights, private_shell, set_parameters
from explorer.types import Inputs, InputSet, Split
from explorer.types.inputs import call
from tests.engine import models
from tests.every import for_each

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread_here")]

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}


def made(task: str, kind: str, **settings: Any) -> nn.Module:
    torch.manual_seed(2)
    config = getattr(transformers, f"{kind}Config")(**settings)
    return getattr(transformers, f"{kind}{task}")(config).eval()


TEXT: dict[str, Callable[[], nn.Module]] = {
    "bert": lambda: made("ForSequenceClassification", "Bert", vocab_size=50, **SIZES),
    "roberta": lambda: made("ForSequenceClassification", "Roberta", vocab_size=50, **SIZES),
    "distilbert": lambda: made(
        "ForSequenceClassification", "DistilBert", vocab_size=50, dim=32, n_layers=3, n_heads=4, hidden_dim=64
    ),
    "albert": lambda: made("ForSequenceClassification", "Albert", vocab_size=50, embedding_size=16, **SIZES),
    "gpt2": lambda: made("LMHeadModel", "GPT2", vocab_size=50, n_embd=32, n_layer=3, n_head=4),
    "llama": lambda: made("ForCausalLM", "Llama", vocab_size=50, num_key_value_heads=2, **SIZES),
}
PICTURES: dict[str, Callable[[], nn.Module]] = {
    "vit": lambda: made("ForImageClassification", "ViT", image_size=16, patch_size=4, **SIZES),
    "resnet": lambda: made(
        "ForImageClassification", "ResNet", embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
    ),
}


def samples(name: str, n: int) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    if name in PICTURES:
        return InputSet(named={"pixel_values": torch.randn(n, 3, 16, 16, generator=generator)})
    ids = torch.randint(3, 50, (n, 9), generator=generator)
    lengths = torch.randint(3, 10, (n, 1), generator=generator)
    return InputSet(named={"input_ids": ids, "attention_mask": (torch.arange(9) < lengths).long()})


@for_each("name", [*TEXT, *PICTURES])
def test_it_is_taken_apart_and_counts_what_the_plain_module_counts(name: str) -> None:
    module = {**TEXT, **PICTURES}[name]()
    x = samples(name, 90)
    model = ex.load(module, example=dict(x.named) if isinstance(x, InputSet) else x)
    assert model.module is not None
    evaluator = Evaluator(model, Split("tune", x, None))
    assert evaluator.path.startswith("prefix cache"), evaluator.path
    matrices = [key for key, weight in model.weights.items() if weight.dim() > 1]
    for key in [None, matrices[-1], matrices[len(matrices) // 2], matrices[0]]:
        plan = models.plan(model, 0.6, only=key)
        evaluation = evaluator.final(plan)
        shell = private_shell(model.module)
        set_parameters(shell, masked_weights(model, plan))
        with torch.no_grad():
            logits: Tensor = torch.cat([call(shell, x[part]).logits for part in evaluator.batches])
        assert torch.equal(evaluation.predictions, logits.argmax(dim=-1)), key
