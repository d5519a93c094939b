"""``criteria``: one layer as two criteria see it, and how steady each of them is."""

from __future__ import annotations

from dataclasses import asdict

from explorer.analysis.criteria_compared import CriteriaCompared, compare_criteria, names_of
from explorer.analysis.rank_stability import stability
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import data_for, load_model
from explorer.cli.run.request import criterion_of
from explorer.pruning.granularity import get
from explorer.pruning.spec import PruneSpec
from explorer.types import Measurement
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Score the layer twice and print where both part."""
    unit = get(args.granularity)
    specs = [PruneSpec(unit, criterion_of(text, args.seed)) for text in (args.criterion, args.against)]
    names_of(specs[0], specs[1])  # refuses one criterion twice before anything is loaded
    model = load_model(args)
    looking = next((spec for spec in specs if spec.criterion.needs), specs[0])
    data = data_for(args, model, looking)
    comparison = compare_criteria(model, specs[0], specs[1].criterion, args.layer, data, sparsity=args.sparsity)
    steady = [stability(model, spec, data) for spec in specs]
    if args.json:
        printing.say_json(_json(model.address, model.digest, specs, comparison, steady))
        return 0
    printing.say(*_lines(comparison, specs, steady))
    return 0


def _json(
    address: str, digest: str, specs: list[PruneSpec], comparison: CriteriaCompared, steady: list[Measurement]
) -> JsonDict:
    return {
        "model": {"address": address, "digest": digest},
        "granularity": specs[0].to_json()["granularity"],
        "specs": [spec.to_json()["criterion"] for spec in specs],
        "stability": [asdict(measurement) for measurement in steady],
        **comparison.to_json(),
    }


def _lines(comparison: CriteriaCompared, specs: list[PruneSpec], steady: list[Measurement]) -> list[str]:
    unit, n = comparison.group.unit, comparison.group.n_units
    rows = [
        [name, printing.count(m.n or 0), f"{m.value:.3f}" if spec.criterion.needs else "-"]
        for name, spec, m in zip(comparison.names, specs, steady, strict=True)
    ]
    lines = [
        f"{printing.clean_terminal(comparison.group.name)}: {printing.count(n)} {unit}s",
        "",
        *printing.table(("criterion", "samples", "rank stability"), rows),
        "",
        f"Spearman rank correlation of both: {comparison.correlation:.3f}",
    ]
    if comparison.overlap is None:
        return [*lines, "Nothing goes at this level."]
    share_of = f"{printing.percent(comparison.overlap)}; {printing.percent(comparison.overlap_by_chance)} by chance"
    lines.append(
        f"{printing.count(comparison.n_pruned)} go; {printing.count(comparison.n_both)} under both ({share_of})"
    )
    disputes = comparison.disputes(10)
    if not disputes:
        return lines
    head = (unit, *(f"{what}, {name}" for what in ("rank", "score") for name in comparison.names))
    cells = [[d.unit, *map(printing.count, d.ranks), *map(printing.number, d.scores)] for d in disputes]
    return [*lines, "", "Furthest apart (rank 0 goes first):", *printing.table(head, cells)]
