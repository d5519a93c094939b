"""A class by its name: begun, or gone on with after the server was ended; and how the server knows which one it serves.

It is one file in the data folder, for this user alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from explorer.classroom import keys
from explorer.classroom.room import Classroom
from explorer.classroom.state import LONGEST_NAME, ClassState, cleaned
from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write, write_text
from explorer.store.folder import data_folder, make_folder

NAME_VARIABLE, ADDRESS_VARIABLE = "PRUNING_EXPLORER_CLASS", "PRUNING_EXPLORER_CLASS_ADDRESS"
_FOLDER = "classes"
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
# Reserved for documentation: nothing is sent there, the system only says from which address it would be.
_SOMEWHERE = ("192.0.2.1", 9)


def class_file(name: str, folder: Path | str | None = None) -> Path:
    """Where a class of that name is stored; names that look alike in a file system still have a file each."""
    stem = _NOT_PLAIN.sub("-", name.lower()).strip("-")[:40]
    mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return data_folder(folder) / _FOLDER / f"{stem}-{mark}.json"


def begin(name: str, folder: Path | str | None = None, *, new_key: bool = False) -> tuple[ClassState, str]:
    """The class of that name, as it was left or new, and the teacher's key where that is new, else nothing.

    Raises ExplorerError for a name that is none, and where the class cannot be stored.
    """
    title = cleaned(name, LONGEST_NAME)
    if not title or title != name.strip():
        fix = f"Give a name of 1 to {LONGEST_NAME} letters that print."
        raise ExplorerError("This is no name of a class.", fix=fix)
    file = class_file(title, folder)
    state = read(file) if file.exists() else None
    if state is not None and not new_key:
        return state, ""
    key = keys.new_key()
    digest = keys.digest_of_key(key)
    state = ClassState(title, keys.new_code(), digest) if state is None else replace(state, key=digest)
    try:
        make_folder(file.parent.parent)
        make_folder(file.parent)
    except OSError as error:
        raise cannot_write(file, error) from error
    write_text(file, json.dumps(state.to_json()), private=True)
    return state, key


def read(file: Path) -> ClassState:
    """The class in a file. Raises ExplorerError for what is none."""
    try:
        return ClassState.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        fix = "Move the file away; the class then begins anew."
        raise ExplorerError(f"{file} is not readable.", why=f"{error}.", fix=fix) from error
    except ExplorerError as error:
        raise ExplorerError(f"{file}: {error.what}", why=error.why, fix=error.fix) from error


def served() -> Classroom | None:
    """The class that this server was begun with; None where it was begun without one, or the class was erased."""
    name = os.environ.get(NAME_VARIABLE, "").strip()
    file = class_file(name)
    return Classroom(file, read(file)) if name and file.exists() else None


def join_link(base: str, code: str) -> str:
    """What students open: "http://192.168.1.5:8501/learn?class=K7QFA"."""
    return f"{base.rstrip('/')}/learn?{urlencode({'class': code})}"


def address_in_network() -> str:
    """This machine's address in its network; the loopback's where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
