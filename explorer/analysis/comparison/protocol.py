"""What was done beside pruning, in words, and whether a comparison holds it equal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from explorer.types import TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict, JsonObject

NONE = "no retraining"
_DONE = {
    "refresh": "batch norm refreshed",
    "finetune": "fine-tuned",
    "gradual": "pruned while training",
    "rewind": "rewound",
    "narrow": "a narrower network from scratch",
}


def essence(protocol: JsonObject) -> str:
    """What a comparison must hold equal, as text: epochs, data, optimiser, teacher, kinds of steps, number format.

    Seeds, machines, masks and levels are left out: they may differ from point to point of one protocol.

    Source: Blalock et al. 2020, arXiv:2003.03033, section 6 (same data, architecture and training for all that
    is compared).
    """
    if not protocol:
        return ""
    parts = {
        "epochs": _epochs(protocol),
        "optimiser": _optimisers(protocol),
        "data": _part(protocol.get("data"), ("digest", "address", "trained_on")),
        "steps": _kinds(protocol),
        "taught": _is_taught(protocol),
        "format": _format(protocol),
    }
    return json.dumps(parts, sort_keys=True, default=str)


def in_words(protocol: JsonObject) -> str:
    """A protocol as a phrase: "fine-tuned, 20 epochs, adamw, on digits"."""
    if not protocol:
        return NONE
    epochs, form = _epochs(protocol), _format(protocol)
    parts = [_DONE.get(step, step) for step in _kinds(protocol) if step != "quantize"]
    parts = parts or ([] if form else ["retrained"])
    parts += ["taught by the dense model"] if _is_taught(protocol) else []
    parts += [f"{epochs:,} epoch{'s' if epochs != 1 else ''}"] if epochs else []
    parts += _optimisers(protocol)
    parts += [form] if form else []
    address = _part(protocol.get("data"), ("address",)).get("address")
    return ", ".join([*parts, f"on {address}"] if address and epochs else parts)


def protocol_of(points: Sequence[TradeOffPoint]) -> JsonObject:
    """The protocol of the points of one curve: the first point's; {} where there are none."""
    return points[0].protocol if points else {}


def common(curves: Iterable[TradeOff]) -> str:
    """The essence that most curves share; of equally many, pruning without retraining, then the first one."""
    counted = Counter(essence(protocol_of(curve.points)) for curve in curves if curve.points)
    return max(counted, key=lambda e: (counted[e], not e), default="")


def mismatch(curves: Sequence[TradeOff]) -> str | None:
    """What is not comparable on one chart, in a sentence; None where one protocol holds for all."""
    drawn = [curve for curve in curves if curve.points]
    usual = common(drawn)
    protocols = {essence(point.protocol): point.protocol for curve in drawn for point in curve.points}
    if len(protocols) < 2:
        return None
    others = "; ".join(in_words(protocol) for e, protocol in protocols.items() if e != usual)
    return (
        f"Not one protocol: {others} (marked by stars) beside {in_words(protocols[usual])}. What was done longer or "
        "otherwise is no evidence for a method."
    )


def _part(part: object, names: Sequence[str]) -> JsonDict:
    return {name: part.get(name) for name in names} if isinstance(part, Mapping) else {}


def _steps(protocol: JsonObject) -> list[JsonObject]:
    """The steps in order: of a recipe, or the one by which a grid recovered its networks."""
    recipe = protocol.get("recipe")
    steps = recipe.get("steps") if isinstance(recipe, Mapping) else [protocol.get("recovery")]
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        return []
    return [step for step in steps if isinstance(step, Mapping)]


def _kinds(protocol: JsonObject) -> list[str]:
    """The kinds of steps beside pruning, each once, in the order of their first use."""
    return [key for key in dict.fromkeys(str(step.get("key")) for step in _steps(protocol)) if key != "prune"]


def _epochs(protocol: JsonObject) -> int:
    epochs = protocol.get("epochs", _part(protocol.get("recovery"), ("epochs",)).get("epochs"))
    return epochs if isinstance(epochs, int) else 0


def _optimisers(protocol: JsonObject) -> list[str]:
    optimisers = protocol.get("optimiser") or _part(protocol.get("recovery"), ("optimiser",)).get("optimiser") or ()
    return [optimisers] if isinstance(optimisers, str) else [str(name) for name in optimisers]


def _is_taught(protocol: JsonObject) -> bool:
    return any(step.get("distil_weight") for step in _steps(protocol))


def _format(protocol: JsonObject) -> str:
    """The number format where it is not float: "int8 weights", "int8 file, static"; empty for float."""
    quantized = protocol.get("quantized")
    if not isinstance(quantized, Mapping):
        quantized = next((step for step in _steps(protocol) if step.get("key") == "quantize"), None)
    if quantized is None:
        return ""
    form = quantized.get("form", "int8")
    return f"int{quantized.get('bits', 8)} weights" if form == "int8" else f"int8 file, {form}"
