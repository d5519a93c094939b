"""How long each file is that can be exported, to the byte, with all that its header says, before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from weakref import ReferenceType, WeakKeyDictionary, ref

from explorer.export.packed import described, tied_names
from explorer.export.weights import METADATA_KEY, describe
from explorer.metrics.size import Described, sizes
from explorer.types import LoadedModel, Measurement, Plan

RATES = (1, 10, 100)  # megabits a second: a weak mobile connection, a usual one, a good line
_ON_THE_WAY = "The smallest file, 8 bits a byte, without what the protocol adds."

_COUNTED: WeakKeyDictionary[Plan, tuple[ReferenceType[LoadedModel], dict[str, Measurement]]] = WeakKeyDictionary()


def file_sizes(model: LoadedModel, plan: Plan, *, compress: bool = False) -> dict[str, Measurement]:
    """Bytes by kind of file, each equal to the file that ``export`` writes (``dense_file``: ``--to weights``).

    Kinds that do not apply are absent. ``compress`` really packs the dense file by zlib (about 30 MB/s), which is no
    form that ``export`` writes. What is only counted is counted once a plan.
    """
    of, counted = _COUNTED.get(plan, (None, {}))
    if compress or of is None or of() is not model:
        counted = _sizes(model, plan, compress=compress)
        if not compress:
            _COUNTED[plan] = ref(model), counted
    return dict(counted)


def _sizes(model: LoadedModel, plan: Plan, *, compress: bool) -> dict[str, Measurement]:
    def metadata(kind: str) -> Mapping[str, str]:
        about = describe(model, plan) if kind == "dense_file" else described(model, plan, kind)
        return {"format": "pt", METADATA_KEY: json.dumps(about)}

    return sizes(model, plan, compress=compress, described=Described(metadata, tied_names(model, plan)))


def transfer(files: Mapping[str, Measurement]) -> Mapping[int, Measurement]:
    """Seconds for the smallest of these files by kind, by megabits (1,000,000 bits) a second.

    The zipped dense file does not count: no export writes it, and it is packed only where that is asked for.

    Example:
        >>> by_rate = transfer({"bitmask": Measurement("size", 1_000_000, "bytes", "counted")})
        >>> {rate: m.value for rate, m in by_rate.items()}
        {1: 8.0, 10: 0.8, 100: 0.08}
    """
    n_bytes = min(m.value for kind, m in files.items() if kind != "dense_file_compressed")
    seconds = {rate: 8 * n_bytes / (rate * 1e6) for rate in RATES}
    return {rate: Measurement("transfer", s, "seconds", "estimated", note=_ON_THE_WAY) for rate, s in seconds.items()}


def at_rates(by_rate: Mapping[int, Measurement]) -> str:
    """ "8 / 0.8 / 0.08 s at 1 / 10 / 100 Mbit/s"."""
    seconds = " / ".join(f"{m.value:.2g}" for m in by_rate.values())
    return f"{seconds} s at {' / '.join(map(str, by_rate))} Mbit/s"
