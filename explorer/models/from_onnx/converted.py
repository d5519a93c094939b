"""A prepared ONNX graph as a network of torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from explorer.models.from_onnx.origin import Origin
from explorer.types.files.reading.refusal import RefusedError

if TYPE_CHECKING:
    from onnx import ModelProto


OPEN_THE_SOURCE = "Open the network that it was exported from."


@dataclass(frozen=True, eq=False)
class Converted:
    """The network, the names of its inputs in the file and here, and where each of its tensors stands in the file."""

    module: nn.Module
    inputs: Mapping[str, str]
    origins: Mapping[str, Origin]


def convert(model: ModelProto, batch: int | None) -> Converted:
    """The network; RefusedError where a step has no form in torch. ``batch``: how many samples the file fixes."""
    from explorer.models.from_onnx import functions, layers, recurrent, shapes
    from explorer.models.from_onnx.lifting import Lifting

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            handlers = {**layers.HANDLERS, **shapes.HANDLERS, **functions.HANDLERS, **recurrent.HANDLERS}
            building = Lifting(model, batch, handlers)
            module = building.build()
    except Exception as error:
        logging.getLogger(__name__).exception("An ONNX graph was not converted.")
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
        raise RefusedError(f"Its graph cannot be converted to torch: {first}.", OPEN_THE_SOURCE) from error
    names = {name: str(building.env[name].target) for name in building.input_names}
    return Converted(module, names, building.origins)
