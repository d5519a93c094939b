"""How a text becomes the whole numbers that a model takes: by the model's own tokenizer, else byte by byte."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.data.language.vocabulary import vocabularies
from explorer.errors import ExplorerError
from explorer.text.names import clean
from explorer.types import Finding, Inputs, InputSet, LoadedModel
from explorer.types.inputs import rebuilt, tensors_of

_TOKENS = ("input_ids", "tokens", "ids", "x")
_MASK = "attention_mask"
_BYTES = 256


@dataclass(frozen=True)
class Tokenizer:
    """``encode`` gives the tokens of one text; ``ends``: those of a whole sample, with its marks of begin and end."""

    name: str
    encode: Callable[[str], list[int]]
    ends: Callable[[str], list[int]]
    padding: int

    @property
    def finding(self) -> Finding:
        """How texts were read."""
        return Finding("ok", f"Texts are read by {self.name}.")


@dataclass(frozen=True)
class Places:
    """The model's example and which of its inputs the tokens are."""

    example: Inputs
    key: str

    @property
    def length(self) -> int:
        """Tokens in a sample."""
        return int(tensors_of(self.example)[self.key].shape[1])

    def inputs(self, tokens: Tensor, mask: Tensor) -> Inputs:
        """(n, length) tokens and which of them are no padding, with what else the model takes."""
        n = len(tokens)
        rest = tensors_of(self.example)
        each = {key: tensor[:1].expand(n, *tensor.shape[1:]).contiguous() for key, tensor in rest.items()}
        each[self.key] = tokens.to(rest[self.key].dtype)
        if _MASK in each:
            each[_MASK] = mask.to(rest[_MASK].dtype)
        return rebuilt(self.example, each) if isinstance(self.example, InputSet) else each[self.key]


def places_of_tokens(model: LoadedModel | None, address: str) -> Places:
    """Where a model takes its tokens. Raises ExplorerError for one that takes none."""
    example = None if model is None else model.example
    whole = {} if example is None else {k: t for k, t in tensors_of(example).items() if not t.is_floating_point()}
    key = next((name for name in _TOKENS if name in whole), next(iter(whole), ""))
    if example is None or not key or whole[key].dim() != 2:
        what = f"{address} holds texts, and {'no model is given' if model is None else clean(model.address)}"
        why = "Texts are for models whose example is a batch of whole numbers, (samples, length)."
        raise ExplorerError(f"{what}{'' if model is None else ' takes no tokens'}.", why=why, fix="Choose other data.")
    return Places(example, key)


def tokenizer_of(model: LoadedModel, places: Places) -> Tokenizer:
    """The tokenizer of the model's folder; bytes where its vocabulary has room for them. Raises ExplorerError."""
    n_words = vocabularies(model).get(places.key)
    about = model.meta.get("preprocess")
    if isinstance(about, dict) and about.get("kind") == "tokenizer" and isinstance(about.get("folder"), str):
        return _of_folder(str(about["folder"]), n_words)
    characters = model.meta.get("characters")
    if isinstance(characters, str) and characters:
        return _of_characters(characters)
    if n_words is None or n_words < _BYTES:
        size = "its vocabulary cannot be seen" if n_words is None else f"its vocabulary has {n_words} words"
        why = f"The model has no tokenizer of its own, and {size}: bytes need {_BYTES}."
        fix = "Open the model from a folder with its tokenizer, or give arrays of tokens."
        raise ExplorerError("These texts cannot be made tokens.", why=why, fix=fix)

    def encode(text: str) -> list[int]:
        return list(text.encode("utf-8"))

    return Tokenizer("bytes, since the model has no tokenizer of its own", encode, encode, 0)


def _of_folder(folder: str, n_words: int | None) -> Tokenizer:
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        why = f"{error}."
        fix = "pip install transformers"
        raise ExplorerError("The model's tokenizer needs transformers.", why=why, fix=fix) from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        logging.getLogger(__name__).exception("The tokenizer could not be opened.")
        first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        what = "The tokenizer in the model's folder cannot be opened."
        raise ExplorerError(what, why=f"{clean(first, 200)}.", fix="Put the tokenizer's files beside it.") from error
    if n_words is not None and len(tokenizer) > n_words:
        why = f"The tokenizer has {len(tokenizer):,} words, the model's embedding {n_words:,}."
        raise ExplorerError("The tokenizer is not that of this model.", why=why, fix="Put the right one beside it.")
    padding = next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if isinstance(i, int)), 0)

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False, verbose=False))

    def ends(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=True, verbose=False))

    return Tokenizer(f"the tokenizer of the model's folder ({len(tokenizer):,} words)", encode, ends, padding)


def _of_characters(characters: str) -> Tokenizer:
    place = {character: k for k, character in enumerate(characters)}

    def encode(text: str) -> list[int]:
        absent = sorted({character for character in text if character not in place})
        if absent:
            why = f"The model knows {len(place)} characters; {clean(''.join(absent[:10]))!r} are not among them."
            what = "The text holds characters that the model does not know."
            raise ExplorerError(what, why=why, fix="Leave them out.")
        return [place[character] for character in text]

    return Tokenizer(f"the model's {len(place)} characters", encode, encode, 0)


def windows(tokens: Sequence[int], length: int) -> tuple[Tensor, Tensor]:
    """(n, length) tokens and the token that follows each; none of them overlap, and what is left over goes."""
    n = len(tokens) // (length + 1)
    every = torch.tensor(tokens[: n * (length + 1)], dtype=torch.long).view(n, length + 1)
    return every[:, :-1].contiguous(), every[:, 1:].contiguous()


def padded(texts: Sequence[str], tokenizer: Tokenizer, length: int) -> tuple[Tensor, Tensor, int]:
    """(n, length) tokens, which of them are no padding, and how many texts were cut."""
    tokens = torch.full((len(texts), length), tokenizer.padding, dtype=torch.long)
    mask = torch.zeros(len(texts), length, dtype=torch.long)
    n_cut = 0
    for row, text in enumerate(texts):
        ids = tokenizer.ends(text)
        n_cut += len(ids) > length
        if len(ids) > length:
            ids = [*ids[: length - 1], ids[-1]]  # the mark of the end stays
        tokens[row, : len(ids)], mask[row, : len(ids)] = torch.tensor(ids, dtype=torch.long), 1
    return tokens, mask, n_cut
