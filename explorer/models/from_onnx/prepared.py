"""An ONNX file made ready: whole, checked, with one output, its constants folded and its shared weights one again."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from explorer.models.from_onnx.declared import chosen_output, needed_for
from explorer.models.from_onnx.dequantized import dequantize
from explorer.models.reader.onnx_file import parsed
from explorer.models.reader.onnx_numbers import inlined
from explorer.text.names import clean, listed
from explorer.types.files.reading.refusal import RefusedError

if TYPE_CHECKING:
    from onnx import ModelProto

_MOST_BYTES = 2**31 - 2**20  # what one message may have
_AGAIN = "Export it again."


def whole(file: BinaryIO, folder: Path | None) -> ModelProto:
    """The checked graph with all its weights; RefusedError where it is none."""
    import onnx

    model = parsed(file)
    left_out = inlined(model, folder)
    if left_out:
        what = f"Its weights {listed(list(left_out))} stand in another file: {next(iter(left_out.values()))}."
        raise RefusedError(what, "Put that file beside it, or save it again as one file.")
    if model.ByteSize() > _MOST_BYTES:
        raise RefusedError("It is larger than 2 GiB, which ONNX cannot hold in one piece.", "Show its weights alone.")
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # noqa: BLE001  checker and protobuf raise what they like
        first = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
        raise RefusedError(f"onnx does not accept its graph: {clean(first)}.", _AGAIN) from None
    return model


def one_output(model: ModelProto, choice: str) -> ModelProto:
    """A copy that gives the chosen output alone."""
    import onnx

    mine = onnx.ModelProto()
    mine.CopyFrom(model)
    graph = mine.graph
    output = chosen_output(graph, choice)
    nodes = needed_for(graph, output)
    keep = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    value = next(v for v in graph.output if v.name == output)
    result = onnx.ValueInfoProto.FromString(value.SerializeToString())
    del graph.node[:], graph.output[:]
    graph.node.extend(keep)
    graph.output.append(result)
    return mine


def simplified(model: ModelProto) -> ModelProto:
    """With constants folded by onnxsim, where that is installed and succeeds; layers stay as they are."""
    _share(model)
    dequantize(model)
    try:
        import onnxsim
    except ImportError:
        return model
    try:
        folded, _ = onnxsim.simplify(model, perform_optimization=False, skip_fuse_bn=True, certify=False)
    except Exception:  # it raises anything; without it the graph is only larger
        logging.getLogger(__name__).info("onnxsim did not simplify the graph.", exc_info=True)
        return model
    return folded if len(folded.graph.node) else model


def _share(model: ModelProto) -> None:
    """Let every step read a shared weight itself: exporters put the second use of one behind an Identity."""
    held = {tensor.name for tensor in model.graph.initializer}
    ends = {value.name for value in model.graph.output}
    same: dict[str, str] = {}
    for node in model.graph.node:
        name = node.input[0] if node.op_type == "Identity" and len(node.input) == 1 else ""
        name = same.get(name, name)
        if name in held and node.output[0] not in ends:
            same[node.output[0]] = name
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name in same:
                node.input[place] = same[name]
