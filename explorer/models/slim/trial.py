"""A slim model tried out before anybody relies on it: in the reading process, which has little memory and time.

Whatever takes too much of either ends there. The inputs and the size of a batch are drawn anew each
time: a file cannot know on which it has to behave.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.models.slim.document import Graph, refused
from explorer.models.slim.network import Foresight, build, example_inputs
from explorer.models.slim.watched import MAX_BYTES, CheckedRun

FEW, MORE = range(3, 9), range(16, 32)


def try_out(graph: Graph, tensors: Mapping[str, Tensor]) -> None:
    """Run the graph on random inputs; RefusedError when it does not run, or makes more than a model may."""
    network, foresight = build(graph, tensors), Foresight(graph, tensors)
    for n in (1, secrets.choice(FEW)):
        watched = _run(graph, network, n)
        if watched.n_bytes > MAX_BYTES:
            raise refused(f"its values take {watched.n_bytes / 2**20:,.0f} MiB")
        if watched.n_bytes != foresight.n_bytes(n):
            raise refused("what it makes does not only depend on the shapes of its inputs")
    foresight.refuse_growth(secrets.choice(MORE))


def _run(graph: Graph, network: nn.Module, n: int) -> CheckedRun:
    watched = CheckedRun(graph, network)
    with torch.no_grad():
        watched.run(example_inputs(graph, n, torch.Generator().manual_seed(secrets.randbits(63))))
    return watched
