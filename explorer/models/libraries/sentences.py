"""Encoders of texts and pictures: one embedding a sample, pooled as the folder says."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from explorer.models.libraries.folder import ModelFolder
from explorer.models.libraries.imported import Foreign
from explorer.types.tasks import STATED_TASKS

_MODULES = "modules.json"


@dataclass(frozen=True)
class Pooling:
    """How the vectors of a sample become one: the mean of those that count, or the first; of length one or not."""

    first: bool = False
    normalised: bool = False

    @property
    def sentence(self) -> str:
        """What is done, in a sentence."""
        what = "the vector of the first token" if self.first else "the mean of the vectors of all tokens"
        return f"{what}{', of length one' if self.normalised else ''}."


def stated(task: str | None) -> str | None:
    """The task, where it is one that can be stated."""
    return task if task in STATED_TASKS else None


def pooling(folder: ModelFolder) -> Pooling:
    """What ``modules.json`` of a sentence encoder says; without one, the mean."""
    if not folder.has(_MODULES):
        return Pooling()
    first = normalised = False
    for part in folder.listed(_MODULES):
        kind, place = str(part.get("type", "")), str(part.get("path", ""))
        normalised |= kind.endswith("Normalize")
        if kind.endswith("Pooling") and "/" not in place and place and not place.startswith("."):
            first = bool(folder.described(f"{place}/config.json").get("pooling_mode_cls_token"))
    return Pooling(first, normalised)


def pooled(module: nn.Module, how: Pooling) -> nn.Module:
    """The same network, whose forward gives one embedding a sample; parameters keep their names."""
    plain = type(module)
    forward = plain.forward

    def embedding(self: nn.Module, *inputs: Foreign, **named: Foreign) -> Tensor:
        vectors: Tensor = forward(self, *inputs, **named)[0]
        if vectors.dim() == 4:  # a map of features
            return vectors.mean(dim=(2, 3))
        return _pooled(vectors, named.get("attention_mask"), how)

    settings = {"forward": embedding, "__module__": plain.__module__}
    module.__class__ = type(plain.__name__, (plain,), settings)
    return module


def _pooled(vectors: Tensor, mask: Tensor | None, how: Pooling) -> Tensor:
    if how.first:
        one = vectors[:, 0]
    elif mask is None:
        one = vectors.mean(dim=1)
    else:
        weights = mask.unsqueeze(-1).to(vectors.dtype)
        one = (vectors * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
    return functional.normalize(one, dim=-1) if how.normalised else one
