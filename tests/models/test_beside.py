"""Descriptions beside a file of weights: bounded, plain data; what goes beyond is not used and that is said."""

from __future__ import annotations

import json
import time
from pathlib import Path

from safetensors.torch import save_file

from explorer import models
from explorer.models.beside import MAX_BYTES, MAX_DEPTH, description
from tests.models.weights_on_disk import mlp_state

GOOD = {"arch": "digits-mlp"}


def nested(depth: int) -> str:
    return '{"arch": "digits-mlp", "spec": ' + "[" * depth + "]" * depth + "}"


def test_a_description_that_cannot_be_used_is_not_used_and_a_sentence_says_why(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    cases: list[tuple[str, str | bytes, str]] = [
        ("w.spec.json", json.dumps({**GOOD, "note": "x" * MAX_BYTES}), "larger than 1 MiB"),
        ("w.spec.json", nested(MAX_DEPTH), "nested more than 32 deep"),
        ("w.spec.json", nested(100_000), "cannot be read"),
        ("w.spec.json", "[" * 500_000, "cannot be read"),
        ("w.spec.json", '{"n": 1' + "0" * 5000 + "}", "cannot be read"),
        ("w.spec.json", "[1]", "holds no object"),
        ("w.spec.json", b"\xff\xfe{", "cannot be read"),
        ("manifest.toml", "[w]\narchitecture = ", "cannot be read"),
        ("manifest.toml", "n = 1" + "0" * 5000, "cannot be read"),
        ("manifest.toml", "n = " + "[" * 100_000, "cannot be read"),
        ("manifest.toml", "[w]\nn = " + "[" * 40 + "]" * 40, "nested more than 32 deep"),
        ("manifest.toml", "# " + "x" * MAX_BYTES, "larger than 1 MiB"),
    ]
    for name, content, why in cases:
        beside = tmp_path / name
        beside.write_bytes(content if isinstance(content, bytes) else content.encode())
        began = time.monotonic()
        hint, note = description(path)
        beside.unlink()

        assert not hint, name
        assert note.startswith(f"The description beside it, {name}, was not used. ")
        assert why in note
        assert time.monotonic() - began < 10


def test_the_model_is_shown_without_it_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(mlp_state(), path)
    (tmp_path / "w.spec.json").write_text(nested(MAX_DEPTH))
    model = models.load(str(path))
    assert model.module is None
    assert any("w.spec.json, was not used" in finding.what for finding in model.findings)


def test_a_description_within_the_bounds_is_used(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(mlp_state(), path)
    (tmp_path / "w.spec.json").write_text(nested(MAX_DEPTH - 2))
    model = models.load(str(path))
    assert model.meta["arch"] == "digits-mlp"
    assert not model.findings


def test_a_manifest_that_is_of_other_files_is_not_mentioned(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("[other]\narchitecture = 'digits-cnn'\n")
    assert description(tmp_path / "w.safetensors") == ({}, "")
