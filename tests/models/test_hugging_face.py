"""Folders in the layout of transformers: they answer as its own networks do, or are refused with the reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer import models
from explorer.errors import ExplorerError
from explorer.export.weights import write_pruned
from explorer.metrics.macs import mac_table
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel
from explorer.types.inputs import call
from tests.cli.asked import result
from tests.models.weights_on_disk import assert_plain

transformers: Any = pytest.importorskip("transformers")
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
TEXT = {**SMALL, "vocab_size": 40, "max_position_embeddings": 32}
PICTURES = {**SMALL, "image_size": 16, "patch_size": 8, "num_labels": 4}
GPT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 40, "n_positions": 32, "bos_token_id": 1}


def gpt() -> nn.Module:
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT, eos_token_id=2))  # type: ignore[no-any-return]


def classifier() -> nn.Module:
    names = {0: "good", 1: "bad", 2: "neither"}
    config = transformers.BertConfig(**TEXT, id2label=names, label2id={v: k for k, v in names.items()})
    return transformers.BertForSequenceClassification(config)  # type: ignore[no-any-return]


def encoder() -> nn.Module:
    return transformers.BertModel(transformers.BertConfig(**TEXT))  # type: ignore[no-any-return]


def pictures() -> nn.Module:
    return transformers.ViTForImageClassification(transformers.ViTConfig(**PICTURES))  # type: ignore[no-any-return]


def saved(build: Callable[[], nn.Module], folder: Path, **options: object) -> nn.Module:
    torch.manual_seed(0)
    module: Any = build().eval()
    module.save_pretrained(folder, **options)
    return module  # type: ignore[no-any-return]


def answers(model: LoadedModel) -> Any:
    assert model.module is not None
    assert model.example is not None
    with torch.no_grad():
        return call(model.module, model.example)


def refusal(folder: Path | str, **options: Any) -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        models.load(str(folder), **options)
    assert_plain(caught.value)
    return caught.value


@pytest.mark.slow
def test_language_models_and_classifiers_answer_as_in_transformers(tmp_path: Path) -> None:
    kinds: dict[str, tuple[Callable[[], nn.Module], str | None]] = {
        "causal": (gpt, "tokens"),
        "text": (classifier, None),
        "pictures": (pictures, None),
    }
    for name, (build, task) in kinds.items():
        module = saved(build, tmp_path / name)
        model = models.load(str(tmp_path / name))
        assert model.example is not None
        with torch.no_grad():
            expected = call(module, model.example).logits
        assert torch.allclose(answers(model).logits, expected, atol=1e-6), name
        assert model.meta.get("task") == task
        assert model.n_parameters == sum(p.numel() for p in module.parameters())
    assert models.load(str(tmp_path / "text")).meta["classes"] == ["good", "bad", "neither"]


def test_a_sentence_encoder_pools_as_its_folder_says(tmp_path: Path) -> None:
    module = saved(encoder, tmp_path)
    kinds = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    parts = [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in kinds]
    (tmp_path / "modules.json").write_text(json.dumps(parts))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    model = models.load(str(tmp_path))
    tokens = torch.randint(3, 40, (2, 6))
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    assert model.module is not None
    with torch.no_grad():
        vectors = module(input_ids=tokens, attention_mask=mask).last_hidden_state
        ours = model.module(input_ids=tokens, attention_mask=mask)
    means = torch.stack([vectors[0].mean(0), vectors[1, :3].mean(0)])
    assert torch.allclose(ours, means / means.norm(dim=1, keepdim=True), atol=1e-6)


def test_shards_are_read_as_one_model_and_a_lost_one_is_named(tmp_path: Path) -> None:
    module = saved(gpt, tmp_path, max_shard_size="20KB")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    model = models.load(f"hf:{tmp_path}")
    with torch.no_grad():
        assert torch.allclose(answers(model).logits, module(model.example).logits, atol=1e-6)
    shards[-1].unlink()
    assert shards[-1].name in str(refusal(tmp_path))


def test_a_folder_opens_only_where_every_weight_fits(tmp_path: Path) -> None:
    saved(classifier, tmp_path)
    whole = load_file(tmp_path / "model.safetensors")
    cases: dict[str, tuple[dict[str, Tensor], str]] = {
        "missing": ({k: v for k, v in whole.items() if k != "classifier.weight"}, "Missing: classifier.weight."),
        "too many": ({**whole, "classifier.more": torch.ones(2)}, "Not expected: classifier.more."),
        "shape": ({**whole, "classifier.weight": torch.ones(5, 16)}, "Other shape: classifier.weight."),
    }
    for state, why in cases.values():
        save_file(state, tmp_path / "model.safetensors")
        assert refusal(tmp_path).why == why
    save_file({f"module.{name}": tensor for name, tensor in whole.items()}, tmp_path / "model.safetensors")
    assert "The prefix 'module.' was removed from every name." in models.load(str(tmp_path)).repairs


def test_weights_of_gpt2_have_outputs_in_their_rows_here_and_in_files_as_it_stores_them(tmp_path: Path) -> None:
    module: Any = saved(gpt, tmp_path / "gpt")
    model = models.load(str(tmp_path / "gpt"))
    layer = layer_table(model)["transformer.h.0.mlp.c_fc"]
    assert (layer.kind, layer.shape) == ("Linear", (64, 16))
    assert mac_table(model).of(layer.parameter) == 32 * 16 * 64  # tokens x inputs x outputs
    pruned = plan(model, PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5"))
    write_pruned(model, pruned, tmp_path / "pruned.safetensors")
    written = load_file(tmp_path / "pruned.safetensors")
    weight = module.state_dict()["transformer.h.0.mlp.c_fc.weight"]
    smallest = weight.abs() <= weight.abs().flatten().kthvalue(weight.numel() // 2).values
    assert torch.equal(written["transformer.h.0.mlp.c_fc.weight"], weight.masked_fill(smallest, 0))
    shutil.copytree(tmp_path / "gpt", tmp_path / "again")
    shutil.copy(tmp_path / "pruned.safetensors", tmp_path / "again" / "model.safetensors")
    again = models.load(str(tmp_path / "again"))
    assert torch.equal(again.weights[layer.parameter] != 0, pruned.masks[layer.parameter])


def test_hostile_folders_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    saved(classifier, tmp_path / "a")
    about = json.loads((tmp_path / "a" / "config.json").read_text())
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "endless": ({**about, "num_hidden_layers": 10**9}, "num_hidden_layers is 1,000,000,000"),
        "huge": ({**about, "hidden_size": 2**20, "intermediate_size": 2**22}, "its files hold"),
        "own code": ({"model_type": "mine", "auto_map": {"AutoModel": "evil.Model"}}, "which is not run"),
        "quantized": ({**about, "quantization_config": {"bits": 4}}, "no plain numbers"),
        "foreign class": ({**about, "architectures": ["os.system"]}, "Not expected: "),
    }
    (tmp_path / "a" / "evil.py").write_text(f"open({str(tmp_path / 'marker')!r}, 'w')")
    for config, words in cases.values():
        (tmp_path / "a" / "config.json").write_text(json.dumps(config))
        assert words in str(refusal(tmp_path / "a"))
    assert not (tmp_path / "marker").exists()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    saved(classifier, tmp_path / "a")
    shutil.move(tmp_path / "a" / "model.safetensors", tmp_path / "elsewhere.safetensors")
    (tmp_path / "a" / "model.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    assert "leads out of its folder" in str(refusal(tmp_path / "a"))


def test_an_id_opens_from_where_it_was_downloaded_to_and_is_not_fetched_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert refusal("hf:some/where").what == "hf:some/where is not on this machine."
    assert "--allow-download" in refusal("hf:some/where").fix
    place = tmp_path / "models--some--where"
    commit = "0" * 40
    saved(classifier, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    assert models.load("hf:some/where").n_classes == 3
    assert "is not the id of a model" in str(refusal("hf:../etc/passwd"))


def test_a_folder_is_the_model_of_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(pictures, tmp_path / "vit")
    about = result(capsys, "inspect", str(tmp_path / "vit"))
    assert about["model"]["address"] == str(tmp_path / "vit")
    flags = ("--data", "none", "--sparsity", "0.5", "--allocation", "uniform")
    evaluated = result(capsys, "evaluate", str(tmp_path / "vit"), *flags)
    model = models.load(str(tmp_path / "vit"))
    assert evaluated["model"]["digest"] == model.digest
    assert refusal(tmp_path / "vit", arch="digits-cnn").what.endswith("brings its own architecture.")
