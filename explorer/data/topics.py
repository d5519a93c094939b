"""The bundled text: Python's documentation topics, byte by byte, no download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from explorer.data.request import DataRequest, refuse_task
from explorer.data.splitting import counts, tensors
from explorer.errors import ExplorerError
from explorer.types import Dataset, Split, SplitName, tensors_digest

FILE = Path(__file__).resolve().parents[2] / "sample_models" / "topics.txt"
LENGTH = 128
# Fixed for ever, as those of the digits: the bundled model has read the fit split.
SEED = 20160808
_PASSAGE = 32  # windows that stay together, about 4 kB of text
_SHARES: dict[SplitName, float] = {"fit": 0.6, "tune": 0.2, "test": 0.2}


@dataclass(frozen=True)
class Topics:
    """Windows of 128 bytes and the bytes that follow them; passages of 4 kB are in one split, and none overlap.

    Repeated paragraphs were left out of the text, so that no split holds what another one holds.
    Source: the documentation topics of Python 3.11 (PSF-2.0).
    """

    key: ClassVar[str] = "topics"
    form: ClassVar[str] = "topics"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, 128) int64 bytes, y: (n, 128) the byte that follows each."""
        refuse_task(request, but="tokens", what="Each byte is followed by one.")
        if request.place:
            raise ExplorerError(f"{request.address!r} is not an address of data.", fix="Write topics, without a colon.")
        if request.splits is not None or request.size is not None:
            raise ExplorerError(
                "The topics take no splits and no size.",
                why="They are fixed, so that the bundled model stays comparable.",
                fix="Leave them out; text:FILE takes a text of your own.",
            )
        splits = split_text(FILE.read_bytes())
        return Dataset(
            address=request.address,
            splits={str(name): split for name, split in splits.items()},
            classes=(),
            digest=tensors_digest(tensors({str(name): split for name, split in splits.items()})),
            meta={
                "task": "tokens",
                "tokens": "bytes",
                "length": LENGTH,
                "seed": SEED,
                "n": counts({str(name): split for name, split in splits.items()}),
                "licence": "PSF-2.0",
            },
        )


def split_text(text: bytes) -> dict[SplitName, Split]:
    """Passages dealt to the splits in a fixed order, and each split's windows shuffled."""
    # A window has one byte more than it is long: its last target.
    windows = torch.frombuffer(bytearray(text), dtype=torch.uint8).long().unfold(0, LENGTH + 1, LENGTH + 1)
    generator = torch.Generator().manual_seed(SEED)
    passages = torch.split(torch.arange(len(windows)), _PASSAGE)
    order = torch.randperm(len(passages), generator=generator).tolist()
    splits: dict[SplitName, Split] = {}
    start = 0.0
    for name, share in _SHARES.items():
        stop = start + share
        dealt = order[round(start * len(order)) : round(stop * len(order))]
        start = stop
        places = torch.cat([passages[i] for i in dealt])
        splits[name] = _split(name, windows[places[torch.randperm(len(places), generator=generator)]])
    return splits


def _split(name: SplitName, windows: Tensor) -> Split:
    return Split(name, windows[:, :-1].contiguous(), windows[:, 1:].contiguous())
