"""The reading process: ``python -m explorer.types.files.reading PARENT MODULE ARGUMENT ...`` runs a module's ``main``.

Before anything that takes time is imported, the process is bound to the one that started it.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence


def bind_to(parent: int) -> None:
    """From now on this process ends with ``parent``, however that ends; at once if it has ended already."""
    if sys.platform == "win32":
        return
    if sys.platform == "linux":
        import ctypes
        import signal

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    else:
        import threading

        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    import time

    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main(arguments: Sequence[str]) -> int:
    """Run the ``main`` of the named module with the arguments that follow it."""
    parent, module, *others = arguments
    bind_to(int(parent))
    gc.disable()  # this process ends soon, and its memory is bound: looking for garbage only takes time
    status: int = importlib.import_module(module).main(*others)
    gc.freeze()  # nor at its end
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
