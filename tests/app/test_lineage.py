"""A file that was exported here and is opened again is told against the dense model that it was made from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from safetensors.torch import load_file, save

import explorer as ex
from explorer.export.weights import write_pruned
from explorer.pruning.plan import plan as make_plan
from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-mlp"


def test_a_pruned_file_says_what_it_lost_against_its_parent(visit: Visit, tmp_path: Path) -> None:
    model = ex.load(MODEL)
    spec = ex.PruneSpec(allocation="global:sparsity=0.9")  # type: ignore[arg-type]
    write_pruned(model, make_plan(model, spec), tmp_path / "pruned.safetensors")
    screen = visit().open(model=MODEL)
    screen.preset("90%", "90.0%")
    lost = screen.change.inner_text()
    assert lost.startswith("−")

    screen.upload("pruned.safetensors", (tmp_path / "pruned.safetensors").read_bytes(), MODEL)

    line = screen.page.locator(".st-key-parent_line")
    expect(line).to_contain_text(f"Made from {MODEL}")
    expect(line).to_contain_text(lost)
    expect(line).to_contain_text("90.0% of its weights are zero")


def test_a_parent_that_is_not_here_is_said_to_be_missing(visit: Visit, tmp_path: Path) -> None:
    model = ex.load(MODEL)
    write_pruned(model, make_plan(model, ex.PruneSpec()), tmp_path / "pruned.safetensors")
    tensors = load_file(tmp_path / "pruned.safetensors")
    tensors["fc1.bias"] += 1
    dense = {"address": "/home/somebody/net.pt", "digest": "0123456789abcdef"}
    about = {"arch": MODEL, "data": "digits", "lineage": {"dense": dense, "steps": []}}
    screen = visit().open(model="digits-cnn")

    screen.upload("child.safetensors", save(tensors, {"explorer": json.dumps(about)}), MODEL)

    line = screen.page.locator(".st-key-parent_line")
    expect(line).to_contain_text(re.compile("net.pt .*is not at hand"))
