"""Packed weights come back bit for bit, and take the room that was counted for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from explorer import models
from explorer.errors import ExplorerError
from explorer.export.packed import bitmask_file, write_bitmask
from explorer.export.slim import write_slim
from explorer.export.weights import pruned_tensors
from explorer.metrics.size import sizes
from explorer.models.bitmask import pack, unpacked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, tensors_digest
from tests.every import for_each
from tests.export.made import CHANNELS, cut_in_half, header_of
from tests.models.weights_on_disk import assert_plain

MOST = PruneSpec("weight", "lp_norm", "global:sparsity=0.8")


@for_each("name", models.samples())
@for_each("form", ["weights", "units"])
def test_every_sample_comes_back_bit_for_bit_and_in_the_counted_size(name: str, form: str) -> None:
    model = models.load(name)
    ours = plan(model, MOST) if form == "weights" else cut_in_half(model)
    content = bitmask_file(model, ours)
    about = header_of(content)
    again, tied = unpacked(load(content), about, "it", 2**30)
    again = dict(again) | {alias: again[first] for alias, first in tied.items()}
    assert tensors_digest(again) == tensors_digest(pruned_tensors(model, ours))
    assert tied == ({"head.weight": "embed.weight"} if name == "topics-gpt" else {})
    # Without what the file says of itself it is the very file that was counted.
    assert len(save(load(content))) == sizes(model, ours)["bitmask"].value


def test_the_file_opens_as_the_pruned_model_and_runs(tmp_path: Path) -> None:
    model = models.load("digits-cnn")
    ours = plan(model, MOST)
    n_bytes = write_bitmask(model, ours, tmp_path / "packed.safetensors")
    assert n_bytes == (tmp_path / "packed.safetensors").stat().st_size < sizes(model, ours)["dense_file"].value / 2
    again = models.load(str(tmp_path / "packed.safetensors"))
    assert again.module is not None
    assert again.data == "digits"
    assert all(torch.equal(again.weights[n], t) for n, t in pruned_tensors(model, ours).items() if n in again.weights)


@pytest.mark.slow
def test_a_slim_model_can_be_packed_and_still_runs(tmp_path: Path) -> None:
    model = models.load("digits-mlp")
    slim = models.load(str(write_slim(model, plan(model, CHANNELS), tmp_path / "a.safetensors").weights))
    ours = plan(slim, MOST)
    write_bitmask(slim, ours, tmp_path / "b.safetensors")
    again = models.load(str(tmp_path / "b.safetensors"))
    assert again.module is not None
    assert again.meta["arch"] == "slim"
    assert tensors_digest(again.weights) == tensors_digest(
        {n: t for n, t in pruned_tensors(slim, ours).items() if n in again.weights}
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_odd_numbers_of_every_type_keep_their_bits(dtype: torch.dtype) -> None:
    tensor = torch.tensor([[1.5, float("nan"), -0.0], [0.0, -2.0, 0.25]]).to(dtype)
    mask = torch.tensor([[True, True, True], [False, False, True]])
    parts = {f"w.{name}": t for name, t in pack(tensor, mask).items()}
    again, _ = unpacked(parts, {"version": 1, "packed": ["w"]}, "it", 2**30)
    bits = again["w"].view(torch.uint8).reshape(2, 3, -1)
    assert torch.equal(bits[mask], tensor.view(torch.uint8).reshape(2, 3, -1)[mask])
    assert not bits[~mask].any()


def test_tied_weights_are_stored_once() -> None:
    tensors = {"a.weight": torch.arange(1.0, 5.0).reshape(2, 2)}
    model = LoadedModel(
        "hand", None, tensors, tensors_digest(tensors), why_not_runnable="No.", meta={"tied": {"b.weight": "a.weight"}}
    )
    content = bitmask_file(model, plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.5")))
    assert sorted(load(content)) == ["a.weight.bits", "a.weight.shape", "a.weight.values"]
    again = models.open_upload(content, "tied.safetensors")
    assert again.weights["a.weight"].tolist() == [[0, 0], [3, 4]]
    assert again.meta["tied"] == {"b.weight": "a.weight"}


GOOD: dict[str, Any] = {
    "w.values": torch.ones(3),
    "w.bits": torch.tensor([0b00000111], dtype=torch.uint8),
    "w.shape": torch.tensor([2, 4], dtype=torch.int32),
}


@for_each(
    "changed",
    [
        {"w.shape": torch.tensor([2**30, 2**30], dtype=torch.int32)},
        {"w.shape": torch.tensor([-2, -4], dtype=torch.int32)},
        {"w.shape": torch.tensor([2, 5], dtype=torch.int32)},
        {"w.shape": torch.tensor([2], dtype=torch.int32)},
        {"w.shape": torch.tensor([2.0, 4.0])},
        {"w.values": torch.ones(4)},
        {"w.values": torch.ones(2)},
        {"w.values": torch.ones(3, 1)},
        {"w.bits": torch.tensor([7, 0], dtype=torch.uint8)},
        {"w.bits": None},
        {"w": torch.ones(2, 4)},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changed: dict[str, Tensor | None]) -> None:
    tensors = {name: t for name, t in {**GOOD, **changed}.items() if t is not None}
    with pytest.raises(ExplorerError) as caught:
        unpacked(tensors, {"kind": "bitmask", "version": 1, "packed": ["w"]}, "It", 2**30)
    assert_plain(caught.value)


def test_an_upload_whose_parts_do_not_fit_together_is_refused() -> None:
    about = {"kind": "bitmask", "version": 1, "packed": ["w"]}
    content = save({**GOOD, "w.values": torch.ones(2)}, metadata={"explorer": json.dumps(about)})
    with pytest.raises(ExplorerError, match="do not fit together") as caught:
        models.open_upload(content, "packed.safetensors")
    assert_plain(caught.value)
