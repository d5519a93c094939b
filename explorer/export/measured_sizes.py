"""The file sizes that are elsewhere counted, found out by writing the files and asking the disk."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save

from explorer.errors import ExplorerError
from explorer.export.files import misread
from explorer.export.packed import KINDS, packed_file, tied_names
from explorer.export.weights import pruned_file, pruned_tensors
from explorer.metrics.origin import machine, today
from explorer.metrics.size import NOTES
from explorer.types import LoadedModel, Measurement, Plan
from explorer.types.files.reading.scratch import scratch


def measure_sizes(model: LoadedModel, plan: Plan, folder: Path | str | None = None) -> dict[str, Measurement]:
    """Bytes on disk by kind of file: what ``file_sizes`` counts, here written as ``export`` does, and measured.

    ``folder``: where to write for a moment (default: the system's place for such files). The kinds that do not
    apply are absent. Raises ExplorerError when the disk refuses.
    """
    with scratch(folder) as place:
        written = {kind: _written(content, place) for kind, content in _kinds(model, plan)}
        written["dense_file_compressed"] = _written(zlib.compress(_plain(model, plan), 6), place)
    where, day = machine(), today()
    return {
        kind: replace(Measurement(kind, n, "bytes", "measured", note=NOTES[kind]), machine=where, date=day)
        for kind, n in written.items()
    }


def _kinds(model: LoadedModel, plan: Plan) -> Iterator[tuple[str, bytes]]:
    yield "dense_file", pruned_file(model, plan)
    for kind in KINDS:
        try:
            yield kind, packed_file(model, plan, kind)
        except ExplorerError as refusal:
            logging.getLogger(__name__).info("There is no %s file: %s", kind, refusal)


def _written(content: bytes, place: Path) -> int:
    path = place / "file"
    path.write_bytes(content)
    if path.read_bytes() != content:
        raise misread("A file to be measured")
    n_bytes = path.stat().st_size
    path.unlink()
    return n_bytes


def _plain(model: LoadedModel, plan: Plan) -> bytes:
    """The tensors of the dense file without what it says of itself."""
    tied = tied_names(model, plan)
    content: bytes = save({name: t for name, t in pruned_tensors(model, plan).items() if name not in tied})
    return content
