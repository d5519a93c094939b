"""``criteria``: one layer as two criteria see it, and how steady each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_data, add_model, data_for, load_model
from explorer.cli.request import share

if TYPE_CHECKING:
    from explorer.analysis.criteria_compared import CriteriaCompared
    from explorer.pruning.spec import PruneSpec
    from explorer.types import Measurement

NAME = "criteria"
HELP = "Compare what two criteria think of one layer: rank correlation, overlap, and where they disagree."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    group = parser.add_argument_group("what to compare")
    group.add_argument("--layer", metavar="LAYER", required=True, help="the layer, as inspect names it")
    group.add_argument("--criterion", metavar="C", required=True, help="the one, e.g. taylor or taylor:n_samples=512")
    group.add_argument("--against", metavar="C", default="lp_norm", help="the other (default: lp_norm)")
    group.add_argument("--granularity", metavar="G", default="weight", help="what is one unit (default: weight)")
    group.add_argument("--sparsity", type=share, default=0.5, metavar="S", help="share that goes (default: 0.5)")
    add_data(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Score the layer twice and print where both part."""
    from explorer.analysis.criteria_compared import compare_criteria, names_of
    from explorer.analysis.rank_stability import stability
    from explorer.cli.request import criterion_of
    from explorer.pruning.granularity import get
    from explorer.pruning.spec import PruneSpec

    unit = get(args.granularity)
    specs = [PruneSpec(unit, criterion_of(text, args.seed)) for text in (args.criterion, args.against)]
    names_of(specs[0], specs[1])  # refuses one criterion twice before anything is loaded
    model = load_model(args)
    looking = next((spec for spec in specs if spec.criterion.needs), specs[0])
    data = data_for(args, model, looking)
    found = compare_criteria(model, specs[0], specs[1].criterion, args.layer, data, sparsity=args.sparsity)
    steady = [stability(model, spec, data) for spec in specs]
    if args.json:
        printing.say_json(_json(model.address, model.digest, specs, found, steady))
        return 0
    printing.say(*_lines(found, specs, steady))
    return 0


def _json(
    address: str, digest: str, specs: list[PruneSpec], found: CriteriaCompared, steady: list[Measurement]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "model": {"address": address, "digest": digest},
        "granularity": specs[0].to_json()["granularity"],
        "specs": [spec.to_json()["criterion"] for spec in specs],
        "stability": [asdict(measurement) for measurement in steady],
        **found.to_json(),
    }


def _lines(found: CriteriaCompared, specs: list[PruneSpec], steady: list[Measurement]) -> list[str]:
    unit, n = found.group.unit, found.group.n_units
    rows = [
        [name, printing.count(m.n or 0), f"{m.value:.3f}" if spec.criterion.needs else "-"]
        for name, spec, m in zip(found.names, specs, steady, strict=True)
    ]
    lines = [
        f"{printing.plain(found.group.name)}: {printing.count(n)} {unit}s",
        "",
        *printing.table(("criterion", "samples", "rank stability"), rows),
        "",
        f"Spearman rank correlation of both: {found.correlation:.3f}",
    ]
    if found.overlap is None:
        return [*lines, "Nothing goes at this level."]
    share_of = f"{printing.percent(found.overlap)}; {printing.percent(found.overlap_by_chance)} by chance"
    lines.append(f"{printing.count(found.n_pruned)} go; {printing.count(found.n_both)} under both ({share_of})")
    disputes = found.disputes(10)
    if not disputes:
        return lines
    head = (unit, *(f"{what}, {name}" for what in ("rank", "score") for name in found.names))
    cells = [[d.unit, *map(printing.count, d.ranks), *map(printing.number, d.scores)] for d in disputes]
    return [*lines, "", "Furthest apart (rank 0 goes first):", *printing.table(head, cells)]
