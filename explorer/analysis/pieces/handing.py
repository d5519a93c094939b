"""The side of whoever asks: what a job says of itself, and the results of its pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from explorer.data.at_hand import ADDRESS
from explorer.engine.backends.base import Backend, Piece, PieceJob, Result
from explorer.engine.backends.threads import Threads
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.store.records import versions
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict
from explorer.types.files import paths


class SetAsideError(ExplorerError):
    """Some pieces failed again and again; all others are there."""


def about_work(kind: str, model: LoadedModel, data: Dataset, *, device: str, metric: str | None) -> JsonDict:
    """What every piece of a work of this kind depends on: model and data, by address and digest, and the versions."""
    return {
        "kind": kind,
        "model": {
            "address": _anywhere(model.address),
            "identity": model.identity,
            "arch": model.meta.get("arch"),
            "arch_args": model.meta.get("arch_args"),
        },
        "data": {"address": _data_anywhere(data.address), "digest": data.digest, "options": dict(data.options)},
        "device": device,
        "metric": metric,
        "versions": worker_versions(),
        "trust_code": model.code_seconds is not None,
    }


def worker_versions() -> JsonDict:
    """The versions that a number depends on; those of all workers are the same."""
    return {name: version for name, version in versions().items() if name != "python_version"}


def handed(backend: Backend, pieces: Sequence[Piece], job: PieceJob) -> Iterator[Result]:
    """The values of all pieces. Raises SetAsideError at the end where some were set aside, after all the others."""
    if not isinstance(backend, Threads):
        _check(job)
    aside: list[str] = []
    for result in backend.run(pieces, job) if pieces else ():
        if result.error:
            aside.append(result.error)
        else:
            yield result
    if aside:
        what = f"{len(aside)} of {len(pieces)} pieces of the work failed three times and were set aside."
        fix = "The others are measured and recorded; start it again to try only these."
        raise SetAsideError(what, why=f"The last error: {aside[0]}", fix=fix)


def _check(job: PieceJob) -> None:
    """Refuse what no other process could open or measure."""
    if job.about["data"]["address"] == ADDRESS:
        what = "Data at hand cannot be opened by other processes."
        raise ExplorerError(what, fix="Save them (npz:PATH), or leave the back end out.")
    metric = job.about["metric"]
    if metric is not None and metric not in METRICS.members:
        what = f"{metric} is your own metric, which other processes do not have."
        raise ExplorerError(what, fix="Leave the back end out, or choose a metric of the explorer.")


def _anywhere(address: str) -> str:
    """An address that means the same in every working folder."""
    path, part = paths.with_part(address)
    return f"{Path(path).absolute()}{'#' if part else ''}{part}" if Path(path).exists() else address


def _data_anywhere(address: str) -> str:
    key, colon, place = address.partition(":")
    return f"{key}:{Path(place).absolute()}" if colon and Path(place).exists() else address
