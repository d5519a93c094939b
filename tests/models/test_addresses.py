"""One string names a model; what is not supported says what is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from explorer import models
from explorer.errors import ExplorerError
from tests.every import for_each
from tests.models.weights_on_disk import assert_plain, mlp_state


@for_each(
    "address",
    ["digits", "", "model.tflite", "http://host/w", "a b"],
)
def test_an_address_that_cannot_be_opened_names_those_that_can(address: str) -> None:
    with pytest.raises(ExplorerError, match=r"digits-cnn.*\.safetensors.*factory") as caught:
        models.load(address)
    assert_plain(caught.value)


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    torch.save(mlp_state(), tmp_path / "w.pt")
    assert models.load("~/w.pt", arch="digits-mlp").module is not None


@pytest.fixture
def own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    source = """
import torch
imported = True
def good(width=4):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, width), torch.nn.BatchNorm1d(width))
    net.input_shape, net.mean, net.std = (3, 2, 2), (0.1, 0.2, 0.3), [1.0, 1.0, 1.0]
    return net
def silent(): return torch.nn.Linear(2, 2)
def broken(): raise ValueError("no such thing")
def number(): return 3
def wrong():
    net = torch.nn.Linear(2, 2)
    net.input_shape = (5,)
    return net
"""
    (tmp_path / "my_own_nets.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("my_own_nets", None)
    return "my_own_nets"


def test_a_factory_gives_a_model_that_runs(own_code: str) -> None:
    model = models.load(f"{own_code}:good", arch_args={"width": 7}, trust_code=True)
    assert model.module is not None
    assert not model.module.training
    assert model.n_classes == 7
    assert model.meta["mean"] == [0.1, 0.2, 0.3]
    assert model.example is not None
    assert model.module(model.example).shape == (1, 7)


def test_a_factory_is_not_even_imported_without_trust(own_code: str) -> None:
    with pytest.raises(ExplorerError, match="trust_code=True"):
        models.load(f"{own_code}:good")
    assert own_code not in sys.modules


def test_a_files_weights_go_into_the_module_of_a_factory(own_code: str, tmp_path: Path) -> None:
    state = models.load(f"{own_code}:good", trust_code=True).module.state_dict()  # type: ignore[union-attr]
    state = {name: torch.full_like(t, 2) for name, t in state.items()}
    torch.save(state, tmp_path / "w.pt")
    model = models.load(str(tmp_path / "w.pt"), arch=f"{own_code}:good", trust_code=True)
    assert torch.equal(model.weights["1.weight"], torch.full((4, 12), 2.0))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("silent", "input_shape"),
        ("broken", "no such thing"),
        ("number", "returned a int"),
        ("wrong", "does not run"),
        ("absent", "not found"),
    ],
)
def test_a_factory_that_fails_says_why(own_code: str, name: str, word: str) -> None:
    with pytest.raises(ExplorerError, match=word):
        models.load(f"{own_code}:{name}", trust_code=True)


def test_a_bundled_model_takes_no_other_architecture() -> None:
    with pytest.raises(ExplorerError, match="no other architecture"):
        models.load("digits-cnn", arch="digits-mlp")
    assert models.load("digits-cnn", arch="digits-cnn").address == "digits-cnn"


def test_every_source_says_how_its_addresses_are_written() -> None:
    assert [source.key for source in models.SOURCES] == ["sample", "library", "hf", "file", "factory"]
    assert all(source.form and source.__doc__ for source in models.SOURCES)
