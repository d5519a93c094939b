"""An exported file is complete, verified and faithful, or it is absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer import models
from explorer.errors import ExplorerError
from explorer.export import weights as weights_module
from explorer.export.weights import write_pruned
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, tensors_digest

ROOT = Path(__file__).resolve().parents[2]
HALF = PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5")


class Tied(nn.Module):
    """Two names for one matrix, a batch norm with statistics, a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(6, 4)
        self.norm = nn.BatchNorm1d(4)
        self.out = nn.Linear(4, 6)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        """(n,) words -> (n, 6)."""
        out: Tensor = self.out(self.norm(self.embed(x)))
        return out


def loaded(module: nn.Module, **more: Any) -> LoadedModel:
    tensors = {name: p.detach() for name, p in module.eval().named_parameters()}
    return LoadedModel("hand", module, tensors, tensors_digest(tensors), **more)


def from_file(tensors: dict[str, Tensor], **more: Any) -> LoadedModel:
    return LoadedModel("hand", None, tensors, tensors_digest(tensors), why_not_runnable="No architecture.", **more)


def same_bits(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(
        one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8)
    )


def test_exactly_the_masked_weights_are_zero_and_nothing_else_changed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))
    model = loaded(module)
    request = plan(model, HALF)
    write_pruned(model, request, tmp_path / "out.safetensors")
    stored = load_file(tmp_path / "out.safetensors")
    assert set(stored) == set(module.state_dict())
    for name, tensor in module.state_dict().items():
        mask = request.masks.get(name, torch.ones_like(tensor, dtype=torch.bool))
        assert same_bits(stored[name], torch.where(mask, tensor, torch.zeros_like(tensor))), name
    assert sum(int((stored[n] == 0).sum()) for n in ("0.weight", "3.weight")) == request.n_pruned == 42


def test_the_file_loads_strictly_into_the_architecture(tmp_path: Path) -> None:
    module = Tied()
    write_pruned(loaded(module), plan(loaded(module), HALF), tmp_path / "out.safetensors")
    again = Tied()
    assert again.load_state_dict(load_file(tmp_path / "out.safetensors"), strict=True)
    assert again.out.weight is again.embed.weight
    assert int((again.embed.weight == 0).sum()) == 12


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.uint8])
def test_without_pruning_every_bit_comes_out_as_it_went_in(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        "w": torch.arange(-6, 6).reshape(3, 4).to(dtype),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
        "empty": torch.zeros(0, 3, dtype=dtype),
        "scalar": torch.tensor(3).to(dtype),
        "turned": torch.arange(6.0).reshape(2, 3).T,
    }
    model = from_file(tensors)
    write_pruned(model, plan(model, PruneSpec()), tmp_path / "out.safetensors")
    stored = load_file(tmp_path / "out.safetensors")
    assert set(stored) == set(tensors)
    assert all(same_bits(stored[name], tensors[name].contiguous()) for name in tensors)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_what_was_computed_as_float32_goes_back_to_the_type_of_its_file(tmp_path: Path, dtype: torch.dtype) -> None:
    stored_weight = torch.randn(8, 4).to(dtype)
    module = nn.Linear(4, 8)
    module.weight.data.copy_(stored_weight.float())
    model = loaded(module, meta={"dtypes": {"weight": str(dtype).removeprefix("torch.")}})
    write_pruned(model, plan(model, PruneSpec()), tmp_path / "out.safetensors")
    stored = load_file(tmp_path / "out.safetensors")
    assert same_bits(stored["weight"], stored_weight)
    assert stored["bias"].dtype == torch.float32


def test_tied_weights_of_a_bare_file_keep_both_names(tmp_path: Path) -> None:
    model = from_file({"a.weight": torch.arange(1.0, 5.0).reshape(2, 2)}, meta={"tied": {"b.weight": "a.weight"}})
    write_pruned(model, plan(model, HALF), tmp_path / "out.safetensors")
    stored = load_file(tmp_path / "out.safetensors")
    assert stored["a.weight"].tolist() == stored["b.weight"].tolist() == [[0, 0], [3, 4]]


def test_the_file_and_its_neighbour_say_what_was_done(tmp_path: Path) -> None:
    meta = {"arch": "digits-cnn", "arch_args": {"width": 8}}
    model = loaded(nn.Linear(4, 2), data="digits", meta=meta)
    written = write_pruned(model, plan(model, HALF), tmp_path / "out.safetensors")
    with safe_open(written.weights, framework="pt") as file:
        inside = json.loads(file.metadata()["explorer"])
    beside = json.loads((tmp_path / "out.spec.json").read_text())
    assert beside == {**inside, "weights": tensors_digest(load_file(written.weights))}
    assert (inside["arch"], inside["arch_args"], inside["data"]) == ("digits-cnn", {"width": 8}, "digits")
    assert inside["source"] == {"address": "hand", "digest": model.digest}
    assert PruneSpec.from_json(inside["spec"]) == HALF
    assert written.n_bytes == written.weights.stat().st_size


