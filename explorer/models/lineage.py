"""What a model was made from: the dense one at the beginning, what was done since, and the looks at test so far.

It travels in the metadata of every file that is exported, and with every model that is made from another here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from explorer.types import LoadedModel
from explorer.types.aliases import JsonDict

KEY = "lineage"
"""Where ``LoadedModel.meta`` and the description in a file hold it."""
_MOST_STEPS = 50
_MOST_COUNTS = 1000
_LONGEST = 1000
_MOST_LOOKS = 10**9

Looks = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Lineage:
    """The dense model at the beginning (``address``, ``digest``, ``arch``) and what was done to it since.

    ``steps`` are JSON objects with the request (``spec``) and, where it was trained, the ``recipe``. ``looks`` counts
    looks at test splits, by the record that counted them and the digest of the data.
    """

    address: str
    digest: str
    arch: str | None = None
    steps: tuple[JsonDict, ...] = ()
    looks: Looks = field(default_factory=dict)

    def to_json(self) -> JsonDict:
        """What :func:`read` reads."""
        dense = {"address": self.address, "digest": self.digest, "arch": self.arch}
        looks = {record: dict(counts) for record, counts in self.looks.items()}
        return {"dense": dense, "steps": list(self.steps), **({"looks": looks} if looks else {})}

    def after(self, step: JsonDict) -> Lineage:
        """The same with one more step."""
        return replace(self, steps=(*self.steps, step)[-_MOST_STEPS:])


def lineage_of(model: LoadedModel) -> Lineage | None:
    """What the model was made from; None for one that nothing is known of: it is dense itself."""
    return read(model.meta.get(KEY))


def beginning(model: LoadedModel) -> Lineage:
    """The lineage of what is made from ``model``: its own, or one that begins with it."""
    arch = model.meta.get("arch")
    own = Lineage(model.address, model.digest, arch if isinstance(arch, str) else None)
    return lineage_of(model) or own


def with_parent(model: LoadedModel, parent: LoadedModel) -> LoadedModel:
    """The same model, said to be made from ``parent``; what is known of its steps and looks stays."""
    before, named = lineage_of(model), beginning(parent)
    lineage = named if before is None else replace(named, steps=before.steps, looks=before.looks)
    return replace(model, meta={**model.meta, KEY: lineage.to_json()})


def said_by(hint: Mapping[str, object], digest: str) -> JsonDict:
    """For ``LoadedModel.meta``: the lineage that a file with weights of this ``digest`` tells; else nothing."""
    lineage = read(hint.get(KEY)) or _of_earlier_versions(hint)
    # A dense model that was written out as it was is still the dense model.
    return {} if lineage is None or lineage.digest == digest else {KEY: lineage.to_json()}


def read(raw: object) -> Lineage | None:
    """The lineage in a JSON object that anybody may have written; None where it is none."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("dense"), Mapping):
        return None
    dense, steps = raw["dense"], raw.get("steps", [])
    address, digest, arch = dense.get("address"), dense.get("digest"), dense.get("arch")
    if not _is_text(address) or not _is_text(digest) or not isinstance(steps, list):
        return None
    sound = tuple(step for step in steps[-_MOST_STEPS:] if isinstance(step, dict))
    return Lineage(address, digest, arch if _is_text(arch) else None, sound, _looks(raw.get("looks")))


def _of_earlier_versions(hint: Mapping[str, object]) -> Lineage | None:
    source, spec = hint.get("source"), hint.get("spec")
    lineage = read({"dense": source})
    return lineage.after({"spec": spec}) if lineage is not None and isinstance(spec, dict) else lineage


def _looks(raw: object) -> Looks:
    if not isinstance(raw, Mapping) or len(raw) > _MOST_COUNTS:
        return {}
    return {
        record: {data: n for data, n in counts.items() if _is_text(data) and _is_count(n)}
        for record, counts in raw.items()
        if _is_text(record) and isinstance(counts, Mapping) and len(counts) <= _MOST_COUNTS
    }


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_LOOKS
