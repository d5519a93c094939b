"""What a file names is not opened by itself: bundled data may be named, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save, save_file

import explorer as ex
from explorer import data, models
from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.export.packed import write_bitmask
from explorer.export.slim import write_slim
from explorer.models.named import BUNDLED_DATA, followed
from explorer.types import LoadedModel
from tests.data.pictures_on_disk import write_classes
from tests.models.weights_on_disk import mlp_state

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def private(tmp_path: Path) -> str:
    """A folder of pictures that a digits-mlp could be evaluated on: two of its ten classes have pictures."""
    classes = {"canary": 2, "secret": 2, **{f"{k} of ten": 0 for k in range(3, 11)}}
    return f"folder:{write_classes(tmp_path / 'private', classes, size=(8, 8))}"


def header(named: Any) -> bytes:
    return save(mlp_state(), {"explorer": json.dumps({"arch": "digits-mlp", "data": named})})


def assert_not_followed(model: LoadedModel, named: str) -> None:
    assert model.data is None
    assert any(f.level == "warn" and named[:40] in f.what and "not opened by itself" in f.what for f in model.findings)
    with pytest.raises(ExplorerError, match="what a file names is not opened by itself"):
        ex.evaluate(model, ex.PruneSpec())


def test_the_data_that_a_file_may_name_are_those_whose_address_has_no_place() -> None:
    assert {source.key for source in data.SOURCES if ":" not in source.form} == set(BUNDLED_DATA)
    assert [followed(name) for name in BUNDLED_DATA] == [(name, {}) for name in BUNDLED_DATA]


def test_nothing_else_that_a_file_names_is_followed() -> None:
    names = [
        "folder:/any",
        "npz:/any/x.npz",
        " digits",
        "digits:/any",
        "DIGITS",
        "no-such",
        "\tfolder:..",
        3,
        ["digits"],
    ]
    for named in names:
        name, left = followed(named)
        assert name is None
        assert list(left) == ["data_not_followed"], named


@pytest.mark.slow
def test_a_header_a_description_and_a_manifest_are_not_followed_to_a_folder_that_is_there(
    tmp_path: Path, private: str
) -> None:
    assert data.load(private, model=models.load("digits-mlp")).classes[-2:] == ("canary", "secret")
    (tmp_path / "header.safetensors").write_bytes(header(private))
    for name in ("beside", "listed"):
        save_file(mlp_state(), tmp_path / f"{name}.safetensors")
    (tmp_path / "beside.spec.json").write_text(json.dumps({"arch": "digits-mlp", "data": private}))
    (tmp_path / "manifest.toml").write_text(f"[listed]\narchitecture = 'digits-mlp'\ndata = '{private}'\n")
    for name in ("header", "beside", "listed"):
        assert_not_followed(models.load(str(tmp_path / f"{name}.safetensors")), private)


@pytest.mark.slow
def test_packed_and_slim_files_are_not_followed(tmp_path: Path, private: str) -> None:
    model = models.load("digits-mlp")
    plan = ex.plan(model, ex.PruneSpec("out_channel", allocation="uniform:sparsity=0.5"))
    write_bitmask(model, plan, tmp_path / "packed.safetensors")
    write_slim(model, plan, tmp_path / "slim.safetensors")
    for name in ("packed", "slim"):
        content = (tmp_path / f"{name}.safetensors").read_bytes()
        length = int.from_bytes(content[:8], "little")
        about = json.loads(content[8 : 8 + length])
        inside = {**json.loads(about["__metadata__"]["explorer"]), "data": private}
        about["__metadata__"]["explorer"] = json.dumps(inside)
        text = json.dumps(about).encode()
        forged = len(text).to_bytes(8, "little") + text + content[8 + length :]
        assert_not_followed(models.open_upload(forged, "w.safetensors"), private)


def test_a_description_beside_that_is_a_link_to_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    save_file(mlp_state(), tmp_path / "folder" / "w.safetensors")
    (tmp_path / "elsewhere.json").write_text(json.dumps({"arch": "digits-mlp"}))
    (tmp_path / "folder" / "w.spec.json").symlink_to(tmp_path / "elsewhere.json")
    assert models.load(str(tmp_path / "folder" / "w.safetensors")).module is None


@pytest.mark.slow
def test_the_command_line_says_what_was_named_and_takes_the_users_word(
    tmp_path: Path, private: str, capsys: Capture
) -> None:
    (tmp_path / "w.safetensors").write_bytes(header(private))
    command = ["evaluate", str(tmp_path / "w.safetensors"), "--sparsity", "0.5", "--json"]
    assert main(command) == 2
    assert "what a file names is not opened by itself. Add --data" in capsys.readouterr().err
    assert main([*command, "--data", private]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["data"]["address"] == private
    assert any("not opened by itself" in finding["what"] for finding in answer["findings"])


@pytest.mark.slow
def test_our_own_export_of_a_model_that_was_evaluated_on_a_folder_opens_again(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", x=np.zeros((20, 1, 8, 8), np.float32), y=np.arange(20) % 10)
    save_file(mlp_state(), tmp_path / "w.safetensors")
    model, out = str(tmp_path / "w.safetensors"), str(tmp_path / "out.safetensors")
    own = ["--data", f"npz:{tmp_path / 'own.npz'}"]
    assert main(["prune", model, "--arch", "digits-mlp", *own, "--sparsity", "0.5", "-o", out]) == 0
    assert models.load(out).module is not None
    assert main(["evaluate", out, *own, "--sparsity", "0.5"]) == 0