def test_the_model_in_memory_is_not_written_to(tmp_path: Path) -> None:
    model = loaded(nn.Linear(40, 20))
    before = tensors_digest(model.weights)
    write_pruned(model, plan(model, HALF), tmp_path / "out.safetensors")
    assert tensors_digest(model.weights) == before


def test_a_file_that_is_there_is_not_replaced_without_force(tmp_path: Path) -> None:
    model = loaded(nn.Linear(4, 2))
    (tmp_path / "out.safetensors").write_text("mine")
    with pytest.raises(ExplorerError, match="is there already.*--force"):
        write_pruned(model, plan(model, HALF), tmp_path / "out.safetensors")
    assert (tmp_path / "out.safetensors").read_text() == "mine"
    write_pruned(model, plan(model, HALF), tmp_path / "out.safetensors", force=True)
    assert set(load_file(tmp_path / "out.safetensors")) == {"weight", "bias"}


def test_the_models_own_file_is_never_replaced(tmp_path: Path) -> None:
    source = tmp_path / "in.safetensors"
    source.write_text("mine")
    (tmp_path / "link.safetensors").symlink_to(source)
    weights = {"w": torch.ones(2, 2)}
    model = LoadedModel(str(source), None, weights, "d", why_not_runnable="No architecture.")
    for name in ("in", "link"):
        with pytest.raises(ExplorerError, match="own file"):
            write_pruned(model, plan(model, HALF), tmp_path / f"{name}.safetensors", force=True)
    assert source.read_text() == "mine"


@pytest.mark.parametrize("name", ["out.pt", "out", "absent/out.safetensors"])
def test_a_name_that_does_not_work_is_refused_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    model = loaded(nn.Linear(4, 2))
    with pytest.raises(ExplorerError) as caught:
        write_pruned(model, plan(model, HALF), tmp_path / name)
    assert caught.value.fix
    assert os.listdir(tmp_path) == []


def test_a_file_that_reads_back_differently_is_not_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        changed = {name: tensor + 1 for name, tensor in tensors.items()}
        real(changed, path, metadata=metadata)

    real = weights_module.save_file
    monkeypatch.setattr(weights_module, "save_file", damaged)
    model = loaded(nn.Linear(4, 2))
    with pytest.raises(ExplorerError, match="not what was written"):
        write_pruned(model, plan(model, HALF), tmp_path / "out.safetensors")
    assert os.listdir(tmp_path) == []


def test_the_weights_take_their_place_after_the_request_that_belongs_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, placed, replace = loaded(nn.Linear(4, 2)), [], os.replace
    monkeypatch.setattr("os.replace", lambda old, new: (placed.append(Path(new)), replace(old, new)))
    write_pruned(model, plan(model, PruneSpec()), tmp_path / "out.safetensors")
    assert [path.name for path in placed if path.parent == tmp_path] == ["out.spec.json", "out.safetensors"]


def test_weights_and_a_request_of_two_writings_are_not_taken_for_a_pair(tmp_path: Path) -> None:
    model = loaded(nn.Linear(4, 2), data="digits")
    tensors = {}
    for name, spec in (("old", HALF), ("new", PruneSpec())):
        out = write_pruned(model, plan(model, spec), tmp_path / f"{name}.safetensors").weights
        # As another program saves them, without what the file says of itself.
        tensors[name] = load_file(out)
        save_file(tensors[name], out)
        assert models.load(str(out)).data == "digits"
    # What a kill between the two leaves: the new request beside the old weights.
    save_file(tensors["old"], tmp_path / "new.safetensors")
    opened = models.load(str(tmp_path / "new.safetensors"))
    assert (opened.data, opened.meta.get("spec")) == (None, None)
    assert any("of other weights" in finding.what for finding in opened.findings)


def test_a_full_disk_leaves_the_old_files_and_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    code = """
        import resource, sys, torch
        from explorer.errors import ExplorerError
        from explorer.export.weights import write_pruned
        from explorer.pruning.plan import plan
        from explorer.pruning.spec import PruneSpec
        from explorer.types import LoadedModel
        def write(n):
            model = LoadedModel("hand", None, {"w": torch.ones(n, n)}, "d", why_not_runnable="No architecture.")
            write_pruned(model, plan(model, PruneSpec()), sys.argv[1], force=True)
        write(8)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            write(200)
        except ExplorerError as error:
            sys.exit(str(error))
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(code), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{out} could not be written. ")
    assert load_file(out)["w"].shape == (8, 8)
    assert sorted(os.listdir(tmp_path)) == ["out.safetensors", "out.spec.json"]
