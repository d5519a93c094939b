"""Which process of which machine this is, so that others can tell whether it still lives."""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

from explorer.types.aliases import JsonDict, JsonObject


@cache
def this_machine() -> str:
    """Equal = the same processes are seen: the host, since its last start, and the same container on it."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8])
        parts.append(os.readlink("/proc/self/ns/pid").rpartition(":")[2].strip("[]"))
    return ":".join(parts)


def this_worker() -> JsonDict:
    """A worker as the files of a queue name it."""
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    return {"worker": "".join(c if c.isalnum() or c in "-_" else "-" for c in name), **whereabouts()}


def whereabouts() -> JsonDict:
    """The machine and the process."""
    return {"machine": this_machine(), "pid": os.getpid()}


def has_ended(about: JsonObject) -> bool:
    """Whether a process of this machine is there no more; False for those of others, of which nothing is seen."""
    pid = about.get("pid")
    if about.get("machine") != this_machine() or not isinstance(pid, int) or pid <= 0 or os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
