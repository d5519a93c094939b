"""Whatever the pruning can cut, the slim form can describe: the zoo of hand-written networks, every unit."""

from __future__ import annotations

import json

import pytest
from torch import fx

from explorer.errors import ExplorerError
from explorer.export.graph import describe_graph
from explorer.export.outputs import apart, judging_inputs, outputs
from explorer.models.slim.document import read
from explorer.models.slim.network import build
from explorer.models.slim.trial import try_out
from explorer.pruning.plan import plan
from explorer.pruning.slicing import sliced
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel
from tests.every import for_each

from tests.export import made  # isort: skip  # noqa: F401  it makes the zoo importable
from zoo import ZOO, model_of  # isort: skip

CUT = ("out_channel", "head", "mlp_neuron", "hidden_unit", "layer", "depth")


def smaller(model: LoadedModel, granularity: str) -> fx.GraphModule | None:
    """Half of the units cut; None where there are none or they have no smaller form."""
    spec = PruneSpec(granularity, "lp_norm", "uniform:sparsity=0.5")  # type: ignore[arg-type]
    try:
        for group in plan(model, spec).groups:
            if group.locked:
                spec = spec.with_limit(group.group.name, Limit(locked=False))
        ours = plan(model, spec)
        module = sliced(model, ours).module if ours.n_pruned else None
    except ExplorerError:
        return None
    return module if isinstance(module, fx.GraphModule) else None


@pytest.mark.slow
@for_each("name", ZOO)
def test_what_can_be_cut_can_be_described_and_runs_from_its_description(name: str) -> None:
    model = model_of(name)
    inputs = judging_inputs(model, None)
    cut = {unit: module for unit in CUT if (module := smaller(model, unit)) is not None}
    assert model.module is not None
    for module in cut.values() or [fx.symbolic_trace(model.module)]:
        document, tensors = describe_graph(module, model.example)
        graph = read(json.loads(json.dumps(document, allow_nan=False)))
        try_out(graph, tensors)
        assert apart(outputs(module, inputs), outputs(build(graph, tensors), inputs)) <= 1e-6
