"""Every size that is shown is that of the file that export writes, and every packed file opens again, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from explorer import models
from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.export.packed import KINDS, packed_file
from explorer.export.sizes import file_sizes
from explorer.export.slim import write_slim
from explorer.export.weights import pruned_file, pruned_tensors
from explorer.models.packed import Layout, pack, unpacked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, tensors_digest
from tests.every import for_each
from tests.export.made import header_of
from tests.models.weights_on_disk import assert_plain

SPECS = {
    "weights": PruneSpec("weight", "lp_norm", "global:sparsity=0.8"),  # type: ignore[arg-type]
    "channels": PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"),  # type: ignore[arg-type]
    "pattern": PruneSpec("n_of_m", "lp_norm", "global:sparsity=1.0"),  # type: ignore[arg-type]
    "nothing": PruneSpec(),
}
CASES = [
    ("digits-cnn", "weights"),
    ("digits-cnn", "channels"),
    ("digits-cnn", "pattern"),
    ("digits-cnn", "nothing"),
    ("digits-mlp", "channels"),
    ("digits-resnet", "channels"),
    ("digits-gru", "weights"),
    ("digits-vit", "channels"),
]


def written(model: LoadedModel, spec: PruneSpec) -> dict[str, bytes]:
    """Every kind of file that this plan has."""
    ours = plan(model, spec)
    files = {"dense_file": pruned_file(model, ours)}
    for kind in KINDS:
        try:
            files[kind] = packed_file(model, ours, kind)
        except ExplorerError:
            continue
    return files


@for_each("case", CASES)
def test_every_size_is_that_of_the_file_and_every_file_comes_back_bit_for_bit(case: tuple[str, str]) -> None:
    name, spec = case
    model = models.load(name)
    ours, files = plan(model, SPECS[spec]), written(model, SPECS[spec])
    assert {kind: len(content) for kind, content in files.items()} == {
        kind: m.value for kind, m in file_sizes(model, ours).items()
    }
    pruned = tensors_digest(pruned_tensors(model, ours))
    for kind in files.keys() & set(KINDS):
        again, tied = unpacked(load(files[kind]), header_of(files[kind]), "it", 2**30)
        assert (tensors_digest(again), tied) == (pruned, {}), kind


@pytest.mark.slow
def test_each_kind_opens_as_the_pruned_model_and_runs() -> None:
    model = models.load("digits-cnn")
    for spec, kinds in (("pattern", ("n_of_m", "csr")), ("channels", ("removed",))):
        ours = plan(model, SPECS[spec])
        for kind in kinds:
            again = models.open_upload(packed_file(model, ours, kind), f"{kind}.safetensors")
            assert again.module is not None
            state = again.module.state_dict()
            assert all(torch.equal(state[name], tensor) for name, tensor in pruned_tensors(model, ours).items())


def test_the_file_on_disk_is_as_long_as_the_size_that_evaluate_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ("digits-gru", "--granularity", "hidden_unit", "--allocation", "uniform", "--sparsity", "0.5")
    assert main(["evaluate", *request, "--no-keep", "--json"]) == 0
    sizes = json.loads(capsys.readouterr().out)["sizes"]
    for form, kind in (("weights", "dense_file"), ("csr", "csr"), ("bitmask", "bitmask"), ("removed", "removed")):
        out = tmp_path / f"{form}.safetensors"
        assert main(["export", *request, "--to", form, "-o", str(out)]) == 0
        assert out.stat().st_size == sizes[kind], form


def test_a_kind_that_a_plan_has_not_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form, words in (("n_of_m", "These weights have no n:m pattern."), ("removed", "Nothing of these weights is")):
        out = str(tmp_path / "a.safetensors")
        assert main(["export", "digits-mlp", "--sparsity", "0.5", "--to", form, "-o", out]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.slow
def test_a_packed_slim_model_still_runs(tmp_path: Path) -> None:
    model = models.load("digits-mlp")
    slim = models.load(str(write_slim(model, plan(model, SPECS["channels"]), tmp_path / "a.safetensors").weights))
    ours = plan(slim, SPECS["weights"])
    content = packed_file(slim, ours, "csr")
    assert len(content) == file_sizes(slim, ours)["csr"].value
    again = models.open_upload(content, "csr.safetensors")
    assert again.meta["arch"] == "slim"
    assert tensors_digest(again.weights) == tensors_digest(
        {n: t for n, t in pruned_tensors(slim, ours).items() if n in again.weights}
    )


@for_each("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_the_parts_are_those_of_the_description_by_hand(dtype: torch.dtype) -> None:
    tensor = torch.tensor([[1.0, 0.0, 0.0, 2.0], [0.0, 3.0, 4.0, 0.0]]).to(dtype)
    mask = tensor.float() != 0
    csr = pack("csr", tensor, mask, Layout((2, 4)))
    assert [csr[name].tolist() for name in ("columns", "rows")] == [[0, 3, 1, 2], [0, 2, 4]]
    of_four = pack("n_of_m", tensor, mask, Layout((2, 4), (2, 4)))
    # Places 0, 3, 1, 2 in two bits each, the lowest first.
    assert of_four["indices"].tolist() == [0 + 3 * 4 + 1 * 16 + 2 * 64]
    rows = torch.tensor([[True, True, False, True], [False, False, False, False]])
    units = pack("removed", torch.ones(2, 4).to(dtype), rows, Layout((2, 4)))
    # Row 0 of two, then columns 0, 1 and 3 of four.
    assert units["units"].tolist() == [1 + 4 + 8 + 32]
    assert units["values"].shape == (1, 3)
    assert {parts["values"].dtype for parts in (csr, of_four, units)} == {dtype}
    assert csr["values"].float().tolist() == of_four["values"].float().tolist() == [1, 2, 3, 4]


def test_groups_along_the_input_channels_of_a_kernel_come_back() -> None:
    torch.manual_seed(0)
    mask = torch.tensor([True, False, False, True])[None, :, None, None].expand(3, 4, 2, 2)
    tensor = torch.randn(3, 4, 2, 2).masked_fill(~mask, 0)
    layout = Layout((3, 4, 2, 2), (2, 4), along_inputs=True)
    parts = {f"w.{name}": t for name, t in pack("n_of_m", tensor, mask, layout).items()}
    about = {"kind": "n_of_m", "version": 1, "packed": {"w": [3, 4, 2, 2]}, "pattern": [2, 4], "along_inputs": ["w"]}
    again, _ = unpacked(parts, about, "it", 2**20)
    assert torch.equal(again["w"], tensor)


def _whole(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.int32)


def _byte(*numbers: int) -> Tensor:
    return torch.tensor(numbers, dtype=torch.uint8)


GOOD: dict[str, dict[str, Tensor]] = {
    "csr": {"w.values": torch.ones(3), "w.columns": _whole(0, 2, 1), "w.rows": _whole(0, 2, 3)},
    "n_of_m": {"w.values": torch.ones(4), "w.indices": _byte(0b10011100)},
    "removed": {"w.values": torch.ones(1, 3), "w.units": _byte(0b101101)},
}
ABOUT: dict[str, dict[str, Any]] = {
    "csr": {"packed": {"w": [2, 3]}},
    "n_of_m": {"packed": {"w": [2, 4]}, "pattern": [2, 4]},
    "removed": {"packed": {"w": [2, 4]}},
}
BAD: list[tuple[str, dict[str, Tensor | None], dict[str, Any]]] = [
    ("csr", {"w.rows": _whole(0, 3, 2)}, {}),
    ("csr", {"w.rows": _whole(1, 2, 3)}, {}),
    ("csr", {"w.rows": _whole(0, 3)}, {}),
    ("csr", {"w.rows": torch.tensor([0.0, 2.0, 3.0])}, {}),
    ("csr", {"w.columns": _whole(0, 0, 1)}, {}),
    ("csr", {"w.columns": _whole(0, 3, 1)}, {}),
    ("csr", {"w.columns": _whole(0, -1, 1)}, {}),
    ("csr", {"w.columns": None}, {}),
    ("csr", {"w": torch.ones(2, 3)}, {}),
    ("csr", {}, {"packed": {"w": [2**40, 2**40]}}),
    ("csr", {}, {"packed": {"w": [-2, -3]}}),
    ("csr", {}, {"packed": {"w": "2 x 3"}}),
    ("csr", {}, {"packed": ["w"]}),
    ("csr", {}, {"version": 2}),
    ("csr", {}, {"tied": {"v": "u"}}),
    ("n_of_m", {"w.indices": _byte(0)}, {}),
    ("n_of_m", {"w.indices": _byte(1, 2)}, {}),
    ("n_of_m", {"w.values": torch.ones(3)}, {}),
    ("n_of_m", {}, {"pattern": [4, 2]}),
    ("n_of_m", {}, {"pattern": [0, 0]}),
    ("n_of_m", {}, {"pattern": "2:4"}),
    ("n_of_m", {}, {"packed": {"w": [2, 3]}}),
    ("removed", {"w.units": _byte(0b111111)}, {}),
    ("removed", {"w.units": _byte(0b11101101)}, {}),
    ("removed", {"w.units": _byte(1, 1)}, {}),
    ("removed", {"w.values": torch.ones(3)}, {}),
]


def _back(tensors: dict[str, Tensor], about: dict[str, Any]) -> dict[str, Tensor]:
    return unpacked(tensors, about, "packed.safetensors", 2**20)[0]


def test_parts_that_do_not_fit_together_are_refused_and_those_that_do_come_back() -> None:
    for kind, parts in GOOD.items():
        about = {"kind": kind, "version": 1, **ABOUT[kind]}
        assert list(_back(parts, about)["w"].shape) == ABOUT[kind]["packed"]["w"]
    for kind, changed, claims in BAD:
        tensors = {name: t for name, t in {**GOOD[kind], **changed}.items() if t is not None}
        with pytest.raises(ExplorerError) as caught:
            _back(tensors, {"kind": kind, "version": 1, **ABOUT[kind], **claims})
        assert_plain(caught.value)


def test_a_file_that_claims_more_than_it_may_is_refused_by_the_reader() -> None:
    about = {"kind": "csr", "version": 1, "packed": {"w": [2**20, 2**20]}}
    content = save(GOOD["csr"], metadata={"explorer": json.dumps(about)})
    with pytest.raises(ExplorerError) as caught:
        models.open_upload(content, "packed.safetensors")
    assert_plain(caught.value)
