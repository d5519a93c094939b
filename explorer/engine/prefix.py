"""Values kept between evaluations, within a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection

from explorer.engine.program import n_bytes
from explorer.types.aliases import GraphValue


class PrefixCache:
    """Values by signature and batch. Past ``limit`` bytes the longest unwanted signatures go first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.n_bytes = 0
        self._values: OrderedDict[int, dict[int, GraphValue]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, signature: int, batch: int) -> GraphValue:
        """The value, or None."""
        with self._lock:
            return self._values.get(signature, {}).get(batch)

    def want(self, signatures: Collection[int]) -> None:
        """Note that these are in use now: they are let go last."""
        with self._lock:
            for signature in signatures:
                if signature in self._values:
                    self._values.move_to_end(signature)

    def put(self, signature: int, batch: int, value: object, in_use: Collection[int]) -> None:
        """Keep a value if it fits, at the cost of values whose signature is not in ``wanted``."""
        size = n_bytes(value)
        with self._lock:
            if batch in self._values.get(signature, {}) or not self._make_room(size, in_use):
                return
            self._values.setdefault(signature, {})[batch] = value
            self.n_bytes += size

    def _make_room(self, size: int, in_use: Collection[int]) -> bool:
        while self.n_bytes + size > self.limit:
            stale = next((s for s in self._values if s not in in_use), None)
            if stale is None:
                return False
            self.n_bytes -= sum(n_bytes(value) for value in self._values.pop(stale).values())
        return True
