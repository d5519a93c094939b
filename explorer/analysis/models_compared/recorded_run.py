"""A recorded run as a model again: what its request leaves of the model that it was measured on."""

from __future__ import annotations

from dataclasses import replace

from explorer import data, models
from explorer.analysis.requested import left_by
from explorer.errors import ExplorerError
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.store.records import PointRecord
from explorer.types import Dataset, LoadedModel

PREFIX = "run:"
_LIST = "The first column of runs has the IDs."


def is_run(address: object) -> bool:
    """Whether this names a recorded run: "run:12"."""
    return isinstance(address, str) and address.startswith(PREFIX)


def record_at(address: str, store: Store) -> PointRecord:
    """The record that "run:12" names. Raises ExplorerError where there is none."""
    number = address.removeprefix(PREFIX).strip()
    record = store.point(int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
    if record is None:
        raise ExplorerError(f"There is no recorded run {number!r}.", fix=_LIST)
    return record


def model_again(
    record: PointRecord, dense: LoadedModel | None = None, dataset: Dataset | None = None, *, arch: str | None = None
) -> LoadedModel:
    """The model that a run measured, made again, with exact zeros where it had them; it is called "run:12".

    ``dense`` and ``dataset`` are what it was measured on, where they are open. Raises ExplorerError where either is
    another one today, where other weights would be pruned, and for a run that also trained: weights are not recorded.
    """
    name = f"{PREFIX}{record.id}"
    if record.point.protocol:
        why = "It also trained the network, and a record holds no weights."
        raise ExplorerError(f"{name} cannot be made again.", why=why, fix="Compare the file that it was saved as.")
    dense = models.load(record.model_address, arch=arch) if dense is None else dense
    dataset = data.load(record.data_address, model=dense) if dataset is None else dataset
    _refuse_another(name, "model", record.model_digest, dense.digest, record.model_address)
    _refuse_another(name, "data", record.data_digest, dataset.digest, record.data_address)
    spec = PruneSpec.from_json(record.point.spec)
    plan = make_plan(dense, spec, data=dataset)
    if record.point.plan_digest not in ("", plan.digest):
        why = "Its request prunes other weights with these versions than it did then."
        raise ExplorerError(f"{name} cannot be made again.", why=why, fix="Measure it again with evaluate.")
    again = left_by(dense, spec, plan)
    return replace(again, address=name, meta={**again.meta, "source": "run"})


def _refuse_another(name: str, what: str, then: str, now: str, address: str) -> None:
    if then != now:
        why = f"The {what} at {address} had the digest {then} then, and has {now} now."
        raise ExplorerError(f"{name} was measured on another {what}.", why=why, fix=f"Name the {what} of that run.")
