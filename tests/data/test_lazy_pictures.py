"""Many pictures: decoded when they are asked for, within a bound, to the numbers of those decoded at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import explorer as ex
from explorer.data import folder as folders
from explorer.data import lazy_pictures
from explorer.data.lazy_pictures import LazyPictures
from explorer.engine.evaluator import Evaluator
from explorer.types import Dataset, LoadedModel

N, EDGE = 90, 16
HALF = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("many")
    generator = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (place / name).mkdir()
        for i in range(N):
            pixels = generator.integers(0, 256, (EDGE, EDGE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / name / f"{i}.png")
    return place


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and bounds of some pictures, so that all of it happens with few."""
    monkeypatch.setattr(folders, "LAZY_BYTES", 1000)
    monkeypatch.setattr(lazy_pictures, "FIRST", 16)
    monkeypatch.setattr(lazy_pictures, "CHUNK", 50)


def network() -> LoadedModel:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 3)).eval()
    return ex.load(net, example=torch.zeros(1, 3, EDGE, EDGE), mean=(0.5,), std=(0.25,))


def load(root: Path) -> Dataset:
    return ex.load_data(f"folder:{root}", model=network(), splits="0.3/0.5/0.2")


def shelf_of(data: Dataset) -> lazy_pictures.Shelf:
    x = data.splits["tune"].x
    assert isinstance(x, LazyPictures)
    return x._shelf


def test_nothing_is_decoded_before_it_is_asked_for(root: Path, small: None) -> None:
    data = load(root)
    assert shelf_of(data).n_decoded == 0
    assert data.splits["tune"].x[:1].shape == (1, 3, EDGE, EDGE)
    assert shelf_of(data).n_decoded <= 16 + 2 * 50  # the first ones, and the next two chunks meanwhile
    assert any("decoded when they are needed" in finding.what for finding in data.findings)


def test_lazy_pictures_are_those_that_are_decoded_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = load(root)
    monkeypatch.setattr(folders, "LAZY_BYTES", 1000)
    lazy = load(root)
    for name, split in at_once.splits.items():
        x = lazy.splits[name].x
        assert torch.equal(lazy.splits[name].y, split.y)  # type: ignore[arg-type]
        assert torch.equal(x[:], split.x)  # type: ignore[arg-type]
        which = torch.tensor([5, 0, 17])
        assert torch.equal(x[which], split.x[which])
    one, other = (ex.evaluate(network(), HALF, data) for data in (at_once, lazy))
    assert one.to_json()["metrics"]["drop"]["value"] == other.to_json()["metrics"]["drop"]["value"]
    assert one.evaluation is not None
    assert other.evaluation is not None
    assert torch.equal(one.evaluation.predictions, other.evaluation.predictions)


def test_no_more_stays_in_memory_than_the_bound(root: Path, small: None) -> None:
    data = load(root)
    shelf = shelf_of(data)
    one = 3 * EDGE * EDGE
    shelf.limit = 70 * one
    evaluator = Evaluator(network(), data.splits["tune"], batch_size=32)
    first, second = (
        evaluator.final(),
        evaluator.final(ex.plan(network(), ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5"))),
    )
    assert (first.n, second.n) == (135, 135)
    chunks = data.splits["tune"].x._chunks  # type: ignore[union-attr]
    assert sum(pixels.numel() for pixels in chunks._kept.values()) == (16 + 50) * one
    assert shelf._held <= shelf.limit
    assert len(chunks._passing) <= 6
    assert 135 <= shelf.n_decoded <= 2 * 135


def test_scans_and_criteria_that_look_at_data_take_lazy_pictures(root: Path, small: None) -> None:
    data = load(root)
    cells = list(ex.scan(network(), data, ex.PruneSpec("weight", "taylor"), levels=(0.5,), n_samples=40))
    assert {cell.n for cell in cells if cell.complete} == {40}
    assert shelf_of(data).n_decoded < 3 * N


def test_equal_files_have_equal_digests_and_a_changed_one_another(root: Path, small: None, tmp_path: Path) -> None:
    before = load(root)
    assert load(root).digest == before.digest
    place = root / "a" / "0.png"
    content = place.read_bytes()
    try:
        place.write_bytes(content[:-1] + b"\0")
        assert load(root).digest != before.digest
    finally:
        place.write_bytes(content)
    assert load(root).digest == before.digest


def test_a_damaged_picture_is_named_when_its_turn_comes(root: Path, small: None) -> None:
    place = root / "c" / "3.png"
    content = place.read_bytes()
    try:
        place.write_bytes(b"no picture")
        data = load(root)
        assert len(data.classes) == 3
        with pytest.raises(ex.ExplorerError, match=r"c/3.png.*cannot be read"):
            _ = [Evaluator(network(), split).final() for split in data.splits.values()]
    finally:
        place.write_bytes(content)
