"""A model told against the dense one that it was made from, in a few lines."""

from __future__ import annotations

from explorer.analysis.parent import Against, against, against_known_parent
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import named_parent
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.text.delta import DELTA, as_change, named
from explorer.text.names import model_name
from explorer.types import LoadedModel, Plan, Split


def told(args: Arguments, model: LoadedModel, plan: Plan, split: Split) -> Against | ExplorerError | None:
    """The comparison with the parent that is named, else with the one that is known; or why there is none."""
    parent = named_parent(args)
    if parent is None:
        return against_known_parent(model, plan, split, device=args.device)
    return against(model, plan, Evaluator(parent, split, device=args.device))


def rows(comparison: Against | ExplorerError | None) -> list[tuple[str, str, str, str]]:
    """Rows for the table of what was measured."""
    if not isinstance(comparison, Against):
        return []
    name, evaluation = printing.clean_terminal(model_name(comparison.parent.address)), comparison.evaluation
    share = printing.percent(evaluation.agreement.value)
    last = (f"agreement with {name}", share, printing.interval(evaluation.agreement), evaluation.agreement.origin)
    if evaluation.judged_by == "agreement":
        return [last]
    if evaluation.judged_by == "labels":
        accuracy = printing.percent(comparison.parent_accuracy)
        change = (f"{DELTA} against {name}", *printing.delta(evaluation.drop), evaluation.drop.origin)
        return [(f"accuracy of {name}", accuracy, "", evaluation.accuracy.origin), change, last]
    drop = as_change(evaluation.drop)
    text = f"{named(evaluation.judged_by)} against {name}"
    return [(text, printing.number(drop.value), printing.number_interval(drop), drop.origin)]


def lines(comparison: Against | ExplorerError | None) -> list[str]:
    """Why nothing is told against the parent, where there is one that is not at hand."""
    return [f"note: {printing.clean_terminal(comparison)}"] if isinstance(comparison, ExplorerError) else []
