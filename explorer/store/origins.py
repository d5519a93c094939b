"""Where the models were that this machine made files from: asked when such a file is opened again.

What a file says of its parent is a digest. Which place on this machine is looked at is written here, by this program.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from explorer.store.atomic import cannot_write, write_text
from explorer.store.folder import data_folder, make_folder
from explorer.store.lock import alone

_FILE = "origins.json"
_MOST = 500


def remember(digest: str, address: str, arch: str | None, folder: Path | str | None = None) -> None:
    """Record that the model of this digest is at ``address``. Raises ExplorerError when the disk refuses."""
    file = data_folder(folder) / _FILE
    if origin(digest, folder) == (address, arch):
        return
    try:
        make_folder(file.parent)
    except OSError as error:
        raise cannot_write(file, error) from error
    with alone(file.with_suffix(".lock")):
        others = {key: value for key, value in _read(file).items() if key != digest}
        last = dict(list(others.items())[1 - _MOST :])
        write_text(file, json.dumps({**last, digest: {"address": address, "arch": arch}}, indent=1), private=True)


def origin(digest: str, folder: Path | str | None = None) -> tuple[str, str | None] | None:
    """Address and architecture of the model of this digest, when it was last seen; None where it never was."""
    entry = _read(data_folder(folder) / _FILE).get(digest)
    if not isinstance(entry, dict) or not isinstance(entry.get("address"), str):
        return None
    arch = entry.get("arch")
    return entry["address"], arch if isinstance(arch, str) else None


def _read(file: Path) -> dict[str, object]:
    # A record that is damaged is one that knows nothing: no number depends on it.
    with suppress(OSError, ValueError):
        content = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
