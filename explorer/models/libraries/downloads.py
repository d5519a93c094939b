"""Models by an id: from the folder where they were downloaded to, and from the network only where that was allowed."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.models.libraries.imported import library
from explorer.text.names import clean

ALLOW_VARIABLE = "PRUNING_EXPLORER_ALLOW_DOWNLOAD"
"""Set by the app where it was started with ``--allow-download``: no screen sets it."""

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]


def allowed(asked: bool) -> bool:
    """Whether something may be downloaded: where it was asked for here, or when the app was started."""
    return asked or os.environ.get(ALLOW_VARIABLE) == "1"


def cache_folder() -> Path:
    """Where the Hugging Face hub keeps what was downloaded."""
    home = os.environ.get("HF_HOME") or Path("~/.cache/huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub")).expanduser()


def is_id(text: str) -> bool:
    """Whether a text is an id such as ``org/name``."""
    return bool(_ID.fullmatch(text)) and ".." not in text


def snapshot(name: str, allow: bool) -> Path:
    """The folder of a model of the Hugging Face hub; ExplorerError where it is not here and may not be fetched."""
    if not is_id(name):
        raise ExplorerError(f"{clean(name)!r} is not the id of a model.", fix="Write hf:org/name, or a folder.")
    hub = library("huggingface_hub")
    try:
        return Path(hub.snapshot_download(name, local_files_only=not allow, allow_patterns=_FILES))
    except Exception as error:
        logging.getLogger(__name__).exception("%r was not fetched.", name)
        if not allow:
            raise not_here(f"hf:{name}") from error
        first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        raise ExplorerError(
            f"{clean(name)!r} could not be downloaded.",
            why=f"{clean(first, 200)}.",
            fix="Check the id and the network.",
        ) from error


def not_here(address: str) -> ExplorerError:
    """The refusal of what would have to be downloaded."""
    return ExplorerError(
        f"{clean(address)} is not on this machine.",
        why="Nothing is downloaded unless you say so.",
        fix="Add --allow-download (in Python allow_download=True), or name a folder or a file.",
    )
