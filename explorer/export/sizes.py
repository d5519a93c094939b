"""How long each file is that can be exported, to the byte, with all that its header says, before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping

from explorer.export.packed import described, tied_names
from explorer.export.weights import METADATA_KEY, describe
from explorer.metrics.size import Described, sizes
from explorer.types import LoadedModel, Measurement, Plan


def file_sizes(model: LoadedModel, plan: Plan, *, compress: bool = False) -> dict[str, Measurement]:
    """Bytes by kind of file, each equal to the file that ``export`` writes (``dense_file``: ``--to weights``).

    Kinds that do not apply are absent. ``compress`` really packs the dense file by zlib (about 30 MB/s), which is no
    form that ``export`` writes.
    """

    def metadata(kind: str) -> Mapping[str, str]:
        about = describe(model, plan) if kind == "dense_file" else described(model, plan, kind)
        return {"format": "pt", METADATA_KEY: json.dumps(about)}

    return sizes(model, plan, compress=compress, described=Described(metadata, tied_names(model, plan)))
