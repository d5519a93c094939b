"""How a model was trained, as far as that is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from explorer.errors import ExplorerError
from explorer.models import trained
from explorer.params import Registry, params_of
from explorer.recovery.training import Training
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict

_UNKNOWN = {"epochs": 40, "weight_decay": 0.05}


def training_of(model: LoadedModel, data: Dataset | None = None, **changes: Any) -> Training:
    """How the model itself was trained from its first weights; the last epoch is kept.

    Bundled models know, and files that :func:`explorer.train` made; for others it is AdamW over 40 epochs at the usual
    rate of 1e-3, nothing moved. On ``data`` that holds no pictures nothing is moved either; without labels the dense
    model teaches alone.
    """
    settings = dict(model.meta.get("training") or _of_file(model) or _UNKNOWN)
    names = {p.name for p in params_of(Training)}
    values = {name: value for name, value in settings.items() if name in names}
    if data is not None and not data.images:
        values["shift"] = 0.0
    fit = None if data is None else data.splits.get("fit")
    if fit is not None and fit.y is None:
        values["distil_weight"] = 1.0
    return replace(Training(**{**values, "keep": "last"}), **changes)


@dataclass(frozen=True)
class _Stored(Training):
    key: ClassVar[str] = "stored"


_STORED: Registry[_Stored] = Registry("training", (_Stored,))


def _of_file(model: LoadedModel) -> JsonDict:
    """The settings that a file tells, each checked as if somebody had typed it; nothing where one does not suit."""
    about = model.meta.get(trained.KEY) or {}
    names = {p.name for p in params_of(Training)} - {"seed"}
    try:
        values = {name: value for name, value in about.items() if name in names}
        return asdict(_STORED.from_json({"key": _Stored.key, **values})) if values else {}
    except ExplorerError:
        return {}
