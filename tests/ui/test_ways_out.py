"""Uploads and links that aim at files of the server: nothing of them reaches the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save
from streamlit.testing.v1 import AppTest

from explorer.recovery.recipe import Recipe
from explorer.recovery.steps import Refresh, Rewind
from explorer.types.files.paths import ROOT_VARIABLE
from explorer.ui.shell import cache
from tests.data.pictures_on_disk import write_classes
from tests.ui.conftest import APP
from tests.ui.pages import VISITOR, Open, html, spoken

SAMPLE = Path(__file__).parents[2] / "sample_models" / "digits-cnn.safetensors"


def aimed_at(folder: Path) -> bytes:
    """Weights whose header names a folder as their data; pruning changes their answers, so pictures would be shown."""
    tensors = load_file(SAMPLE)
    weight, bias = torch.zeros_like(tensors["head.fc.weight"]), torch.zeros_like(tensors["head.fc.bias"])
    weight[0], bias[5] = 0.001, 1e-5
    about = {"arch": "digits-cnn", "data": f"folder:{folder}"}
    return save({**tensors, "head.fc.weight": weight, "head.fc.bias": bias}, {"explorer": json.dumps(about)})


@pytest.mark.parametrize("network", [True, False], ids=["open to the network", "in an allowed folder"])
def test_an_upload_shows_none_of_the_servers_pictures_and_the_page_says_what_it_named(
    visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: bool
) -> None:
    private = write_classes(tmp_path / "private", {f"canary{i}": 5 for i in range(10)}, size=(8, 8))
    if network:
        monkeypatch.setenv(ROOT_VARIABLE, "")
    at = AppTest.from_file(str(APP), default_timeout=300)
    at.session_state["uploads"] = {"0": ("x.safetensors", aimed_at(private))}
    at.query_params["model"] = "upload:0"
    at.run()
    assert not at.exception
    assert not at.error
    assert "Its file names 'folder" in spoken(at)
    assert "not opened by itself" in spoken(at)
    assert "50 images" not in spoken(at)
    assert "canary" not in html(at)
    assert at.session_state["_opened"].dataset.address == "none"


def test_a_link_with_white_space_around_its_path_leads_no_further_than_one_without(
    visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, outside = tmp_path / "allowed", write_classes(tmp_path / "outside", {"a": 6, "b": 6}, size=(8, 8))
    root.mkdir()
    (outside / "secret.safetensors").write_bytes(SAMPLE.read_bytes())
    (root / "link").symlink_to(outside)
    monkeypatch.chdir(root)
    for query in (
        {"model": f" {outside}/secret.safetensors", "arch": "digits-cnn"},
        {"model": "\t../outside/secret.safetensors", "arch": "digits-cnn"},
        {"model": "digits-cnn", "data": "folder:link "},
        {"model": "digits-cnn", "data": "folder:.. "},
        {"model": "digits-cnn", "data": f"npz:\u2003{outside}/secret.safetensors"},
    ):
        monkeypatch.setenv(ROOT_VARIABLE, str(root))
        at = visit(**query)
        assert [error.value for error in at.error], query
        assert "outside the folder that the server allows" in at.error[0].value, query


def test_a_replayed_recipe_that_names_a_file_is_refused(visit: Open) -> None:
    recipe = Recipe((Rewind(file="/any/first.pt"), Refresh())).to_json()
    at = visit("recover", model="digits-mlp")
    at.file_uploader(key="recipe_file").set_value(("r.json", json.dumps(recipe).encode(), "application/json")).run()
    at = at.button(key="recipe_replay").click().run()
    assert "The recipe names a file of first weights" in at.error[0].value
    assert not any("recover" in job.title for job in cache.jobs().of(VISITOR))
