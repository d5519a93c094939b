"""Magnitude pruning of a checkpoint of any size: counted from its files, written to new ones, never all in memory."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.reader.shards import Shards, Stored
from explorer.pruning.layers import layers_of_file
from explorer.ranking.bitkeys import integer_type, key_of, keys_of
from explorer.ranking.order import Magnitudes, global_counts
from explorer.store.atomic import replacing, write_text


@dataclass(frozen=True, eq=False)
class Streamed:
    """The magnitudes of what can be pruned in a checkpoint: counted in one pass over its files."""

    shards: Shards
    ranks: Mapping[str, Magnitudes]

    @property
    def n_weights(self) -> int:
        """How many weights can be pruned."""
        return sum(len(rank) for rank in self.ranks.values())

    def counts(self, sparsity: float, *, everywhere_alike: bool = False) -> dict[str, int]:
        """How many weights of each tensor go: the lowest of all together, or the same share of each."""
        if everywhere_alike:
            return {name: round(sparsity * len(rank)) for name, rank in self.ranks.items()}
        n = round(sparsity * self.n_weights)
        return dict(zip(self.ranks, global_counts(list(self.ranks.values()), n), strict=True))

    def threshold(self, name: str, n_pruned: int) -> float:
        """The lowest magnitude of a tensor that stays when its ``n_pruned`` lowest go; inf when all go."""
        return self.ranks[name].threshold_for(n_pruned)

    def write(self, folder: Path, counts: Mapping[str, int]) -> Iterator[Path]:
        """Each file with zeros in place of what goes, once it is in its place. Names, dtypes and all else stay."""
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ExplorerError(f"{folder} is not empty.", fix="Give a new folder.")
        for path in self.shards.files:
            with replacing(folder / path.name) as temporary:
                shutil.copyfile(path, temporary)
                with temporary.open("r+b") as file:
                    for stored in (each for each in self.shards.tensors.values() if each.path == path):
                        if counts.get(stored.name):
                            self._zero(file.fileno(), stored, counts[stored.name])
            yield folder / path.name
        source = self.shards.place
        if source.is_dir():
            for path in sorted(source.iterdir()):
                if path.suffix in (".json", ".txt", ".model") or path.name.upper().startswith("LICENSE"):
                    shutil.copyfile(path, folder / path.name)
        write_text(folder / "counts.json", json.dumps({name: n for name, n in counts.items() if n}, indent=1) + "\n")

    def _zero(self, handle: int, stored: Stored, n_pruned: int) -> None:
        """Of equal magnitudes the first go."""
        rank = self.ranks[stored.name]
        cut = None if n_pruned == len(rank) else key_of(rank.threshold_for(n_pruned), stored.dtype)
        ties = n_pruned if cut is None else n_pruned - rank.index.below(cut)
        at = stored.start
        for piece in self.shards.pieces(stored.name):
            keys = keys_of(piece, absolute=True)
            gone = torch.ones_like(keys, dtype=torch.bool) if cut is None else keys < cut
            if cut is not None and ties:
                equal = torch.nonzero(keys == cut).flatten()[:ties]
                gone[equal] = True
                ties -= len(equal)
            os.pwrite(handle, _bytes(piece.masked_fill(gone, 0)), at)
            at += piece.numel() * piece.element_size()


def streamed(shards: Shards) -> Streamed:
    """Count the magnitudes of every tensor that can be pruned; ExplorerError for NaN in one of them."""
    layers = layers_of_file({n: torch.empty(s.shape, dtype=s.dtype, device="meta") for n, s in shards.tensors.items()})
    names = {layer.parameter: shards.tensors[layer.parameter].dtype for layer in layers.prunable}
    ranks = {name: Magnitudes.from_chunks(partial(shards.pieces, name), dtype) for name, dtype in names.items()}
    return Streamed(shards, ranks)


def _bytes(numbers: Tensor) -> memoryview:
    return numbers.contiguous().view(integer_type(numbers.dtype)).numpy().data.cast("B")
