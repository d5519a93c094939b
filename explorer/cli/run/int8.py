"""What ``export --int8`` adds: the int8 file, and its size, accuracy and time beside those of the float file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.onnx_int8 import WrittenInt8, evaluation, int8_latency, speed_sentence, write_onnx_int8
from explorer.types import Evaluation, LoadedModel, Plan, Split
from explorer.types.aliases import JsonDict, JsonObject


def written(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    """Write the int8 file and measure it; JSON-able."""
    data = load_data(args, model) if (args.data or model.data) else None
    export = write_onnx_int8(model, plan, Path(args.output), args.int8, data=data, force=args.force)
    split = None if data is None else data.splits.get("tune")
    latency = int8_latency(export.file, model.example)
    about = {
        "how": args.int8,
        "share_of_weights": export.file.int8_share,
        "size": {"int8": _bytes(export.n_bytes), "float": _bytes(export.float_bytes)},
        "accuracy": _accuracies(model, split, export) if split is not None else None,
        "latency": {**latency.to_json(), "dense_is": "float ONNX", "pruned_is": "int8 ONNX"},
        "said": speed_sentence(latency),
        "notes": list(export.file.notes),
    }
    return {
        "written": {"onnx": str(export.path), "bytes": export.n_bytes},
        "proof": export.file.proof.to_json(),
        "int8": about,
    }


def _bytes(n: int) -> JsonDict:
    return {"value": n, "unit": "bytes", "origin": "measured"}


def _accuracies(model: LoadedModel, split: Split, export: WrittenInt8) -> JsonDict | None:
    dense = Evaluator(model, split).dense_results()

    def judged(outputs: Sequence[Tensor]) -> Evaluation:
        return evaluation(outputs, split, dense)

    try:
        accuracies = {"int8": judged(export.file.outputs), "float": judged(export.file.float_outputs)}
    except ExplorerError as error:
        printing.note(printing.clean_terminal(str(error)))
        return None
    return {name: {"accuracy": asdict(e.accuracy), "drop": asdict(e.drop)} for name, e in accuracies.items()}


def lines(about: JsonObject | None) -> Iterator[str]:
    """The same for people."""
    if not about:
        return
    sizes = {name: printing.count(size["value"]) for name, size in about["size"].items()}
    share = printing.percent(about["share_of_weights"])
    yield f"int8, {about['how']}: {sizes['int8']} B against {sizes['float']} B in float; {share} of the weights."
    if about["accuracy"]:
        shown = {name: printing.percent(accuracy["accuracy"]["value"]) for name, accuracy in about["accuracy"].items()}
        judged = about["accuracy"]["int8"]["accuracy"]["name"]
        yield f"{judged} in ONNX Runtime: {shown['int8']}; float {shown['float']}."
    yield about["said"]
    yield from (f"note: {note}" for note in about["notes"])
