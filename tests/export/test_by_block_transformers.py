"""Folders of transformers pruned block by block: what the paper's loop leaves, opened again by transformers itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import explorer as ex
from explorer.engine.blocks import pruned_blocks
from tests.cli.asked import result

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

WORDS = ["a", "network", "learns", "what", "its", "words", "are", "and", "then", "it", "forgets", "one", "of", "them"]


def folder(path: Path, kind: str) -> Path:
    """A small network of chance with its tokenizer, in bfloat16."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 16, "tie_word_embeddings": True}
    if kind == "gpt2":
        config = transformers.GPT2Config(n_embd=32, n_layer=3, n_head=4, n_positions=64, **sizes)
        network = transformers.GPT2LMHeadModel(config)
    else:
        shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
        config = transformers.LlamaConfig(**shape, num_key_value_heads=2, max_position_embeddings=64, **sizes)
        network = transformers.LlamaForCausalLM(config)
    network.to(torch.bfloat16).save_pretrained(path)
    words = {word: i for i, word in enumerate(sorted(set(WORDS)))} | {"?": 15}
    words_alone = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="?"))
    words_alone.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words_alone, unk_token="?").save_pretrained(path)
    return path


def by_loop(path: Path, tokens: Tensor) -> dict[str, Tensor]:
    """Wanda's half of every row, block after block, in transformers' own network."""
    network: Any = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    blocks = network.model.layers
    seen: dict[str, Tensor] = {}
    for i, block in enumerate(blocks):
        layers = {name: part for name, part in block.named_modules() if isinstance(part, nn.Linear)}
        hooks = [
            part.register_forward_pre_hook(lambda _, args, key=f"model.layers.{i}.{name}": seen.update({key: args[0]}))
            for name, part in layers.items()
        ]
        with torch.no_grad():
            network(tokens)
            for name, part in layers.items():
                x = seen[f"model.layers.{i}.{name}"].double().flatten(0, 1)
                product = part.weight.abs().double() * x.square().sum(dim=0).sqrt()
                part.weight.scatter_(1, product.argsort(dim=1, stable=True)[:, : part.weight.shape[1] // 2], 0)
        for hook in hooks:
            hook.remove()
    return {name: tensor for name, tensor in network.state_dict().items() if ".layers." in name}


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_the_command_writes_a_folder_that_transformers_opens(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, out, text = folder(tmp_path / "in", kind), tmp_path / "out", tmp_path / "text.txt"
    text.write_text(" ".join(WORDS * 60))
    asked = ("--criterion", "wanda", "--sparsity", "0.5", "--data", f"text:{text}", "--splits", "0.5/0.25/0.25")
    answer = result(capsys, "prune", f"hf:{place}", *asked, "-o", str(out))
    assert answer["pruned"] * 2 == answer["weights"]
    assert len(answer["blocks"]) == 3
    old = {name: t for file in place.glob("*.safetensors") for name, t in load_file(file).items()}
    new = {name: t for file in out.glob("*.safetensors") for name, t in load_file(file).items()}
    assert {name: (t.shape, t.dtype) for name, t in new.items()} == {
        name: (t.shape, t.dtype) for name, t in old.items()
    }
    network, loading = transformers.AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not any(loading[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert network.get_output_embeddings().weight is network.get_input_embeddings().weight
    assert transformers.AutoTokenizer.from_pretrained(out).tokenize("a network") == ["a", "network"]
    assert ex.PruneSpec.from_json((out / "spec.json").read_text()).criterion.key == "wanda"
    for name, tensor in new.items():
        kept = tensor != 0
        assert torch.equal(tensor[kept], old[name][kept]), name


def test_it_leaves_what_a_loop_over_the_blocks_of_transformers_leaves(tmp_path: Path) -> None:
    place, text = folder(tmp_path / "in", "llama"), tmp_path / "text.txt"
    text.write_text(" ".join(WORDS * 60))
    model = ex.load(f"hf:{place}")
    data = ex.load_data(f"text:{text}", model=model, splits="0.5/0.25/0.25")
    expected = by_loop(place, data.splits["fit"].x)  # type: ignore[arg-type]
    blocks = list(pruned_blocks(model, ex.PruneSpec("weight", "wanda", "uniform:sparsity=0.5"), data))
    for block in blocks:
        for name, tensor in block.tensors.items():
            assert float((tensor != expected[name]).float().mean()) <= 0.01, name
