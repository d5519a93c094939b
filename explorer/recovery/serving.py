"""What a language model takes of memory when it is served: its weights, and the keys and values of what was read.

The cache holds, of every token of every text in the batch, one key and one value in each layer. Zeros among single
weights make it no smaller; heads that are cut out do. Everything is counted, nothing is measured.

Source: Shazeer 2019, arXiv:1911.02150 (why the cache counts, and why fewer heads of keys and values make it smaller).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.analysis.costs import comparable
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes
from explorer.metrics.size import file_dtypes, stored_tensors
from explorer.pruning.apply import private_shell
from explorer.pruning.criteria.places import is_language_model
from explorer.pruning.running import runnable
from explorer.recovery.quantized_size import quantized_sizes
from explorer.recovery.settings import CACHE_BITS
from explorer.types import LoadedModel, Measurement, Plan
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import call

FEWER_BITS = (8, 4)


@dataclass(frozen=True)
class Serving:
    """The memory of one number format, in bytes.

    ``dense``: weights for dense kernels, zeros among them stored; ``smallest``: the smallest kind of file.
    """

    bits: int
    dense: Measurement
    smallest: Measurement
    cache: Measurement

    def to_json(self) -> dict[str, object]:
        """One flat JSON-able row."""
        return {
            "bits": self.bits,
            "weights_dense": self.dense.value,
            "weights_smallest": self.smallest.value,
            "smallest_kind": self.smallest.name,
            "cache": self.cache.value,
            "together_dense": self.dense.value + self.cache.value,
            "note": self.cache.note,
        }


def serving(
    model: LoadedModel, plan: Plan, *, batch: int = 1, context: int = 2048, cache_bits: int = 16
) -> tuple[Serving, ...]:
    """Rows for the model's own numbers and for 8 and 4 bits, with the cache of ``batch`` texts of ``context`` tokens.

    Raises ExplorerError for a model whose keys and values cannot be counted.
    """
    if batch < 1 or context < 1 or cache_bits not in CACHE_BITS:
        fix = f"Give a batch and a context of 1 or more, and one of {CACHE_BITS} bits."
        raise ExplorerError("There is no such cache.", fix=fix)
    per_token, note = cache_values(model, plan)
    n_bytes = per_token * batch * context * cache_bits // 8
    text = f"{per_token:,} numbers for each token, {cache_bits} bits each. {note}".strip()
    cache = Measurement("cache", n_bytes, "bytes", "counted", batch_size=batch, note=text)
    files = file_sizes(model, plan)
    rows = [(*_own(model, files), files)]
    for bits in FEWER_BITS:
        whole = quantized_sizes(model, plan, bits)
        rows.append((bits, whole.get("int8_removed") or whole["int8"], whole))
    return tuple(Serving(bits, dense, min(kinds.values(), key=_bytes), cache) for bits, dense, kinds in rows)


def _bytes(size: Measurement) -> float:
    return size.value


def _own(model: LoadedModel, files: Mapping[str, Measurement]) -> tuple[int, Measurement]:
    """The bits of the type that most weights are stored in, and the bytes of all of them, tied ones once."""
    own, n_bytes = file_dtypes(model), Counter[torch.dtype]()
    for name, tensor in stored_tensors(model).items():
        dtype = own.get(name, tensor.dtype)
        n_bytes[dtype] += tensor.numel() * dtype.itemsize
    most = n_bytes.most_common(1)[0][0]
    counted = Measurement("weights", n_bytes.total(), "bytes", "counted", note="Zeros are stored as any number.")
    return 8 * most.itemsize, files.get("removed") or counted


def cache_values(model: LoadedModel, plan: Plan) -> tuple[int, str]:
    """How many keys and values the pruned model keeps of one token, over all layers, and a sentence where it matters.

    Raises ExplorerError where they cannot be counted.
    """
    if not is_language_model(model):
        fix = "Open a language model, such as topics-gpt."
        raise ExplorerError(f"{model.address} keeps no keys and values from token to token.", fix=fix)
    dense = runnable(model)
    attended = _attended(dense, model)
    n_values = _cached(dense, model) or attended
    if not n_values:
        why = "It has no cache of transformers, and does not attend by torch's scaled_dot_product_attention."
        raise ExplorerError(f"The keys and values of {model.address} cannot be counted.", why=why, fix="See its code.")
    pair = comparable(model, plan)
    if pair.form == "masked":
        return n_values, "Zeros make it no smaller." if plan.n_pruned else ""
    smaller = _attended(pair.pruned, model)
    if not smaller or not attended:
        return n_values, "Counted of the dense network: that of the pruned one could not be followed."
    return n_values * smaller // attended, ""


def _cached(module: nn.Module, model: LoadedModel) -> int:
    """What a cache of transformers holds after one pass, by token; 0 where the network has none."""
    if not hasattr(module, "config"):
        return 0
    tokens = model.example
    if not isinstance(tokens, Tensor):
        return 0
    with torch.no_grad():
        answer = _quietly(lambda: private_shell(module)(tokens[:1], use_cache=True))
    layers = getattr(getattr(answer, "past_key_values", None), "layers", None) or ()
    held: list[object] = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
    return sum(t.numel() for t in held if isinstance(t, Tensor)) // tokens.shape[1]


def _attended(module: nn.Module, model: LoadedModel) -> int:
    """Numbers of keys and values, by token, that attention is given in one pass; 0 where it is not torch's own."""
    watch = _Attention()
    example = model.example
    if example is None:
        return 0
    with torch.no_grad(), watch:
        _quietly(lambda: call(private_shell(module), example[:1]))
    return watch.n_values


def _quietly(run: Callable[[], object]) -> object:
    """What a pass gives; None where the network's own code, which may raise anything, does not run this way."""
    try:
        return run()
    except Exception:
        logging.getLogger(__name__).exception("The pass that counts keys and values did not run.")
        return None


class _Attention(TorchFunctionMode):
    """While it is on, it counts the keys and values of every attention of torch, by token."""

    def __init__(self) -> None:
        super().__init__()
        self.n_values = 0

    def __torch_function__(
        self, func: Operation, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        if func is F.scaled_dot_product_attention:
            for tensor in _keys_and_values(args, kwargs or {}):
                self.n_values += tensor.numel() // (len(tensor) * tensor.shape[-2])
        return func(*args, **(kwargs or {}))


def _keys_and_values(args: CallArguments, kwargs: NamedArguments) -> Iterator[Tensor]:
    given = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
    yield from (given[name] for name in ("key", "value") if isinstance(given.get(name), Tensor))
