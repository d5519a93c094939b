"""The dense and the pruned model as ONNX files, to be timed against each other."""

from __future__ import annotations

from explorer.export.onnx_model import onnx_file
from explorer.pruning.allocation import get
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Plan


def onnx_pair(model: LoadedModel, plan: Plan) -> tuple[bytes, bytes]:
    """(dense, pruned), for ``analysis.costs.costs(..., files=...)``; takes some seconds.

    Raises ExplorerError when onnx is not installed or one of them cannot be converted.
    """
    nothing = make_plan(model, PruneSpec(allocation=get("uniform:sparsity=0")))
    return onnx_file(model, nothing), onnx_file(model, plan)
