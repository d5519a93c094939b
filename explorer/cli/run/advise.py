"""``advise``: does pruning pay for this network?"""

from __future__ import annotations

from explorer.analysis.advice import Advice, allowed, words_of
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data, load_model
from explorer.cli.run.tasks import context_of, done
from explorer.errors import ExplorerError
from explorer.tasks.advice import AdviceRequest
from explorer.text.delta import delta_ends, delta_text, named
from explorer.text.numbers import level

_OUTCOMES = {"within": "yes", "beyond": "no", "cannot tell": "cannot tell"}
_FEW = 8


def run(args: Arguments) -> int:
    """Measure the first steps and say what follows."""
    model = load_model(args)
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        raise ExplorerError(f"{args.model} cannot be measured.", why=why, fix="Name its architecture: --arch NAME.")
    data = load_data(args, model)
    request = AdviceRequest(args.max_drop)
    with context_of(args, model, data) as context:
        *_, advice = done(request, context, "measuring first steps")
    if not isinstance(advice, Advice):
        raise TypeError(f"the last result is the advice, not {advice!r}")
    if args.json:
        printing.say_json(advice.to_json())
        return 0
    printing.say(
        f"{printing.clean_terminal(model.address)} on {data.address}, split tune, {advice.dense.n} samples", ""
    )
    printing.say(*_where(advice), "", *_could_go(advice), "", *_steps(advice), "", *advice.sentences())
    return 0


def _where(advice: Advice) -> list[str]:
    """The layers that hold most; --json has all of them."""
    heaviest = sorted(advice.layers, key=lambda layer: -layer.weights)
    rows = [
        (
            printing.clean_terminal(layer.name),
            layer.kind,
            printing.percent(layer.weight_share),
            "" if layer.mac_share is None else printing.percent(layer.mac_share),
            "" if layer.time is None else f"{layer.time.value:.3g}",
        )
        for layer in heaviest[:_FEW]
    ]
    more = len(heaviest) - len(rows)
    head = ("layer", "kind", "parameters", "multiplications", "ms at batch 1")
    return [*printing.table(head, rows, left=2), *([f"and {more} more: see --json"] if more > 0 else [])]


def _could_go(advice: Advice) -> list[str]:
    able = [each for each in advice.removable if not each.why_not]
    if not able:
        return ["Nothing of this network can be cut out; zeros can be written all the same."]
    rows = [
        (
            each.label,
            printing.percent(each.parameters_left),
            "" if each.macs_left is None else printing.percent(each.macs_left),
        )
        for each in able
    ]
    return ["Left if all went that may go (counted):", *printing.table(("unit", "parameters", "multiplications"), rows)]


def _steps(advice: Advice) -> list[str]:
    rows = [
        (
            step.name,
            printing.bytes_counted(step.point.size_bytes),
            printing.percent(step.compute_share),
            level(step.point.accuracy),
            f"{delta_text(step.point.drop)} ({delta_ends(step.point.drop)})",
            _OUTCOMES[step.outcome],
        )
        for step in advice.steps
    ]
    within = f"surely within {allowed(advice.max_drop, advice.dense.unit)}"
    head = ("step", "smallest file", "multiplications", advice.judged, named(advice.judged), within)
    patterns = {step.pattern: step for step in advice.steps}
    return [*printing.table(head, rows), *(words_of(name, advice.runtimes(step)) for name, step in patterns.items())]
