"""``evaluate``: prune as asked, in memory, and measure."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_against, add_common, add_data, add_model, whole
from explorer.cli.flags.failing import add_fail_on
from explorer.cli.flags.members import keys, listed
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import add_request, worse

NAME = "evaluate"
HELP = "Prune a model in memory and measure what is left of its accuracy."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    add_against(parser)
    add_request(parser)
    add_data(parser)
    group = parser.add_argument_group("what is measured", f"What suits the model's outputs. {metrics_in_words()}.")
    group.add_argument("--split", choices=("tune", "test"), default="tune", help="test is locked: each look is counted")
    group.add_argument("--metric", choices=keys("metric"), help="metric in the place of accuracy, with its direction")
    text = "measure only until it is answered whether the drop is below S, 0.01 or 1%%: exit 0 yes, 1 no, 3 not yet"
    group.add_argument("--drop-below", type=worse, metavar="S", help=text)
    group = parser.add_argument_group("what it costs, measured on this machine")
    group.add_argument(
        "--latency", action="store_true", help="time of one pass, dense and pruned in turns; memory, energy"
    )
    group.add_argument("--batch", type=whole, metavar="N", help="of --latency: inputs in one pass (default: 1)")
    group.add_argument("--runtime", choices=("torch", "onnx"), help="of --latency: what runs it (default: torch)")
    group.add_argument("--measure-sizes", action="store_true", help="write every kind of file and ask the disk")
    add_fail_on(parser)
    add_keeping(parser)
    add_common(parser)


def metrics_in_words() -> str:
    """Every metric, by the outputs that it is for."""
    by_task: dict[str, list[str]] = {}
    for listing in listed("metric"):
        by_task.setdefault(listing.constants.get("task", "of plug-ins"), []).append(listing.key)
    return "; ".join(f"{task}: {', '.join(names)}" for task, names in by_task.items()).capitalize()
