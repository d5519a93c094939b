"""Channel labels: run a network's data movement on channel numbers instead of on data.

Every producing layer gives each of its output channels a fresh label. Reshapes, slices,
concatenations and transposes are then executed *for real* on tensors of labels, so whatever
moves data moves the labels along. Where two labels meet in a sum they become one (union-find):
that is coupling. Where an operation mixes channels (softmax, a matrix product), the labels that
meet are frozen, with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from explorer.pruning.coupling.views import FROZEN, LABEL, distinct


class Labels:
    """Union-find over channel labels, with the reasons for every union and freeze."""

    def __init__(self) -> None:
        self._parent = np.zeros(1024, dtype=np.int32)
        self._n = 1
        self._reasons: list[tuple[int, str]] = []
        self._frozen: dict[int, str] = {}
        self._kinds: dict[int, str] = {}
        self._roots: Tensor | None = None
        self._free_roots: Tensor | None = None
        self._reasons_of: dict[int, dict[str, int]] | None = None
        self.n_apart = 0  # labels that are not yet one and may go; falls with every union and every freeze

    def fresh(self, n: int) -> Tensor:
        """(n,) new labels."""
        start, self._n = self._n, self._n + n
        if self._n > len(self._parent):
            self._parent = np.concatenate([self._parent, np.zeros(self._n, dtype=np.int32)])
        self._parent[start : self._n] = np.arange(start, self._n)
        self.n_apart += n
        self._roots = self._free_roots = None
        return torch.arange(start, self._n, dtype=LABEL)

    def _find(self, label: int) -> int:
        parent = self._parent
        while (above := int(parent[label])) != label:
            parent[label] = parent[above]
            label = above
        return label

    def _table(self) -> Tensor:
        """(n_labels,) the representative of every label, made anew after labels became one."""
        if self._roots is None:
            parent = self._parent[: self._n]
            while not np.array_equal(parent, above := parent[parent]):
                parent = above
            self._parent[: self._n] = parent
            self._roots = torch.from_numpy(parent.copy())
        return self._roots

    def roots(self, labels: Tensor) -> Tensor:
        """The representative of each label (FROZEN where it must stay), same shape."""
        if self._free_roots is None:
            table = self._table()
            stays = torch.zeros(self._n, dtype=torch.bool)
            stays[list(self._frozen)] = True
            self._free_roots = table.masked_fill(stays[table], FROZEN)
        return self._free_roots[distinct(labels)].expand(labels.shape)

    def same(self, labels: Tensor) -> Tensor:
        """The representative of each label, whether it must stay or not; same shape."""
        return self._table()[distinct(labels)].expand(labels.shape)

    def without(self, gone: Tensor) -> Callable[[Tensor], Tensor]:
        """Which of any labels stay where the channels of these representatives go; in their shape."""
        stays = torch.ones(self._n, dtype=torch.bool)
        stays[gone] = False

        def alive(labels: Tensor) -> Tensor:
            return stays[self.roots(distinct(labels))].expand(labels.shape)

        return alive

    def mark(self, labels: Tensor, kind: str) -> None:
        """These are no plain channels but units of another kind: "head", "hidden unit"."""
        for label in torch.unique(distinct(labels)).tolist():
            if label > FROZEN:
                self._kinds[label] = kind

    def kinds(self) -> dict[int, str]:
        """The kind of every representative that stands for marked labels; the others are channels."""
        return {self._find(label): kind for label, kind in self._kinds.items()}

    def join(self, a: Tensor, b: Tensor, reason: str) -> None:
        """Labels that stand at the same place become one."""
        one, other = torch.broadcast_tensors(self.same(distinct(a)), self.same(distinct(b)))  # type: ignore[no-untyped-call]
        differ = one != other
        # One number a pair: unique() of numbers is far quicker than of columns.
        for pair in torch.unique(one[differ].long() * self._n + other[differ]).tolist():
            self._join(pair // self._n, pair % self._n, reason)

    def _join(self, one: int, other: int, reason: str) -> None:
        low, high = sorted((self._find(one), self._find(other)))
        if low == high:
            return
        if low == FROZEN:
            self._freeze(high, f"{reason} with something that cannot shrink")
            return
        self.n_apart -= 1
        self._reasons.append((low, reason))
        self._parent[high] = low
        self._roots = self._free_roots = self._reasons_of = None
        if high in self._frozen:
            self._freeze(low, self._frozen[high])

    def _freeze(self, root: int, reason: str) -> None:
        if root not in self._frozen:
            self.n_apart -= 1
            self._frozen[root] = reason
            self._free_roots = None

    def freeze(self, labels: Tensor, reason: str) -> None:
        """These channels must stay, because of ``reason`` (the first reason is kept)."""
        for root in torch.unique(self.same(distinct(labels))).tolist():
            if root > FROZEN:
                self._freeze(root, reason)

    def reasons(self, roots: set[int]) -> tuple[str, ...]:
        """Why the channels behind these representatives hang together."""
        if self._reasons_of is None:
            self._reasons_of = defaultdict(dict)
            for place, (label, reason) in enumerate(self._reasons):
                self._reasons_of[self._find(label)].setdefault(reason, place)
        places: dict[str, int] = {}
        for root in roots:
            for reason, place in self._reasons_of.get(root, {}).items():
                places[reason] = min(place, places.get(reason, place))
        return tuple(sorted(places, key=lambda reason: places[reason]))

    def why_frozen(self, labels: Tensor) -> str | None:
        """The first reason why one of these labels was frozen; None when none is."""
        roots = torch.unique(self.same(distinct(labels))).tolist()
        return next((self._frozen[root] for root in roots if root in self._frozen), None)
