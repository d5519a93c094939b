"""Weights that a file holds in parts: an original and its pruning mask, a direction and its length."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from explorer.text.names import listed

_ORIGINAL, _MASK = "_orig", "_mask"
# The length and the direction of weight normalisation, as torch named them before and after parametrizations.
_NORMS = (("_g", "_v"), ("original0", "original1"))
_PARAMETRIZATIONS = "parametrizations."


def folded(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor] | None = None
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors with the parts of each weight joined to the one weight, in its place, and the repairs.

    Parts stay apart where they are ``expected`` so: by a module that computes its weights from them itself.
    """
    joined, masked = _joined(tensors, _masked(tensors), expected)
    joined, normed = _joined(joined, _normed(joined), expected)
    repairs = []
    if masked:
        repairs.append(f"Pruning masks were multiplied into the weights, as prune.remove does: {listed(masked, 3)}.")
    if normed:
        what = "Weight normalisation was folded into the weights, as remove_weight_norm does"
        repairs.append(f"{what}: {listed(normed, 3)}.")
    return joined, repairs


def _joined(
    tensors: Mapping[str, Tensor], parts: Mapping[str, tuple[str, str]], expected: Mapping[str, Tensor] | None
) -> tuple[dict[str, Tensor], list[str]]:
    """With each weight of ``parts`` (name: what it is computed from) where the first of its parts stood."""
    parts = {name: pair for name, pair in parts.items() if expected is None or expected.keys().isdisjoint(pair)}
    whole = {pair: name for name, pair in parts.items()}
    at = {min(pair, key=list(tensors).index): pair for pair in whole}
    gone = {name for pair in whole for name in pair}
    joined: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in at:
            joined[whole[at[name]]] = _product(*(tensors[part] for part in at[name]))
        elif name not in gone:
            joined[name] = tensor
    return joined, list(parts)


def _product(one: Tensor, other: Tensor) -> Tensor:
    """A weight times its mask of the same shape, or a length times its direction over the length it has."""
    if one.shape == other.shape and bool(((other == 0) | (other == 1)).all()):
        return one * other.to(one.dtype)
    over = [dim for dim in range(other.dim()) if one.dim() == 0 or one.shape[dim] == 1]
    direction = other.double()
    length = direction.norm(dim=over, keepdim=True) if over else direction.abs()
    return (direction * (one.double() / length)).to(other.dtype)


def _masked(tensors: Mapping[str, Tensor]) -> dict[str, tuple[str, str]]:
    """weight: (weight_orig, weight_mask), where the mask has the weight's shape and holds zeros and ones."""
    pairs = {}
    for name in tensors:
        stem = name.removesuffix(_ORIGINAL)
        mask = tensors.get(stem + _MASK)
        if stem == name or stem in tensors or mask is None or mask.shape != tensors[name].shape:
            continue
        if bool(((mask == 0) | (mask == 1)).all()):
            pairs[stem] = (name, stem + _MASK)
    return pairs


def _normed(tensors: Mapping[str, Tensor]) -> dict[str, tuple[str, str]]:
    """weight: (its lengths, its direction), where there is one length for each index of one dimension, or of all."""
    pairs = {}
    for name in tensors:
        for length, direction in _NORMS:
            stem = name.removesuffix(length)
            other = stem + direction
            if stem == name or other not in tensors or not _is_length(tensors[name], tensors[other]):
                continue
            weight = stem.replace(_PARAMETRIZATIONS, "").removesuffix(".")
            if weight not in tensors:
                pairs[weight] = (name, other)
    return pairs


def _is_length(length: Tensor, direction: Tensor) -> bool:
    if not (length.is_floating_point() and direction.is_floating_point()) or direction.dim() < 2:
        return False
    if length.dim() == 0:
        return True
    fits = length.dim() == direction.dim() and all(
        n in (1, m) for n, m in zip(length.shape, direction.shape, strict=True)
    )
    return fits and sum(n > 1 for n in length.shape) <= 1
