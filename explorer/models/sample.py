"""The bundled models: small, trained on real digits or text, verified before they are used."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import torch
from safetensors.torch import load
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.architectures import ARCHITECTURES
from explorer.models.assemble import Weights, assemble, skeleton
from explorer.models.request import ModelRequest
from explorer.models.tied import tied_names
from explorer.types import LoadedModel
from explorer.types.aliases import JsonObject

# Beside the package, in a working copy as well as in an installed one.
FOLDER = Path(__file__).resolve().parents[2] / "sample_models"
FIRST = "digits-cnn"


@cache
def manifest() -> Mapping[str, JsonObject]:
    """What is known about each bundled model, by name; the one to start with comes first."""
    with (FOLDER / "manifest.toml").open("rb") as file:
        content = tomllib.load(file)
    return {name: content[name] for name in sorted(content, key=lambda name: (name != FIRST, name))}


def initial_weights(name: str) -> dict[str, Tensor]:
    """The exact weights and buffers a bundled model was trained from (for rewinding)."""
    # Large ones start at numbers of 16 bits, and are stored so.
    stored = _verified(f"{name}.init.safetensors", _entry(name)["init_sha256"])
    return {key: tensor.float() if tensor.dtype == torch.float16 else tensor for key, tensor in stored.items()}


def _entry(name: str) -> JsonObject:
    if name not in manifest():
        raise ExplorerError(f"There is no bundled model {name!r}.", fix=f"Choose one of: {', '.join(manifest())}.")
    return manifest()[name]


def _verified(filename: str, sha256: str) -> dict[str, Tensor]:
    try:
        content = (FOLDER / filename).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ExplorerError(
            f"The bundled file {filename} is missing or was changed.",
            why="Its checksum is not the one in the manifest.",
            fix="Install the project again, or run: python -m sample_models.train",
        )
    # Cloned, so that the memory is torch's own, aligned as for any other tensor.
    return {key: tensor.clone() for key, tensor in load(content).items()}


@dataclass(frozen=True)
class Sample:
    """A bundled model by its name."""

    key: ClassVar[str] = "sample"
    form: ClassVar[str] = "the name of a bundled model"

    def owns(self, address: str) -> bool:
        """Whether this is the name of a bundled model."""
        return address in manifest()

    def load(self, request: ModelRequest) -> LoadedModel:
        """The trained model, with its licence and its accuracy on each split in ``meta``."""
        entry = _entry(request.address)
        if request.arch not in (None, entry["architecture"]) or request.arch_args:
            raise ExplorerError(
                f"{request.address} is a {entry['architecture']} and no other architecture.",
                fix="Leave the architecture out.",
            )
        architecture = ARCHITECTURES.get(entry["architecture"], **entry["arguments"])
        weights = Weights(
            address=request.address,
            label=request.address,
            tensors=_verified(f"{request.address}.safetensors", entry["sha256"]),
            aliases={other: first for first, *others in tied_names(skeleton(architecture)) for other in others},
            data=entry["data"],
            meta={
                "source": "sample",
                "label": request.address,
                "licence": entry["licence"],
                "accuracy": dict(entry["accuracy"]),
                **({"perplexity": dict(entry["perplexity"]), "task": "tokens"} if "perplexity" in entry else {}),
                "seed": entry["seed"],
                "epochs": entry["epochs"],
                "training": dict(entry["training"]),
            },
        )
        return assemble(weights, architecture)
