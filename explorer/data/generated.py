"""No data at all: generated inputs, on which a pruned model can only be compared with itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.data.language.vocabulary import vocabularies
from explorer.data.request import DataRequest, refuse_task
from explorer.data.splitting import counts, tensors
from explorer.errors import ExplorerError
from explorer.types import Dataset, LoadedModel, Split, tensors_digest
from explorer.types.inputs import Inputs, is_floating, n_values, rebuilt, tensors_of

N_INPUTS = {"fit": 128, "tune": 512}
BYTES_PER_SPLIT = 256 * 2**20


@dataclass(frozen=True)
class Generated:
    """Standard normal noise in the shape the model takes, or words of its vocabulary, without labels.

    The pruned model is judged by agreement with the dense one. Noise is not what the model will
    meet in use, so agreement here says little about accuracy; the dataset's meta says so.
    """

    key: ClassVar[str] = "none"
    form: ClassVar[str] = "none"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, *input shape) float32, or int64 below the embedding's size; no y. Needs ``model``."""
        refuse_task(request, but=None, what="Generated inputs have no labels.")
        if request.place or request.splits is not None:
            raise ExplorerError("Generated inputs take no options but the seed.", fix="Write none, and nothing else.")
        example = self._example(request.model)
        generator = torch.Generator().manual_seed(request.seed)
        n_max = max(16, BYTES_PER_SPLIT // (4 * n_values(example) or 4))
        tokens = {} if is_floating(example) or request.model is None else vocabularies(request.model)
        splits = {
            name: Split(name, _noise(min(N_INPUTS[name], n_max), example, generator, tokens), None)
            for name in ("fit", "tune")
        }
        n_classes = 0 if request.model is None else request.model.n_classes or 0
        return Dataset(
            address=request.address,
            splits=splits,
            classes=tuple(str(i) for i in range(n_classes)),
            digest=tensors_digest(tensors(splits)),
            why_no_split={
                "test": "Generated inputs have no labels, so there is nothing a final verdict could rest on."
            },
            meta={
                "generated": f"{_what(tokens)}, not real data: only agreement with the dense model is measured.",
                "seed": request.seed,
                "n": counts(splits),
            },
        )

    def _example(self, model: LoadedModel | None) -> Inputs:
        if model is None:
            why = "Its input shape is what is generated."
            raise ExplorerError("Generated inputs need a model.", why=why, fix="Give model=..., or other data.")
        if model.example is None:
            raise ExplorerError(
                f"No inputs can be generated for {model.address}.",
                why=model.why_not_runnable or "It does not say what its inputs look like.",
                fix="Open it with an architecture.",
            )
        if not is_floating(model.example) and not vocabularies(model):
            raise ExplorerError(
                f"No inputs can be generated for {model.address}.",
                why="It takes whole numbers (such as words), and random ones would mean nothing.",
                fix="Choose real data.",
            )
        return model.example


def _what(tokens: Mapping[str, int]) -> str:
    return "Random words of the model's vocabulary" if tokens else "Standard normal noise"


def _noise(n: int, example: Inputs, generator: torch.Generator, tokens: Mapping[str, int]) -> Inputs:
    tensors_by_key = {key: _inputs(n, x, generator, tokens.get(key)) for key, x in tensors_of(example).items()}
    return tensors_by_key["0"] if isinstance(example, Tensor) else rebuilt(example, tensors_by_key)


def _inputs(n: int, example: Tensor, generator: torch.Generator, n_words: int | None) -> Tensor:
    """Noise; words of a vocabulary of ``n_words``; of other whole numbers, masks and the like, the example's own."""
    shape = (n, *example.shape[1:])
    if example.is_floating_point():
        return torch.randn(shape, generator=generator)
    if n_words is not None:
        return torch.randint(n_words, shape, generator=generator).to(example.dtype)
    return example[:1].expand(shape).contiguous()
