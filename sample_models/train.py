"""Train the bundled models: ``python -m sample_models.train [name ...]``.

Each run is seeded and single-threaded, uses the fit split alone, keeps the last epoch and looks at
tune and test once, to write their accuracy (of a language model: its perplexity, too) into the manifest.
"""

from __future__ import annotations

import hashlib
import logging
import math
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from explorer import data
from explorer.models.architectures import ARCHITECTURES
from explorer.models.tied import tied_names
from explorer.params import member_to_json
from explorer.recovery.augmentation import moved
from explorer.types import Dataset, Split

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.toml"
log = logging.getLogger("sample_models.train")


@dataclass(frozen=True)
class Recipe:
    """How one architecture is trained; ``shift`` is the largest move of the picture in pixels."""

    architecture: str
    epochs: int
    learning_rate: float
    weight_decay: float = 0.05
    batch_size: int = 64
    shift: float = 1.0
    label_smoothing: float = 0.05
    seed: int = 0
    data: str = "digits"


SPLITS = ("fit", "tune", "test")
_AT_ONCE = 256

# What the manifest tells of a training, for whoever trains the same model again.
TRAINING = ("epochs", "learning_rate", "weight_decay", "batch_size", "shift", "label_smoothing")

RECIPES = (
    Recipe("digits-mlp", epochs=150, learning_rate=2e-3),
    Recipe("digits-cnn", epochs=40, learning_rate=3e-3),
    Recipe("digits-resnet", epochs=40, learning_rate=3e-3),
    Recipe("digits-gru", epochs=240, learning_rate=3e-3),
    Recipe("digits-vit", epochs=240, learning_rate=3e-3),
    Recipe(
        "topics-gpt",
        epochs=7,
        learning_rate=3e-3,
        weight_decay=0.1,
        batch_size=8,
        shift=0.0,
        label_smoothing=0.0,
        data="topics",
    ),
)


def train(module: nn.Module, fit: Split, recipe: Recipe) -> None:
    """AdamW with a cosine schedule and a short warm-up, in place."""
    generator = torch.Generator().manual_seed(recipe.seed)
    optimiser = torch.optim.AdamW(module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    n_steps = recipe.epochs * math.ceil(len(fit) / recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, n_steps, pct_start=0.1)
    module.train()
    for _ in range(recipe.epochs):
        for index in torch.randperm(len(fit), generator=generator).split(recipe.batch_size):
            x, y = fit.x[index], labels(fit)[index]
            scores = module(moved(x, recipe.shift, generator) if recipe.shift else x)
            optimiser.zero_grad()
            F.cross_entropy(scores.flatten(0, -2), y.flatten(), label_smoothing=recipe.label_smoothing).backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    module.eval()


def labels(split: Split) -> Tensor:
    """The labels of a split that has them."""
    if split.y is None:
        raise ValueError(f"{split.name} has no labels")
    return split.y


def accuracy(module: nn.Module, split: Split) -> float:
    """Share of the split's samples (of a language model: of their tokens) that an eval-mode module gets right."""
    with torch.no_grad():
        right = [
            module(x).argmax(-1) == y
            for x, y in zip(split.x.split(_AT_ONCE), labels(split).split(_AT_ONCE), strict=True)
        ]
    return float(torch.cat(right).double().mean())


def perplexity(module: nn.Module, split: Split) -> float:
    """exp of the mean negative log-likelihood of the split's tokens."""
    with torch.no_grad():
        nats = [
            F.cross_entropy(module(x).double().flatten(0, 1), y.flatten(), reduction="none")
            for x, y in zip(split.x.split(_AT_ONCE), labels(split).split(_AT_ONCE), strict=True)
        ]
    return math.exp(float(torch.cat(nats).mean()))


def trained(recipe: Recipe, dataset: Dataset) -> tuple[nn.Module, dict[str, Tensor]]:
    """The trained module, and a copy of the weights it started from."""
    module = started(recipe)
    start = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    train(module, dataset.splits["fit"], recipe)
    return module, start


def started(recipe: Recipe) -> nn.Module:
    """The module before training. Large ones start at numbers of 16 bits, so that their file is half as large."""
    torch.manual_seed(recipe.seed)
    module = ARCHITECTURES.get(recipe.architecture).build()
    if _is_large(module.state_dict()):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(parameter.half())
    return module


def _is_large(tensors: dict[str, Tensor]) -> bool:
    return sum(tensor.numel() for tensor in tensors.values()) > 500_000


def write(name: str, tensors: dict[str, Tensor]) -> str:
    """Save tensors beside this script; the sha256 of the file."""
    content = save({key: tensor.contiguous() for key, tensor in tensors.items()})
    (HERE / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def entry(recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """Train one model, write both weight files, and describe them for the manifest."""
    began = time.perf_counter()
    module, start = trained(recipe, dataset)
    seconds = time.perf_counter() - began
    name = recipe.architecture
    arguments = member_to_json(ARCHITECTURES.get(name))
    reached = {split: round(accuracy(module, dataset.splits[split]), 6) for split in SPLITS}
    log.info("%s: %.0f s, %s", name, seconds, reached)
    tied = {other for _, *others in tied_names(module) for other in others}  # written once
    state = {key: tensor for key, tensor in module.state_dict().items() if key not in tied}
    start = {key: start[key].half() if _is_large(start) else start[key] for key in state}
    return {
        "architecture": arguments.pop("key"),
        "arguments": arguments,
        "data": recipe.data,
        "data_digest": dataset.digest,
        "n": {split: len(part) for split, part in dataset.splits.items()},
        "accuracy": reached,
        **_of_tokens(module, dataset),
        "seed": recipe.seed,
        "epochs": recipe.epochs,
        "training": {name: getattr(recipe, name) for name in TRAINING},
        "optimiser": f"AdamW, learning rate {recipe.learning_rate:g}, weight decay {recipe.weight_decay:g}, cosine",
        "sha256": write(f"{name}.safetensors", state),
        "init_sha256": write(f"{name}.init.safetensors", start),
        "licence": "Apache-2.0",
        "torch": torch.__version__,
    }


def _of_tokens(module: nn.Module, dataset: Dataset) -> dict[str, Any]:
    if dataset.meta.get("task") != "tokens":
        return {}
    return {"perplexity": {split: round(perplexity(module, dataset.splits[split]), 4) for split in SPLITS}}


def as_toml(models: dict[str, dict[str, Any]]) -> str:
    """The manifest's text: one table per model."""
    lines = ["# Written by python -m sample_models.train"]
    for name in sorted(models):
        lines += ["", f'["{name}"]']
        lines += [f"{key} = {_value(value)}" for key, value in models[name].items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def main(names: list[str]) -> None:
    """Train the named models, or all, and bring the manifest up to date."""
    torch.set_num_threads(1)  # the same sums on every machine, and no slower at this size
    unknown = set(names) - {recipe.architecture for recipe in RECIPES}
    if unknown:
        sys.exit(f"No recipe for {', '.join(sorted(unknown))}.")
    models = tomllib.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    for recipe in RECIPES:
        if not names or recipe.architecture in names:
            models[recipe.architecture] = entry(recipe, data.load(recipe.data))
            MANIFEST.write_text(as_toml(models))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(sys.argv[1:])
