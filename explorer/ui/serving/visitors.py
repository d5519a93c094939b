"""Who a visitor is: a number by chance, signed by this server for the one address and browser that it was given to."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections import Counter
from functools import cache
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.atomic import replacing
from explorer.store.folder import data_folder, make_folder
from explorer.store.lock import alone

_HERE = ("127.0.0.1", "::1", "testclient")
_KEY, _KEY_BYTES = "visitors.key", 32


def cookie_name() -> str:
    """Cookies of one host are shared by its ports: each data folder has its own, whatever the port."""
    return f"explorer_visitor_{hashlib.sha256(_secret()).hexdigest()[:8]}"


def issued(address: str | None, browser: str | None) -> str:
    """A new visitor's cookie. It counts only where address and browser are these."""
    visitor = secrets.token_hex(16)
    return f"{visitor}.{_signature(visitor, address, browser)}"


def verified(cookie: object, address: str | None, browser: str | None) -> str | None:
    """The visitor that a cookie names; None for one of another server, of somebody else, or changed."""
    if not isinstance(cookie, str):
        return None
    visitor, _, signature = cookie.partition(".")
    whole = signature.isascii() and hmac.compare_digest(signature, _signature(visitor, address, browser))
    return visitor if whole else None


def _signature(visitor: str, address: str | None, browser: str | None) -> str:
    place = "" if address is None or address in _HERE else address
    text = "\0".join((visitor, place, browser or ""))
    return hmac.new(_secret(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def _secret() -> bytes:
    """What signs the cookies: kept in the data folder, so that a visitor's files are theirs after a restart, too."""
    return _secret_in(data_folder())


@cache
def _secret_in(folder: Path) -> bytes:
    path = folder / _KEY
    try:
        make_folder(folder)
        with alone(folder / "visitors.lock"):
            if not path.exists():
                with replacing(path, private=True) as temporary:
                    temporary.write_bytes(secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    except (OSError, ExplorerError):
        logging.getLogger(__name__).exception("Visitors are known only until the server ends.")
        key = b""
    return key if len(key) == _KEY_BYTES else secrets.token_bytes(_KEY_BYTES)


class Present:
    """The visitors that are connected, in the order in which they came. For all threads."""

    def __init__(self) -> None:
        self._connections: Counter[str] = Counter()
        self._lock = threading.Lock()

    def arrive(self, visitor: str) -> None:
        """One more connection of this visitor."""
        with self._lock:
            self._connections[visitor] += 1

    def leave(self, visitor: str) -> None:
        """One connection less; who has none left loses the place."""
        with self._lock:
            self._connections[visitor] -= 1
            if self._connections[visitor] <= 0:
                del self._connections[visitor]

    def is_here(self, visitor: str) -> bool:
        """Whether this visitor has a connection."""
        with self._lock:
            return visitor in self._connections

    def n_connections(self) -> int:
        """All that are open."""
        with self._lock:
            return self._connections.total()

    def has_place(self, visitor: str, most: int) -> bool:
        """Whether fewer than ``most`` others came before this one."""
        with self._lock:
            return visitor in list(self._connections)[:most] or len(self._connections) < most


PRESENT = Present()
