"""Repeat a pruning with plain torch: exactly as many units of each layer as then, lowest first.

    python THIS_FILE WEIGHTS [OUT.safetensors] [--cut]

WEIGHTS is the original state dict (.safetensors, or a PyTorch checkpoint of plain tensors). Without OUT only the
hash of the masks is printed. OUT gets the weights with zeros where they were pruned; with --cut whole units are
removed instead, so that the tensors fit the smaller network. It ends with status 1 when the masks are not the
recorded ones. Where the pruning also gave kept weights new values, which were computed from data, those values are
in this file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import zlib
from typing import Any

import torch
from torch import Tensor


def masks_of(weights: dict[str, Tensor], recipe: dict[str, Any]) -> dict[str, Tensor]:
    """{parameter: bool mask, True keeps}: each step's lowest units go, ties in index order."""
    masks = {name: unpacked(given) for name, given in recipe["given"].items()}
    kept: dict[str, dict[int, Tensor]] = {}
    for step in recipe["steps"]:
        keep = torch.ones(step["n_units"], dtype=torch.bool)
        scores = score(groups_of(weights, step), step["score"], step["name"])
        keep[torch.argsort(scores, stable=True)[: step["n_pruned"]]] = False
        if step["parameter"] is not None:
            masks[step["parameter"]] = keep.reshape(weights[step["parameter"]].shape)
        for part in step["parts"]:
            stays = along(part["units"], keep)
            dims = kept.setdefault(part["parameter"], {})
            dims[part["dim"]] = dims[part["dim"]] & stays if part["dim"] in dims else stays
    for name, dims in kept.items():
        if name in recipe["masked"]:
            mask = torch.ones(weights[name].shape, dtype=torch.bool)
            for dim, stays in dims.items():
                mask &= stays.reshape([-1 if d == dim else 1 for d in range(mask.dim())])
            masks[name] = mask
    return masks


def along(units: list[int], keep: Tensor) -> Tensor:
    """Which slices stay: slice i belongs to unit units[i], -1 to none."""
    places = torch.tensor(units)
    return torch.where(places >= 0, keep[places.clamp_min(0)], True)


def groups_of(weights: dict[str, Tensor], step: dict[str, Any]) -> Tensor:
    """(n_units, unit_size): the weights that decide how important each unit is."""
    if step["parameter"] is not None:
        return weights[step["parameter"]].float().reshape(-1, 1)
    pieces = []
    for part in step["parts"]:
        if part["role"] == "scored":
            units = torch.tensor(part["units"])
            rows = weights[part["parameter"]].float().movedim(part["dim"], 0).flatten(1)[units >= 0]
            order = torch.argsort(units[units >= 0], stable=True)
            pieces.append(rows[order].reshape(step["n_units"], -1))
    return torch.cat(pieces, dim=1)


def score(groups: Tensor, how: dict[str, Any], name: str) -> Tensor:
    """(n_units,): higher is more important."""
    if how["key"] == "random":
        generator = torch.Generator().manual_seed(zlib.crc32(f"{how['seed']}:{name}".encode()))
        draws = torch.rand(groups.shape[0], generator=generator)
        return draws.clamp_min(2**-25).masked_fill((groups == 0).all(dim=1), 0)
    magnitudes = groups.abs()
    if groups.shape[1] == 1:
        return magnitudes[:, 0]
    scale = magnitudes.amax().clamp_min(1e-38)
    mean: Tensor = (magnitudes / scale).pow(how["p"]).mean(dim=1)
    return mean.pow(1 / how["p"]) * scale


