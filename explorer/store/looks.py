"""How often the locked test split was looked at, for each model and data set, over all runs on this machine."""

from __future__ import annotations

import json
import logging
import secrets
from contextlib import suppress
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write, write_text
from explorer.store.folder import data_folder, make_folder
from explorer.store.lock import alone


def looks_file(folder: Path | str | None = None) -> Path:
    """Where the count is kept: in ``folder``, else in the data folder."""
    return data_folder(folder) / "looks.json"


def looks(model_digest: str, data_digest: str, folder: Path | str | None = None) -> int:
    """How often this model was measured on the test split of this data so far."""
    return _read(looks_file(folder)).get(f"{model_digest}/{data_digest}", 0)


def looks_of(model_digest: str, folder: Path | str | None = None) -> dict[str, int]:
    """The same for every data set that this model was measured on, by its digest."""
    begin = f"{model_digest}/"
    counts = _read(looks_file(folder))
    return {key.removeprefix(begin): n for key, n in counts.items() if key.startswith(begin)}


def record_name(folder: Path | str | None = None) -> str:
    """The name of this record, by chance, made once: counts that a file brings back here are not counted twice."""
    file = looks_file(folder).with_suffix(".name")
    with suppress(OSError):
        return file.read_text(encoding="utf-8").strip()
    try:
        make_folder(file.parent)
    except OSError as error:
        raise cannot_write(file, error) from error
    with alone(file.with_suffix(".lock")):
        if not file.exists():
            write_text(file, secrets.token_hex(8), private=True)
    return file.read_text(encoding="utf-8").strip()


def count_look(model_digest: str, data_digest: str, folder: Path | str | None = None) -> int:
    """Count one more look and give the new count. Two processes at once count two."""
    file = looks_file(folder)
    try:
        make_folder(file.parent)
    except OSError as error:
        raise cannot_write(file, error) from error
    with alone(file.with_suffix(".lock")):
        counts = _read(file)
        key = f"{model_digest}/{data_digest}"
        counts[key] = counts.get(key, 0) + 1
        write_text(file, json.dumps(counts, indent=1, sort_keys=True), private=True)
    return counts[key]


def _read(file: Path) -> dict[str, int]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).exception("The record of looks at the test split is not readable.")
        why = "The record of looks at the test split is not readable."
        raise ExplorerError(f"{file} is damaged.", why=why, fix="Move it away; counting then starts anew.") from error
    sound = isinstance(content, dict) and all(isinstance(n, int) for n in content.values())
    if not sound:
        why = "It does not hold a count for each model and data set."
        raise ExplorerError(f"{file} is damaged.", why=why, fix="Move it away; counting then starts anew.")
    return dict(content)
