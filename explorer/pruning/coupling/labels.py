"""Channel labels: run a network's data movement on channel numbers instead of on data.

Every producing layer gives each of its output channels a fresh label. Reshapes, slices,
concatenations and transposes are then executed *for real* on tensors of labels, so whatever
moves data moves the labels along. Where two labels meet in a sum they become one (union-find):
that is coupling. Where an operation mixes channels (layer normalisation, attention, a matrix
product), the labels that meet are frozen, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FROZEN = 0  # data whose slots cannot go


class Labels:
    """Union-find over channel labels, with the reasons for every union and freeze."""

    def __init__(self) -> None:
        self._parent: list[int] = [FROZEN]
        self._reasons: list[tuple[int, str]] = []
        self._frozen: dict[int, str] = {}
        self._kinds: dict[int, str] = {}
        self.n_apart = 0  # labels that are not yet one; falls with every union and every freeze

    def fresh(self, n: int) -> Tensor:
        """(n,) new labels."""
        start = len(self._parent)
        self._parent.extend(range(start, start + n))
        self.n_apart += n
        return torch.arange(start, start + n)

    def _find(self, label: int) -> int:
        while self._parent[label] != label:
            self._parent[label] = self._parent[self._parent[label]]
            label = self._parent[label]
        return label

    def roots(self, labels: Tensor) -> Tensor:
        """The representative of each label (FROZEN where it must stay), same shape."""
        unique, inverse = torch.unique(labels, return_inverse=True)
        root_labels = [self._find(int(label)) for label in unique]
        roots = [FROZEN if root in self._frozen else root for root in root_labels]
        return torch.tensor(roots, dtype=torch.int64)[inverse]

    def same(self, labels: Tensor) -> Tensor:
        """The representative of each label, whether it must stay or not; same shape."""
        unique, inverse = torch.unique(labels, return_inverse=True)
        return torch.tensor([self._find(int(label)) for label in unique], dtype=torch.int64)[inverse]

    def mark(self, labels: Tensor, kind: str) -> None:
        """These are no plain channels but units of another kind: "head", "hidden unit"."""
        for label in torch.unique(labels).tolist():
            if label > FROZEN:
                self._kinds[label] = kind

    def kinds(self) -> dict[int, str]:
        """The kind of every representative that stands for marked labels; the others are channels."""
        return {self._find(label): kind for label, kind in self._kinds.items()}

    def join(self, a: Tensor, b: Tensor, reason: str) -> None:
        """Labels that stand at the same place become one."""
        pairs = torch.stack((a + torch.zeros_like(b), b + torch.zeros_like(a))).reshape(2, -1)
        pairs = pairs[:, pairs[0] != pairs[1]]
        # One number a pair: unique() of numbers is far quicker than of columns.
        n_labels = len(self._parent)
        for pair in torch.unique(pairs[0] * n_labels + pairs[1]).tolist():
            self._join(pair // n_labels, pair % n_labels, reason)

    def _join(self, one: int, other: int, reason: str) -> None:
        low, high = sorted((self._find(one), self._find(other)))
        if low == high:
            return
        self.n_apart -= 1
        if low == FROZEN:
            self._frozen.setdefault(high, f"{reason} with something that cannot shrink")
            return
        self._reasons.append((low, reason))
        self._parent[high] = low
        if high in self._frozen:
            self._frozen.setdefault(low, self._frozen[high])

    def freeze(self, labels: Tensor, reason: str) -> None:
        """These channels must stay, because of ``reason`` (the first reason is kept)."""
        for label in torch.unique(labels).tolist():
            root = self._find(label)
            if root > FROZEN:
                self._frozen.setdefault(root, reason)

    def reasons(self, roots: set[int]) -> tuple[str, ...]:
        """Why the channels behind these representatives hang together."""
        return tuple(dict.fromkeys(reason for label, reason in self._reasons if self._find(label) in roots))

    def why_frozen(self, labels: Tensor) -> str | None:
        """The first reason why one of these labels was frozen; None when none is."""
        for label in torch.unique(labels).tolist():
            root = self._find(label)
            if root in self._frozen:
                return self._frozen[root]
        return None


def constant_along(labels: Tensor, dims: Sequence[int]) -> Tensor | None:
    """The labels with ``dims`` dropped, where they do not change along them; else None."""
    dims = [d % labels.dim() for d in dims]
    index = tuple(slice(0, 1) if d in dims else slice(None) for d in range(labels.dim()))
    first = labels[index]
    if not bool((labels == first).all()):
        return None
    return first.squeeze(dims) if dims else first