def unpacked(given: dict[str, Any]) -> Tensor:
    """A mask from its bits, the lowest first."""
    packed = torch.frombuffer(bytearray(zlib.decompress(base64.b64decode(given["bits"]))), dtype=torch.uint8)
    bits = (packed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
    n = 1
    for size in given["shape"]:
        n *= size
    return bits.reshape(-1)[:n].bool().reshape(given["shape"])


def values_of(given: dict[str, Any], like: Tensor) -> Tensor:
    """The new values of a parameter, in the type that it has in the file."""
    raw = torch.frombuffer(bytearray(zlib.decompress(base64.b64decode(given["float32"]))), dtype=torch.float32)
    return raw.reshape(like.shape).to(like.dtype)


def sha256_of(masks: dict[str, Tensor]) -> str:
    """Equal hash = equal masks: names, shapes and every bit."""
    total = hashlib.sha256()
    for name in sorted(masks):
        total.update(f"{name}|{tuple(masks[name].shape)}|".encode())
        total.update(bytes(masks[name].reshape(-1).to(torch.uint8).tolist()))
    return total.hexdigest()


def read_weights(path: str, recipe: dict[str, Any]) -> dict[str, Tensor]:
    """The state dict in a file, under the names of the recipe."""
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file

        state: Any = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        while isinstance(inner := next((state[k] for k in recipe["containers"] if k in state), None), dict):
            state = inner
    for entry in recipe["names"]:
        if entry not in state:
            longer = [name for name in state if name.endswith(f".{entry}")]
            if len(longer) != 1:
                sys.exit(f"{path} holds no {entry}: it is not the file that was pruned.")
            state[entry] = state.pop(longer[0])
    return dict(state)


def cut(weights: dict[str, Tensor], recipe: dict[str, Any], masks: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights without the slices of which nothing was kept."""
    if not any(step["parts"] for step in recipe["steps"]):
        sys.exit("There are no whole units to remove: leave out --cut.")
    lines: dict[tuple[str, int], list[Tensor]] = {}
    for step in recipe["steps"]:
        scored = next(part for part in step["parts"] if part["role"] == "scored")
        line = masks[scored["parameter"]].movedim(scored["dim"], 0).flatten(1).any(dim=1)
        keep = torch.ones(step["n_units"], dtype=torch.bool)
        for stays, unit in zip(line.tolist(), scored["units"], strict=True):
            if unit >= 0:
                keep[unit] = stays
        for part in step["parts"]:
            lines.setdefault((part["parameter"], part["dim"]), []).append(along(part["units"], keep))
    small = dict(weights)
    for (name, dim), places in lines.items():
        stays = torch.stack(places).all(dim=0)
        small[name] = small[name].index_select(dim, stays.nonzero().flatten())
    return small


def main(recipe: dict[str, Any], arguments: list[str]) -> int:
    """Repeat the pruning that ``recipe`` says."""
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(__doc__ or "")
        return 0
    paths = [a for a in arguments if a != "--cut"]
    if not 1 <= len(paths) <= 2 or any(path.startswith("-") for path in paths):
        sys.stderr.write(__doc__ or "")
        return 2
    if not os.path.isfile(paths[0]):
        sys.stderr.write(f"There is no file {paths[0]}.\n")
        return 2
    weights = read_weights(paths[0], recipe)
    masks = masks_of(weights, recipe)
    digest = sha256_of(masks)
    sys.stdout.write(json.dumps({"masks_sha256": digest, "expected": recipe["masks_sha256"]}) + "\n")
    if digest != recipe["masks_sha256"]:
        sys.stderr.write("These masks are not the recorded ones: the weights or the version of torch differ.\n")
        return 1
    if len(paths) == 2:
        write(weights, masks, recipe, paths[1], "--cut" in arguments)
    return 0


def write(
    weights: dict[str, Tensor], masks: dict[str, Tensor], recipe: dict[str, Any], path: str, smaller: bool
) -> None:
    """The pruned weights, under a temporary name until they are complete."""
    from safetensors.torch import save_file

    out = weights | {name: values_of(given, weights[name]) for name, given in recipe["values"].items()}
    for name, mask in masks.items():
        out[name] = out[name].masked_fill(~mask, 0)
    if smaller:
        out = cut(out, recipe, masks)
    for alias, first in recipe["aliases"].items():
        out[alias] = out[first]
    save_file({name: tensor.clone().contiguous() for name, tensor in out.items()}, f"{path}.part")
    os.replace(f"{path}.part", path)
