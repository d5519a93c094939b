"""``inspect``: what is in a model, layer by layer, before anything is pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from torch import Tensor

from explorer.analysis import collapse
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.checkpoints import inspect_files
from explorer.cli.run.loading import load_model
from explorer.pruning.layers import layer_table
from explorer.pruning.weight_counts import weight_counts
from explorer.ranking.of_each import quantiles_of_each
from explorer.ranking.order import Magnitudes
from explorer.ranking.together import not_finite
from explorer.text.numbers import percent_asked
from explorer.types import LayerInfo, LayerTable, LoadedModel
from explorer.types.aliases import JsonDict

SHARES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)
_SHARE_NAMES = tuple(f"{share:g}" for share in SHARES)


def run(args: Arguments) -> int:
    """Print the layer table."""
    if args.stream:
        return inspect_files(args)
    model = load_model(args)
    layers = layer_table(model)
    rows = layer_rows(model, layers)
    findings = list(dict.fromkeys([*model.findings, *collapse.of_weights(model, layers)]))
    if args.json:
        printing.say_json(_json(model, rows, findings))
        return 0
    n_prunable = printing.count(layers.n_prunable)
    address = printing.clean_terminal(model.address)
    printing.say(
        f"{address}: {printing.count(model.n_parameters)} parameters, {n_prunable} prunable",
        "",
        *printing.table(_HEAD, [_cells(row) for row in rows], left=2),
        *_below(model, rows, [printing.finding_line(f) for f in findings]),
    )
    return 0


_HEAD = ("layer", "kind", "shape", "weights", "zeros", *(f"|w| {percent_asked(s)}" for s in SHARES))


def layer_rows(model: LoadedModel, layers: LayerTable) -> list[JsonDict]:
    """One row a layer, as JSON: what it is, its zeros, and quantiles of |w| where they exist."""
    tensors = {layer.name: model.weights[layer.parameter] for layer in layers}
    quantiles = _quantiles(layers, tensors)
    n_zeros = weight_counts(model).n_zeros
    return [_row(layer, tensors[layer.name], n_zeros[layer.parameter], quantiles.get(layer.name)) for layer in layers]


def _row(layer: LayerInfo, weights: Tensor, n_zeros: int, quantiles: Sequence[float] | None) -> JsonDict:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "dtype": str(weights.dtype).removeprefix("torch."),
        "n_weights": layer.n_weights,
        "n_zeros": n_zeros,
        "quantiles": None if quantiles is None else dict(zip(_SHARE_NAMES, quantiles, strict=True)),
        "prunable": layer.prunable,
        "why_not": layer.why_not,
        "aliases": list(layer.aliases),
    }


def _quantiles(layers: LayerTable, tensors: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """Quantiles of |w| for every layer whose numbers can be ranked, as those of prunable layers can."""
    floating = {name: t for name, t in tensors.items() if t.numel() and t.is_floating_point()}
    unsure = (layer.name for layer in layers if not layer.prunable and layer.name in floating)
    broken = not_finite({name: floating[name] for name in unsure})
    rankable = {name: t for name, t in floating.items() if name not in broken}
    return quantiles_of_each(Magnitudes.of_each(rankable, absolute=True), SHARES)


def _json(model: LoadedModel, rows: list[JsonDict], findings: list[Any]) -> JsonDict:
    return {
        "model": {"address": model.address, "digest": model.digest},
        "architecture": model.meta.get("arch"),
        "data": model.data,
        "runnable": model.module is not None,
        "why_not_runnable": model.why_not_runnable,
        "n_parameters": model.n_parameters,
        "n_prunable": sum(row["n_weights"] for row in rows if row["prunable"]),
        "layers": rows,
        "findings": [asdict(f) for f in findings],
        "repairs": list(model.repairs),
    }


def _cells(row: JsonDict) -> list[str]:
    values = row["quantiles"] or {}
    return [
        row["name"],
        row["kind"],
        " x ".join(map(str, row["shape"])) or "scalar",
        printing.count(row["n_weights"]),
        printing.count(row["n_zeros"]),
        *map(printing.number, map(values.get, _SHARE_NAMES)),
    ]


def _below(model: LoadedModel, rows: list[JsonDict], findings: list[str]) -> list[str]:
    reasons: dict[str, int] = {}
    for row in rows:
        if row["why_not"]:
            reasons[row["why_not"]] = reasons.get(row["why_not"], 0) + 1
    lines = [f"not prunable ({n} tensors): {reason}" for reason, n in reasons.items()]
    lines += [f"repaired: {text}" for text in model.repairs]
    lines += [f"note: {model.why_not_runnable}"] if model.why_not_runnable else []
    lines += findings
    return ["", *map(printing.clean_terminal, lines)] if lines else []
