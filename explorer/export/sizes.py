"""How long each file is that can be exported, to the byte, with all that its header says, before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from weakref import ReferenceType, WeakKeyDictionary, ref

from explorer.export.packed import described, tied_names
from explorer.export.weights import METADATA_KEY, describe
from explorer.metrics.size import Described, sizes
from explorer.types import LoadedModel, Measurement, Plan

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
