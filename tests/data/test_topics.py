"""The bundled text: bytes of real documentation, and splits that share nothing."""

from __future__ import annotations

import pytest
import torch

from explorer import data
from explorer.data.topics import FILE
from explorer.errors import ExplorerError


def test_every_target_is_the_byte_that_follows_in_the_text() -> None:
    text = FILE.read_bytes()
    for split in data.load("topics").splits.values():
        assert split.y is not None
        assert torch.equal(split.x[:, 1:], split.y[:, :-1])
        for i in range(0, len(split), 97):
            assert bytes([*split.x[i].tolist(), int(split.y[i, -1])]) in text


def test_no_window_shares_text_with_a_window_of_another_split() -> None:
    splits = data.load("topics").splits
    read = {name: {bytes(row.tolist()) for row in split.x} for name, split in splits.items()}
    assert not read["fit"] & read["tune"]
    assert not read["fit"] & read["test"]
    assert not read["tune"] & read["test"]
    # 129 bytes a window, each of the text in one window at most.
    assert 129 * sum(len(split) for split in splits.values()) <= len(FILE.read_bytes())


def test_its_text_may_be_shipped_and_is_small() -> None:
    assert len(FILE.read_bytes()) < 700_000
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in FILE.with_suffix(".LICENSE.txt").read_text()


@pytest.mark.parametrize("asked", [{"splits": "0.5/0.25/0.25"}, {"task": "classes"}, {"size": 8}])
def test_what_is_fixed_is_refused_in_words(asked: dict[str, object]) -> None:
    with pytest.raises(ExplorerError):
        data.load("topics", **asked)  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="no address of data|not an address"):
        data.load("topics:x")
