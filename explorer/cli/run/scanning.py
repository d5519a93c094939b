"""Scans behind other commands: turned into the shares that follow from them."""

from __future__ import annotations

from dataclasses import replace

from explorer.analysis.sensitivity.allocation import from_scan
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data
from explorer.cli.run.tasks import context_of, done
from explorer.errors import ExplorerError
from explorer.pruning.allocation import BySensitivity
from explorer.pruning.spec import PruneSpec
from explorer.tasks.scan import ScanRequest
from explorer.types import LoadedModel


def with_curves(args: Arguments, model: LoadedModel, spec: PruneSpec) -> PruneSpec:
    """The same request; shares that follow from a scan get its curves, measured now or found in the store."""
    if not isinstance(spec.allocation, BySensitivity) or spec.allocation.curves:
        return spec
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        fix = "Give --arch, or choose another --allocation."
        raise ExplorerError("Shares by sensitivity need a scan, and this model cannot run.", why=why, fix=fix)
    with context_of(args, model, load_data(args, model)) as context:
        sensitivity = Sensitivity.of(done(ScanRequest(spec), context, "scanning"))
    return replace(spec, allocation=from_scan(sensitivity, spec.allocation.sparsity))
