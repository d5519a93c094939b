"""Files that are written to be measured: as large as they are counted, and gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import save_file

from explorer import models
from explorer.errors import ExplorerError
from explorer.export.measured_sizes import measure_sizes
from explorer.export.sizes import file_sizes
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Plan


def request(model: str, unit: str, sparsity: str) -> tuple[LoadedModel, Plan]:
    loaded = models.load(model)
    return loaded, make_plan(loaded, PruneSpec(unit, "lp_norm", f"uniform:sparsity={sparsity}"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "unit", "sparsity", "kind"),
    [
        ("digits-cnn", "weight", "0.8", "csr"),
        ("digits-gru", "weight", "0.5", "bitmask"),
        ("digits-mlp", "out_channel", "0.5", "removed"),
        ("digits-resnet", "out_channel", "0.5", "removed"),
        ("digits-resnet", "layer", "0.5", "removed"),
        ("digits-vit", "layer", "0.34", "removed"),
        ("digits-cnn", "n_of_m", "1", "n_of_m"),
    ],
)
def test_every_kind_of_file_is_as_large_as_it_is_counted(
    model: str, unit: str, sparsity: str, kind: str, tmp_path: Path
) -> None:
    loaded, plan = request(model, unit, sparsity)
    found = measure_sizes(loaded, plan, tmp_path)
    assert kind in found
    assert {k: m.value for k, m in found.items()} == {
        k: m.value for k, m in file_sizes(loaded, plan, compress=True).items()
    }


def test_files_of_a_model_in_half_precision_are_written_as_they_are_counted(tmp_path: Path) -> None:
    save_file({name: t.half() for name, t in models.load("digits-mlp").weights.items()}, tmp_path / "half.safetensors")
    loaded = models.load(str(tmp_path / "half.safetensors"), arch="digits-mlp")
    for unit in ("weight", "out_channel"):
        plan = make_plan(loaded, PruneSpec(unit, "lp_norm", "uniform:sparsity=0.5"))  # type: ignore[arg-type]
        counted, written = file_sizes(loaded, plan), measure_sizes(loaded, plan)
        assert {k: written[k].value for k in counted} == {k: m.value for k, m in counted.items()}


def test_the_measured_sizes_say_that_they_were_measured_and_leave_nothing_behind(tmp_path: Path) -> None:
    found = measure_sizes(*request("digits-mlp", "weight", "0.5"), tmp_path)
    assert all((m.origin, m.unit) == ("measured", "bytes") and m.machine and m.date for m in found.values())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    loaded, plan = request("digits-mlp", "weight", "0.5")
    with pytest.raises(ExplorerError, match="Temporary files could not be written. No such file or directory."):
        measure_sizes(loaded, plan, tmp_path / "absent")
