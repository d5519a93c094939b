"""Requested work as values: one frozen, JSON-able request a file, and one line for it in ``MEMBERS``.

>>> import explorer as ex
>>> request = ex.tasks.ScanRequest(ex.PruneSpec("out_channel"), levels=(0.5, 0.9))
>>> ex.tasks.from_json(request.to_json()) == request
True
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from explorer.errors import ExplorerError
from explorer.params.numerals import short
from explorer.tasks.activations import ActivationRequest as ActivationRequest
from explorer.tasks.advice import AdviceRequest as AdviceRequest
from explorer.tasks.base import AnyRequest as AnyRequest
from explorer.tasks.base import TaskRequest as TaskRequest
from explorer.tasks.blame import BlameRequest as BlameRequest
from explorer.tasks.check import CheckRequest as CheckRequest
from explorer.tasks.compare import CompareRequest as CompareRequest
from explorer.tasks.context import Context as Context
from explorer.tasks.grid import GridRequest as GridRequest
from explorer.tasks.layer_activations import LayerActivationsRequest as LayerActivationsRequest
from explorer.tasks.order import OrderRequest as OrderRequest
from explorer.tasks.recovery import RecoveryOutcome as RecoveryOutcome
from explorer.tasks.recovery import RecoveryRequest as RecoveryRequest
from explorer.tasks.removal import RemovalRequest as RemovalRequest
from explorer.tasks.running import run as run
from explorer.tasks.scan import ScanRequest as ScanRequest
from explorer.tasks.search import SearchRequest as SearchRequest
from explorer.tasks.sweep import SweepRequest as SweepRequest

MEMBERS: tuple[type[AnyRequest], ...] = (
    SweepRequest,
    ScanRequest,
    SearchRequest,
    GridRequest,
    OrderRequest,
    ActivationRequest,
    RecoveryRequest,
    RemovalRequest,
    CheckRequest,
    AdviceRequest,
    CompareRequest,
    BlameRequest,
    LayerActivationsRequest,
)


def from_json(data: str | Mapping[str, object]) -> AnyRequest:
    """The request that :meth:`TaskRequest.to_json` wrote, from text too. Raises ExplorerError for what is none."""
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            raise ExplorerError("This is not JSON.", fix="Give a request as the explorer writes it.") from None
    by_kind = {member.kind: member for member in MEMBERS}
    kind = data.get("task") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(kind, str) or kind not in by_kind:
        raise ExplorerError(f"There is no task {short(kind, 60)}.", fix=f'Give "task" one of: {", ".join(by_kind)}.')
    return by_kind[kind].from_json(data)
