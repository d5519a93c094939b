"""What survives a killed process: each finished epoch, whole and verified, as one safetensors file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.recovery.state import RecoveryProgress
from explorer.store.atomic import cannot_write, replacing, write_text
from explorer.types import Measurement, tensors_digest
from explorer.types.aliases import JsonDict, JsonObject

_KEY = "explorer"
_VERSION = 1
_NAME = re.compile(r"[0-9a-f]{16}")
_MEASURED = ("accuracy", "drop", "loss")


@dataclass(frozen=True, eq=False)
class Saved:
    """What was kept after an epoch: tensors by name, and JSON."""

    tensors: Mapping[str, Tensor]
    about: JsonObject


@dataclass(frozen=True)
class Checkpoints:
    """The folder of one recipe on one model and one data set; each training step has one file in it."""

    folder: Path

    @classmethod
    def of(cls, root: Path | str, depends_on: JsonObject) -> Checkpoints:
        """The folder under ``root`` whose name is the digest of everything that the result depends on."""
        text = json.dumps({**depends_on, "torch": str(torch.__version__), "version": _VERSION}, sort_keys=True)
        folder = Path(root).expanduser() / hashlib.sha256(text.encode()).hexdigest()[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        about = folder / "about.json"
        if not about.exists():
            write_text(about, json.dumps(json.loads(text), indent=1) + "\n")
        return cls(folder)

    def save(self, name: str, tensors: Mapping[str, Tensor], about: JsonObject) -> None:
        """Put this epoch in the place of the one before, whole or not at all."""
        content = {key: tensor.contiguous() for key, tensor in tensors.items()}
        text = json.dumps({**about, "digest": tensors_digest(content)}, sort_keys=True)
        metadata = {_KEY: text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        with replacing(self._path(name)) as new:
            try:
                save_file(content, new, metadata=metadata)
            except SafetensorError as error:
                logging.getLogger(__name__).exception("A checkpoint could not be written.")
                why = f"{error}."
                raise ExplorerError(f"{self._path(name)} could not be written.", why=why, fix="Make room.") from error

    def load(self, name: str) -> Saved | None:
        """What was saved last; None where there is nothing, or what is there is damaged."""
        path = self._path(name)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                names = list(file.keys())
                tensors = {name: file.get_tensor(name).clone() for name in names}
        except (SafetensorError, OSError, ValueError):
            return None
        text = metadata.get(_KEY, "")
        if hashlib.sha256(text.encode()).hexdigest() != metadata.get("sha256"):
            return None
        about = json.loads(text)
        return Saved(tensors, about) if about.get("digest") == tensors_digest(tensors) else None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"


def make_room(root: Path | str, *, most: int = 2_000_000_000, spare_days: float = 1.0) -> int:
    """Remove the recipes that were left longest until ``root`` holds at most ``most`` bytes; gives how many went.

    A recipe in which anything was written within ``spare_days`` may still be running and stays, and so does
    everything in ``root`` that no recipe made.
    """
    folders = [about.parent for about in Path(root).glob("*/about.json") if _NAME.fullmatch(about.parent.name)]
    by_age = sorted((_newest_and_size(folder), folder) for folder in folders)
    total, gone = sum(size for (_, size), _ in by_age), 0
    for (newest, size), folder in by_age:
        if total - gone <= most or newest > time.time() - spare_days * 86_400:
            break
        shutil.rmtree(folder, ignore_errors=True)
        gone += size
    return gone


def _newest_and_size(folder: Path) -> tuple[float, int]:
    stats = [(0.0, 0)]
    for file in folder.iterdir():
        # Another process may be replacing it.
        with contextlib.suppress(FileNotFoundError):
            stats.append((file.stat().st_mtime, file.stat().st_size))
    return max(moment for moment, _ in stats), sum(size for _, size in stats)


def progress_json(progress: RecoveryProgress) -> JsonDict:
    """One line of the story as a JSON-able object."""
    values = {name: getattr(progress, name) for name in RecoveryProgress.__dataclass_fields__ if name != "recovered"}
    return values | {name: None if values[name] is None else asdict(values[name]) for name in _MEASURED}


def progress_from(content: JsonObject) -> RecoveryProgress:
    """The inverse of :func:`progress_json`."""
    values = dict(content)
    for name in _MEASURED:
        values[name] = None if values[name] is None else Measurement(**values[name])
    return RecoveryProgress(**{**values, "notes": tuple(values["notes"])})
