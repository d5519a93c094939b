"""Uploads and links that aim at files of the server, in a real browser: nothing of them reaches the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, expect
from safetensors.torch import load_file, save

from tests.app.screen import Screen
from tests.app.server import running_app
from tests.data.pictures_on_disk import write_classes

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[2] / "sample_models" / "digits-cnn.safetensors"


def aimed_at(folder: Path) -> bytes:
    """Weights whose header names a folder as their data; pruning changes their answers, so pictures would be shown."""
    tensors = load_file(SAMPLE)
    weight, bias = torch.zeros_like(tensors["head.fc.weight"]), torch.zeros_like(tensors["head.fc.bias"])
    weight[0], bias[5] = 0.001, 1e-5
    about = {"arch": "digits-cnn", "data": f"folder:{folder}"}
    return save({**tensors, "head.fc.weight": weight, "head.fc.bias": bias}, {"explorer": json.dumps(about)})


def test_an_upload_shows_none_of_the_servers_pictures_and_the_page_says_what_it_named(
    chromium: Browser, tmp_path: Path
) -> None:
    private = write_classes(tmp_path / "private", {f"canary{i}": 5 for i in range(10)}, size=(8, 8))
    with running_app(tmp_path / "app", network=True) as address:
        screen = Screen(chromium.new_page(), address)
        screen.open(model="digits-mlp").upload("x.safetensors", aimed_at(private))
        named = screen.page.get_by_text(re.compile(r"Its file names .folder:.*not opened by itself"))
        expect(named).to_be_visible()
        expect(screen.facts.nth(0)).to_contain_text("Agreement with dense")
        expect(screen.page.get_by_role("button", name="50 images")).to_have_count(0)
        screen.preset("80%", "80.0%")
        assert screen.page.locator("img[src^='data:image/png']").count() == 0
        assert "canary" not in screen.page.inner_text("body")
        screen.page.close()


def test_a_link_with_white_space_around_its_path_leads_no_further_than_one_without(
    chromium: Browser, tmp_path: Path
) -> None:
    root, outside = tmp_path / "root", write_classes(tmp_path / "outside", {"a": 6, "b": 6}, size=(8, 8))
    root.mkdir()
    (outside / "secret.safetensors").write_bytes(SAMPLE.read_bytes())
    (root / "link").symlink_to(outside)
    with running_app(tmp_path / "app", root=root) as address:
        screen = Screen(chromium.new_page(), address)
        for query in (
            f"model=%20{outside}/secret.safetensors&arch=digits-cnn",
            "model=%09../outside/secret.safetensors&arch=digits-cnn",
            f"model=digits-cnn&data=folder:{root}/link%20",
            f"model=digits-cnn&data=folder:%20{outside}",
            f"model=digits-cnn&data=npz:%E2%80%83{outside}/secret.safetensors",
        ):
            screen.page.goto(f"{address}/?{query}")
            expect(screen.page.get_by_role("alert")).to_contain_text("outside the folder that the server allows")
        screen.page.close()
