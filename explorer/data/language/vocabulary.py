"""How many words a model knows: the size of the embedding that its whole numbers go into."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.types import LoadedModel
from explorer.types.inputs import call, cloned, tensors_of
from explorer.types.tensors import held_tensors


def vocabularies(model: LoadedModel) -> dict[str, int]:
    """For each input that is looked up in embeddings the number of words it may name, by the input's key.

    Seen by running the example once through a private shell; empty where nothing is looked up, or it does not run.
    """
    if model.module is None or model.example is None:
        return {}
    x = cloned(model.example)
    seen = _Lookups()
    try:
        with torch.inference_mode(), seen:
            call(_shell(model.module), x)
    except (Exception, SystemExit):  # the model's own code runs here and may raise anything
        logging.getLogger(__name__).exception("The example could not be run.")
        return {}
    whole = {key: tensor for key, tensor in tensors_of(x).items() if not tensor.is_floating_point()}
    sizes: dict[str, int] = {}
    for n_words, indices in seen.lookups:
        for key in _those_of(indices, whole):
            sizes[key] = min(n_words, sizes.get(key, n_words))
    return sizes


def _shell(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module, {id(tensor): tensor for tensor in held_tensors(module)})


def _those_of(indices: Tensor, whole: dict[str, Tensor]) -> list[str]:
    """The inputs that were looked up: the same memory, else the same numbers where only one input has them."""
    same = [key for key, tensor in whole.items() if tensor.data_ptr() == indices.data_ptr()]
    if same:
        return same
    equal = [
        key
        for key, tensor in whole.items()
        if tensor.numel() == indices.numel() and torch.equal(tensor.reshape(-1).long(), indices.reshape(-1).long())
    ]
    return equal if len(equal) == 1 else []


class _Lookups(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every look-up in an embedding: how many rows it has, and which were asked for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lookups: list[tuple[int, Tensor]] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func is torch.ops.aten.embedding.default:
            weights, indices = args[:2]
            if isinstance(weights, Tensor) and isinstance(indices, Tensor):
                self.lookups.append((len(weights), indices))
        return func(*args, **(kwargs or {}))
