"""Weights in every usual wrapping open, run as they should, and say what was mended."""

from __future__ import annotations

import collections
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.utils import prune

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.pruning.layers import layer_table
from explorer.types import tensors_digest
from tests.models.weights_on_disk import CIFAR, RESNET20, WHY_SKIPPED, assert_plain, mlp_state

State = dict[str, Tensor]


def expected_logits(state: State) -> tuple[Tensor, Tensor]:
    module = models.ARCHITECTURES.get("digits-mlp").build().eval()
    module.load_state_dict(state)
    x = torch.randn(5, 1, 8, 8)
    with torch.no_grad():
        return x, module(x)


WRAPPINGS: dict[str, tuple[Callable[[State], Any], str]] = {
    "bare": (dict, ""),
    "ordered": (collections.OrderedDict, ""),
    "state_dict": (lambda s: {"epoch": 3, "state_dict": s}, "'state_dict'"),
    "model": (lambda s: {"model": s, "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}}, "'model'"),
    "model_state_dict": (lambda s: {"model_state_dict": s}, "'model_state_dict'"),
    "two levels": (lambda s: {"model": {"state_dict": s}}, "'state_dict'"),
    "module.": (lambda s: {f"module.{k}": v for k, v in s.items()}, "'module.'"),
    "_orig_mod.": (lambda s: {f"_orig_mod.{k}": v for k, v in s.items()}, "'_orig_mod.'"),
    "both prefixes": (lambda s: {f"_orig_mod.module.{k}": v for k, v in s.items()}, "'module.'"),
    "lightning": (lambda s: {"state_dict": {f"net.{k}": v for k, v in s.items()}}, "'net.'"),
    "parameters": (lambda s: {k: torch.nn.Parameter(v) for k, v in s.items()}, ""),
}


@pytest.mark.parametrize(
    ("name", "legacy"), [*((name, False) for name in WRAPPINGS), ("bare", True), ("both prefixes", True)]
)
def test_a_checkpoint_in_any_usual_wrapping_runs_and_says_what_was_mended(
    name: str, legacy: bool, tmp_path: Path
) -> None:
    state = mlp_state()
    wrap, said = WRAPPINGS[name]
    torch.save(wrap(state), tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
    model = models.load(str(tmp_path / "w.pth"), arch="digits-mlp")
    x, logits = expected_logits(state)
    assert model.module is not None
    with torch.no_grad():
        assert torch.equal(model.module(x), logits)
    assert said in " ".join(model.repairs)
    assert ("PyTorch 1.6" in " ".join(model.repairs)) == legacy
    assert model.digest == tensors_digest(state)


def test_the_same_weights_have_the_same_digest_in_every_format(tmp_path: Path) -> None:
    state = mlp_state()
    torch.save(state, tmp_path / "a.pt")
    save_file(state, tmp_path / "b.safetensors")
    a, b = (models.load(str(tmp_path / n), arch="digits-mlp") for n in ("a.pt", "b.safetensors"))
    assert a.digest == b.digest
    assert a.repairs == b.repairs == ()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_computed_as_float32_and_the_screen_can_say_so(dtype: torch.dtype, tmp_path: Path) -> None:
    state = {k: v.to(dtype) for k, v in mlp_state().items()}
    save_file(state, tmp_path / "w.safetensors")
    model = models.load(str(tmp_path / "w.safetensors"), arch="digits-mlp")
    word = str(dtype).removeprefix("torch.")
    assert f"Stored as {word}; computed as float32." in model.repairs
    assert {t.dtype for t in model.weights.values()} == {torch.float32}
    assert model.digest == tensors_digest(state)
    assert model.meta["dtypes"] == dict.fromkeys(state, word)
    for name, tensor in model.weights.items():
        assert torch.equal(tensor.to(dtype), state[name])


def test_a_model_is_in_eval_mode_without_gradients_and_not_pickled(tmp_path: Path) -> None:
    torch.save(mlp_state(), tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"), arch="digits-mlp")
    assert model.module is not None
    assert not model.module.training
    assert not any(p.requires_grad or p.is_meta for p in model.module.parameters())
    assert model.example is not None
    assert model.example.shape == (1, 1, 8, 8)


def refusal(path: Path, arch: str | None = "digits-mlp") -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        models.load(str(path), arch=arch)
    assert_plain(caught.value)
    return caught.value


def test_missing_keys_are_listed_and_nothing_runs(tmp_path: Path) -> None:
    state = mlp_state()
    del state["fc2.weight"]
    torch.save(state, tmp_path / "w.pt")
    assert "Missing: fc2.weight" in refusal(tmp_path / "w.pt").why


def test_unexpected_keys_are_listed(tmp_path: Path) -> None:
    torch.save({**mlp_state(), "fc9.weight": torch.ones(2, 2)}, tmp_path / "w.pt")
    assert "Not expected: fc9.weight" in refusal(tmp_path / "w.pt").why


def test_mis_shaped_keys_are_listed_with_both_shapes(tmp_path: Path) -> None:
    torch.save({**mlp_state(), "fc1.weight": torch.ones(64, 256)}, tmp_path / "w.pt")
    assert "Other shape: fc1.weight is 64 x 256 instead of 256 x 64" in refusal(tmp_path / "w.pt").why


def test_whole_numbers_where_weights_should_be_are_refused(tmp_path: Path) -> None:
    torch.save({**mlp_state(), "fc1.weight": torch.ones(256, 64, dtype=torch.int8)}, tmp_path / "w.pt")
    assert "256 x 64 (int8)" in refusal(tmp_path / "w.pt").why


def test_the_refusal_names_the_architecture_that_fits(tmp_path: Path) -> None:
    torch.save(mlp_state(), tmp_path / "w.pt")
    assert refusal(tmp_path / "w.pt", "digits-cnn").fix == "It fits digits-mlp."


def test_arguments_of_the_architecture_make_another_width_fit(tmp_path: Path) -> None:
    torch.save(models.ARCHITECTURES.get("digits-cnn:width=4").build().state_dict(), tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"), arch="digits-cnn", arch_args={"width": 4})
    assert model.meta["arch_args"] == {"width": 4, "n_classes": 10}


@pytest.mark.parametrize("arch", [None, "digits-cnn"])
def test_a_file_that_says_its_own_width_opens_with_it_also_where_its_architecture_is_named(
    arch: str | None, tmp_path: Path
) -> None:
    state = models.ARCHITECTURES.get("digits-cnn:width=4").build().state_dict()
    about = json.dumps({"arch": "digits-cnn", "arch_args": {"width": 4}})
    save_file(state, tmp_path / "w.safetensors", metadata={"explorer": about})
    assert models.load(str(tmp_path / "w.safetensors"), arch=arch).meta["arch_args"]["width"] == 4
    with pytest.raises(ExplorerError, match="Other shape"):
        models.load(str(tmp_path / "w.safetensors"), arch="digits-cnn", arch_args={"width": 5})


def test_absent_step_counters_of_batch_norms_are_innocent(tmp_path: Path) -> None:
    state = models.ARCHITECTURES.get("digits-cnn").build().state_dict()
    torch.save({k: v for k, v in state.items() if "num_batches" not in k}, tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"), arch="digits-cnn")
    assert model.module is not None
    assert "4 step counters" in " ".join(model.repairs)


def test_without_an_architecture_the_weights_are_shown_and_the_reason_is_given(tmp_path: Path) -> None:
    state = mlp_state()
    torch.save(state, tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"))
    assert model.module is None
    assert model.example is None
    assert "digits-mlp: choose that" in (model.why_not_runnable or "")
    assert list(model.weights) == list(state)
    assert all(torch.equal(model.weights[k], state[k]) for k in state)


def test_odd_tensors_open_and_are_named(tmp_path: Path) -> None:
    shared = torch.randn(4, 4)
    odd = {
        "nan": torch.tensor([1.0, float("nan"), float("inf")]),
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(2.5),
        "bool": torch.tensor([True, False]),
        "complex": torch.ones(2, dtype=torch.complex64),
        "float8": torch.ones(2).to(torch.float8_e4m3fn),
        "meta": torch.empty(2, device="meta"),
        "a": shared,
        "b": shared,
        "<img src=x onerror=alert(1)>\x1b[31m": torch.ones(2),
    }
    torch.save(odd, tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"))
    said = " ".join(f.what + f.evidence for f in model.findings)
    assert "nan holds NaN or infinite numbers.2 of 3" in said
    assert "empty is empty" in said
    assert "Left out, because they hold no plain numbers: meta" in said
    assert "Tied weights, counted once: b" in said
    assert "\x1b" not in said
    assert set(model.weights) == set(odd) - {"meta", "b", "bool"}
    assert torch.equal(model.buffers["bool"], odd["bool"])  # no parameter is of this type
    assert model.meta["tied"] == {"b": "a"}
    for name in ("scalar", "complex", "a"):
        assert model.weights[name].dtype == odd[name].dtype
        assert torch.equal(model.weights[name], odd[name])
    assert torch.equal(model.weights["float8"], torch.ones(2))  # opened as float32, which every page can compare


def test_masks_of_pruning_are_multiplied_into_their_weights_and_that_is_said(tmp_path: Path) -> None:
    net = copy.deepcopy(models.load("digits-mlp").module)
    assert net is not None
    for layer in (net.fc1, net.fc2):
        prune.l1_unstructured(layer, "weight", 0.5)
    torch.save(net.state_dict(), tmp_path / "masked.pth")
    expected = {"fc1": net.fc1.weight, "fc2": net.fc2.weight}  # torch's own product
    for arch in (None, "digits-mlp"):
        model = models.load(str(tmp_path / "masked.pth"), arch=arch)
        assert layer_table(model).n_prunable == 50_432
        assert sum(int((t == 0).sum()) for t in model.weights.values() if t.dim() == 2) == 24_576
        assert all(torch.equal(model.weights[f"{name}.weight"], t) for name, t in expected.items())
        assert any("Pruning masks" in repair for repair in model.repairs)


def test_nan_weights_open_with_a_failing_finding(tmp_path: Path) -> None:
    state = mlp_state()
    state["fc1.weight"][0, 0] = float("nan")
    torch.save(state, tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"), arch="digits-mlp")
    assert [(f.level, f.layer) for f in model.findings] == [("fail", "fc1")]


def test_a_file_of_many_tensors_opens(tmp_path: Path) -> None:
    save_file({f"t{i}": torch.ones(1) for i in range(20_000)}, tmp_path / "w.safetensors")
    assert len(models.load(str(tmp_path / "w.safetensors")).weights) == 20_000


def test_a_safetensors_file_whose_first_byte_looks_like_a_web_page_opens(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    for n in range(300):
        save_file({"w": torch.ones(2)}, path, metadata={"pad": "x" * n})
        if path.read_bytes()[:1] == b"<":
            break
    else:
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        padded = content[8 : 8 + length] + b" " * ((0x3C - length) % 256)
        path.write_bytes(len(padded).to_bytes(8, "little") + padded + content[8 + length :])
    assert path.read_bytes()[:1] == b"<"
    assert torch.equal(models.load(str(path)).weights["w"], torch.ones(2))


def test_a_pruned_file_says_itself_what_it_is(tmp_path: Path) -> None:
    about = {"arch": "digits-mlp", "arch_args": {"hidden1": 256}, "data": "digits", "spec": {"seed": 1}}
    save_file(mlp_state(), tmp_path / "w.safetensors", metadata={"explorer": json.dumps(about)})
    model = models.load(str(tmp_path / "w.safetensors"))
    assert model.module is not None
    assert (model.data, model.meta["spec"]) == ("digits", {"seed": 1})


@pytest.mark.parametrize("beside", ["w.spec.json", "w.safetensors.spec.json"])
def test_a_description_beside_the_file_names_the_architecture(beside: str, tmp_path: Path) -> None:
    save_file(mlp_state(), tmp_path / "w.safetensors")
    (tmp_path / beside).write_text(json.dumps({"arch": "digits-mlp"}))
    assert models.load(str(tmp_path / "w.safetensors")).meta["arch"] == "digits-mlp"


def test_a_manifest_beside_the_file_names_the_architecture(tmp_path: Path) -> None:
    save_file(mlp_state(), tmp_path / "w.safetensors")
    (tmp_path / "manifest.toml").write_text('[w]\narchitecture = "digits-mlp"\ndata = "digits"\n')
    model = models.load(str(tmp_path / "w.safetensors"))
    assert (model.meta["arch"], model.data) == ("digits-mlp", "digits")


@pytest.mark.parametrize("text", ["{", "[]", '{"arch": "no-such"}', '{"arch": "digits-mlp", "arch_args": 3}'])
def test_a_damaged_description_is_passed_over(text: str, tmp_path: Path) -> None:
    save_file(mlp_state(), tmp_path / "w.safetensors")
    (tmp_path / "w.spec.json").write_text(text)
    model = models.load(str(tmp_path / "w.safetensors"))
    assert model.module is None
    assert "digits-mlp: choose that" in (model.why_not_runnable or "")


@pytest.mark.skipif(not RESNET20.exists(), reason=WHY_SKIPPED)
def test_the_resnet20_from_the_wild_is_right_1627_times_in_2000() -> None:
    model = models.load(str(RESNET20), arch="cifar-resnet20")
    found = data.load(
        f"folder:{CIFAR}", model=model, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), size=32
    ).splits["tune"]
    assert model.module is not None
    assert found.y is not None
    with torch.no_grad():
        predicted = torch.cat([model.module(x).argmax(1) for x in found.x.split(500)])
    assert int((predicted == found.y).sum()) == 1627
    said = " ".join(model.repairs)
    assert all(word in said for word in ("'state_dict'", "'module.'", "PyTorch 1.6", "cuda:0", "19 step counters"))


@pytest.mark.skipif(not RESNET20.exists(), reason=WHY_SKIPPED)
def test_the_same_file_uploaded_is_the_same_model() -> None:
    by_path = models.load(str(RESNET20), arch="cifar-resnet20")
    uploaded = models.open_upload(RESNET20.read_bytes(), "../../../evil<b>.th", arch="cifar-resnet20")
    assert uploaded.digest == by_path.digest
    assert uploaded.address == "upload:evil<b>.th"


@pytest.mark.skipif(not RESNET20.exists(), reason=WHY_SKIPPED)
def test_the_architecture_brings_its_normalisation_when_none_is_given() -> None:
    model = models.load(str(RESNET20), arch="cifar-resnet20")
    stated = data.load(f"folder:{CIFAR}", mean="0.485,0.456,0.406", std="0.229,0.224,0.225", size=32)
    assert data.load(f"folder:{CIFAR}", model=model).digest == stated.digest
