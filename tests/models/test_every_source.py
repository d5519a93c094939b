"""What holds wherever a model comes from: it is measured, scanned, pruned and written as a plain network is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import explorer as ex
from explorer import models
from explorer.analysis.sensitivity.scan import scan
from explorer.export.weights import write_pruned
from explorer.pruning.apply import masked
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.running import output_of
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel
from explorer.types.inputs import as_inputs, call
from tests.models.weights_on_disk import mlp_state

pytestmark = pytest.mark.slow
HALF = PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
Made = tuple[LoadedModel, Any]  # a model, and (inputs, targets) that it takes
N = 12


def images(*shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(N, *shape, generator=generator), torch.arange(N) % 3


def words(vocabulary: int) -> Tensor:
    return torch.randint(3, vocabulary, (N, 32), generator=torch.Generator().manual_seed(3))


def bundled(folder: Path) -> Made:
    return models.load("digits-mlp"), images(1, 8, 8)


def file(folder: Path) -> Made:
    torch.save({"state_dict": {f"model._orig_mod.{k}": v for k, v in mlp_state().items()}}, folder / "w.ckpt")
    return models.load(str(folder / "w.ckpt"), arch="digits-mlp"), images(1, 8, 8)


def whole_module(folder: Path) -> Made:
    module = models.ARCHITECTURES.get("digits-mlp").build()
    torch.save(module, folder / "whole.pt")
    return models.load(str(folder / "whole.pt"), arch="digits-mlp"), images(1, 8, 8)


def scripted(folder: Path) -> Made:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(models.ARCHITECTURES.get("digits-mlp").build()).save(str(folder / "s.pt"))
    return models.load(str(folder / "s.pt"), arch="digits-mlp"), images(1, 8, 8)


def of_timm(folder: Path) -> Made:
    timm: Any = pytest.importorskip("timm")
    save_file(timm.create_model("test_resnet", num_classes=3).state_dict(), folder / "t.safetensors")
    return models.load(str(folder / "t.safetensors"), arch="timm:test_resnet"), images(3, 160, 160)


def pictures_of_transformers(folder: Path) -> Made:
    from tests.models.test_hugging_face import pictures, saved

    saved(pictures, folder / "vit")
    return models.load(str(folder / "vit")), images(3, 16, 16)


def texts_of_transformers(folder: Path) -> Made:
    from tests.models.test_hugging_face import classifier, saved

    saved(classifier, folder / "bert")
    tokens = words(40)
    named = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    return models.load(str(folder / "bert")), (named, torch.arange(N) % 3)


def language_of_transformers(folder: Path) -> Made:
    from tests.models.test_hugging_face import gpt, saved

    saved(gpt, folder / "gpt")
    tokens = words(40)
    return models.load(str(folder / "gpt")), (tokens, tokens.roll(-1, 1))


def of_onnx(folder: Path) -> Made:
    from tests.models.onnx_files import Pictures, exported, pictures

    for package in ("onnx", "onnx2fx", "onnxruntime"):
        pytest.importorskip(package)
    return models.load(exported(Pictures(), pictures(2), folder / "p.onnx")), images(1, 8, 8)


def module(folder: Path) -> Made:
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    return models.load(net, example=torch.zeros(1, 6)), images(6)


SOURCES: dict[str, Callable[[Path], Made]] = {
    make.__name__: make
    for make in (
        *(bundled, file, whole_module, scripted, module, of_timm, of_onnx),
        *(pictures_of_transformers, texts_of_transformers, language_of_transformers),
    )
}


@pytest.fixture(params=SOURCES)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[LoadedModel, Dataset, Any]:
    if request.param.endswith("_transformers"):
        pytest.importorskip("transformers")
    torch.manual_seed(0)
    model, (inputs, targets) = SOURCES[request.param](tmp_path)
    return model, ex.load_data((inputs, targets), model=model), (inputs, targets)


def share_right(module: nn.Module | None, inputs: Any, targets: Tensor) -> float:
    """By plain torch: the share of the targets that the largest output hits."""
    assert module is not None
    with torch.inference_mode():
        outputs: Any = output_of(call(module, as_inputs(inputs)))
    return float((outputs.argmax(-1) == targets).float().mean())


def test_accuracy_dense_and_pruned_is_that_of_plain_torch(made: tuple[LoadedModel, Dataset, Any]) -> None:
    model, data, (inputs, targets) = made
    assert model.module is not None
    dense = ex.evaluate(model, None, data)
    assert dense.accuracy is not None
    assert dense.accuracy.value == pytest.approx(share_right(model.module, inputs, targets))
    pruned = ex.evaluate(model, HALF, data)
    assert pruned.accuracy is not None
    ours = masked(model, plan(model, HALF)).module
    assert pruned.accuracy.value == pytest.approx(share_right(ours, inputs, targets))


def test_one_layer_is_scanned_and_the_model_is_as_it_was(made: tuple[LoadedModel, Dataset, Any]) -> None:
    model, data, _ = made
    before = {name: tensor.clone() for name, tensor in model.weights.items()}
    first = next(iter(layer_table(model).prunable)).name
    cells = [cell for cell in scan(model, data, HALF, layers=[first], levels=(0.5,)) if cell.complete]
    assert len(cells) == 1
    assert all(torch.equal(model.weights[name], tensor) for name, tensor in before.items())


def test_the_written_file_holds_the_kept_weights_and_zeros(
    made: tuple[LoadedModel, Dataset, Any], tmp_path: Path
) -> None:
    model, _, _ = made
    half = plan(model, HALF)
    write_pruned(model, half, tmp_path / "pruned.safetensors")
    written = load_file(tmp_path / "pruned.safetensors")
    turned = set(model.meta.get("transposed", ()))
    for name, mask in half.masks.items():
        weight = model.weights[name].masked_fill(~mask, 0)
        assert torch.equal(written[name], weight.t() if name in turned else weight), name
