"""Weights saved while ``torch.nn.utils.prune`` is active: ``weight_orig`` times ``weight_mask`` is the weight."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from explorer.text.names import listed

_WEIGHTS, _MASK = "_orig", "_mask"


def folded(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor] | None = None
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors with each pair of original and mask as the one masked weight, in its place, and the repair.

    A pair stays apart where it is ``expected`` so: by a module that is under ``torch.nn.utils.prune`` itself.
    """
    pairs = {name: tensor for name in tensors if (tensor := _mask_of(name, tensors)) is not None}
    pairs = {name: mask for name, mask in pairs.items() if expected is None or name not in expected}
    if not pairs:
        return dict(tensors), []
    masks = {name.removesuffix(_WEIGHTS) + _MASK for name in pairs}
    joined: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in pairs:
            joined[name.removesuffix(_WEIGHTS)] = tensor * pairs[name].to(tensor.dtype)
        elif name not in masks:
            joined[name] = tensor
    names = listed([name.removesuffix(_WEIGHTS) for name in pairs], 3)
    return joined, [f"Pruning masks were multiplied into the weights, as prune.remove does: {names}."]


def _mask_of(name: str, tensors: Mapping[str, Tensor]) -> Tensor | None:
    """The mask of zeros and ones that belongs to NAME_orig, or None."""
    stem = name.removesuffix(_WEIGHTS)
    mask = tensors.get(stem + _MASK)
    if stem == name or stem in tensors or mask is None or mask.shape != tensors[name].shape:
        return None
    return mask if bool(((mask == 0) | (mask == 1)).all()) else None
