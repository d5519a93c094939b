"""``evaluate``: prune as asked, in memory, and measure."""

from __future__ import annotations

from dataclasses import replace

from explorer.analysis.arguments import asked_for
from explorer.analysis.costs import RunningCosts, refined_costs
from explorer.analysis.drop_below.answering import DropAnswer, answers
from explorer.analysis.parent import count_look_at_test
from explorer.analysis.report import Report, layer_rows, report
from explorer.analysis.tradeoff import point
from explorer.cli import against, printing
from explorer.cli.arguments import Arguments
from explorer.cli.exit_status import status_of
from explorer.cli.flags.evaluate import NAME
from explorer.cli.run.loading import load_runnable, read_data
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of
from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.measured_sizes import measure_sizes
from explorer.export.onnx_pair import onnx_pair
from explorer.export.sizes import at_rates
from explorer.metrics import METRICS
from explorer.metrics.base import JUDGED_NAMES, dense_value, evaluated_by
from explorer.metrics.energy import watt_hours
from explorer.metrics.latency import Runtime
from explorer.metrics.macs import MacTable, mac_table, why_no_macs
from explorer.pruning.plan import plan as make_plan
from explorer.text.delta import DELTA, as_change, named, worse_is_up
from explorer.text.numbers import in_words, level, valued
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan

_STATUS = {"yes": 0, "no": 1, "not yet": 3}  # of --drop-below
_NEEDS_ALL = ("latency", "measure_sizes", "metric", "fail_on")


def run(args: Arguments) -> int:
    """Measure one request."""
    _check_latency(args)
    spec = prune_spec(args)
    model = load_runnable(args, "Give --arch; inspect and prune work without one.")
    data = read_data(args, model)
    spec = with_curves(args, model, spec)
    plan = make_plan(model, spec, data=data)
    if args.drop_below is not None:
        return _answer_drop(args, model, data, plan)
    evaluation, n_looks, runs_as = measured(args, model, data, plan)
    table = None if why_no_macs(model) else mac_table(model)
    with context_of(args, model, data) as context:
        context.record(point(model, spec, plan, evaluation, table), kind=NAME, split=args.split)
    result = report(
        model,
        plan,
        evaluation,
        data=data,
        split=args.split,
        table=table,
        compress=True,
        looks_at_test=n_looks,
        runs_as=runs_as,
        costs=_costs(args, model, plan, table) if args.latency else None,
        measured_sizes=measure_sizes(model, plan) if args.measure_sizes else None,
        against=against.told(args, model, plan, split_of(data, args.split)),
    )
    if args.json:
        printing.say_json(result.to_json())
    else:
        printing.say(*_lines(result), *_looks(n_looks))
    return status_of(args, result.findings)


def measured(args: Arguments, model: LoadedModel, data: Dataset, plan: Plan) -> tuple[Evaluation, int | None, str]:
    """Evaluate to the end with progress on standard error; count the look where it is the test split.

    The result, the number of the look, and how the model ran.
    """
    split = split_of(data, args.split)
    n_looks = count_look_at_test(model, data, args.data_dir) if args.split == "test" else None
    last: Evaluation | None = None
    with printing.Progress(f"measuring on {args.split}") as progress:
        evaluator = Evaluator(model, split, device=args.device, asked=asked_for(metric=args.metric))
        for last in evaluator.run(plan):
            progress.show(f"{last.n} of {last.total}, {in_words(last.accuracy)}")
    if last is None:
        raise ExplorerError(f"The {args.split} split of {data.address} is empty.", fix="Choose another split or data.")
    return last, n_looks, evaluator.path


def _check_latency(args: Arguments) -> None:
    if not args.latency and (args.batch is not None or args.runtime is not None):
        raise ExplorerError("--batch and --runtime say how to measure time.", fix="Add --latency.")
    if args.latency and args.device != "cpu":
        raise ExplorerError("Time is measured on the processor.", fix="Leave out --device, or leave out --latency.")


def _costs(args: Arguments, model: LoadedModel, plan: Plan, table: MacTable | None) -> RunningCosts | None:
    """Time, memory and energy, with progress on standard error; in ONNX Runtime after both were converted."""
    batch = 1 if args.batch is None else args.batch
    runtime: Runtime = args.runtime or "torch"
    files = onnx_pair(model, plan) if runtime == "onnx" else None
    last: RunningCosts | None = None
    with printing.Progress("measuring time") as progress:
        for last in refined_costs(model, plan, batch=batch, table=table, files=files):
            progress.show(f"{last.latency.n} of {last.latency.total} pairs, {printing.times(last.latency.ratio.value)}")
    return last


def _lines(result: Report) -> list[str]:
    rows = [*_metric_rows(result), *against.rows(result.against), *_count_rows(result)]
    lines = [
        f"{result.model.address}, evaluated on {result.data.address if result.data else 'nothing'}, "
        f"split {result.split}"
    ]
    lines += ["", *printing.table(("what", "value", "95 % interval", "origin"), rows), ""]
    lines += [f"Transfer of the smallest file: {at_rates(result.transfer)}, estimated.", ""]
    if result.costs is not None:
        lines += [*_cost_lines(result.costs), ""]
    lines += printing.table(("layer", "kind", "weights", "pruned", "share", "threshold"), _layer_rows(result))
    return [*lines, *against.lines(result.against), *remarks(result)]


def _metric_rows(result: Report) -> list[tuple[str, str, str, str]]:
    judged = result.evaluation
    if judged is None:
        return []
    rows = []
    dense = result.dense_accuracy
    if dense is not None:
        rows.append(("dense accuracy", printing.percent(dense.value), printing.interval(dense)))
        rows.append(("accuracy", printing.percent(judged.accuracy.value), printing.interval(judged.accuracy)))
        rows.append((DELTA, *printing.delta(judged.drop)))
        rows += [_metric_row(key, measurement) for key, measurement in judged.metrics.items()]
    elif judged.judged_by in ("tokens", "numbers", "several", "metric"):
        return [*_other_rows(judged), ("agreement with dense", printing.number(judged.agreement.value), "", "measured")]
    share = printing.percent(judged.agreement.value)
    rows.append(("agreement with dense", share, printing.interval(judged.agreement)))
    return [(*row, judged.accuracy.origin) for row in rows]


def _metric_row(key: str, measurement: Measurement) -> tuple[str, str, str]:
    """A registered metric under its label: shares in per cent, all else as a plain number."""
    name = METRICS.member(key).label
    if measurement.unit == "fraction":
        return name, printing.percent(measurement.value), printing.interval(measurement)
    return name, printing.number(measurement.value), printing.number_interval(measurement)


def _other_rows(judged: Evaluation) -> list[tuple[str, str, str, str]]:
    """What is measured where no class is chosen: plain numbers, not per cent."""
    if judged.judged_by == "metric":
        return _chosen_rows(judged)
    name = JUDGED_NAMES[judged.judged_by]
    others = {key: m for key, m in judged.metrics.items() if key not in ("r2", name)}
    rows = {name: judged.accuracy, named(name): as_change(judged.drop), **others}
    return [(key, printing.number(m.value), printing.number_interval(m), m.origin) for key, m in rows.items()]


def _chosen_rows(judged: Evaluation) -> list[tuple[str, str, str, str]]:
    """The metric that was chosen, the dense model's, how it changed, and the others below."""
    first, drop = judged.accuracy, judged.drop
    name, dense = evaluated_by(judged.judged_by, first), dense_value(first, drop)
    rows = [
        (f"dense {name}", valued(dense, first.unit), ""),
        (name, level(first), printing.interval(first)),
        (f"{named(name)} ({'positive' if worse_is_up(drop) else 'negative'} is worse)", *printing.delta(drop)),
        *(
            (key.replace("_", " "), level(m), printing.interval(m))
            for key, m in judged.metrics.items()
            if key != first.name
        ),
    ]
    return [(*row, first.origin) for row in rows]


def _count_rows(result: Report) -> list[tuple[str, str, str, str]]:
    plan = result.plan
    rows = [
        *_asked_rows(plan),
        *_zero_rows(plan),
        ("compression ratio, parameters", printing.times(result.compression_ratio), "", "counted"),
    ]
    if result.speedup is not None:
        rows.append(("theoretical speedup, MACs", printing.times(result.speedup.value), "", "counted"))
        rows.append(_measured_speedup(result.costs))
    rows += [(f"MACs, {kind}", printing.count(m.value), "", m.origin) for kind, m in result.macs.items()]
    names = {kind: f"size, {kind.replace('_', ' ')}" for kind in result.sizes}
    shown = [(names[kind], m) for kind, m in result.sizes.items()]
    shown += [(f"{names[kind]}, on disk", m) for kind, m in (result.measured_sizes or {}).items()]
    return rows + [(name, printing.bytes_counted(m.value), "", m.origin) for name, m in shown]


def _asked_rows(plan: Plan) -> list[tuple[str, str, str, str]]:
    """What was asked, in its own unit: a share of channels is no sparsity."""
    if plan.unit == "weight":
        return [("sparsity asked", printing.percent(plan.asked), "", "")]
    n, n_may_go = plan.units
    share = f"{printing.count(n)} of {printing.count(n_may_go)}"
    return [
        (f"{plan.unit}s asked", printing.percent(plan.asked), "", ""),
        (f"{plan.unit}s reached", printing.percent(n / max(1, n_may_go)), share, "counted"),
    ]


def _zero_rows(plan: Plan) -> list[tuple[str, str, str, str]]:
    """What is zero now; where the model came with zeros, what of it was pruned here and what was zero already."""
    reached = ("sparsity reached", printing.percent(plan.sparsity), "", "counted")
    if not plan.n_already_zero:
        return [reached]
    counts = {"weights already zero": plan.n_already_zero, "weights pruned here": plan.n_pruned}
    rows = [
        (name, f"{printing.count(n)} ({printing.percent(n / plan.layers.n_prunable)})", "", "counted")
        for name, n in counts.items()
    ]
    return [*rows, reached]


def _measured_speedup(costs: RunningCosts | None) -> tuple[str, str, str, str]:
    """What stands beside every counted speedup: the measured one, or that there is none."""
    if costs is None:
        return "measured speedup", "not measured", "add --latency", ""
    ratio = costs.latency.ratio
    ends = [printing.times(end) for end in (ratio.low, ratio.high) if end is not None]
    return "measured speedup", printing.times(ratio.value), " – ".join(ends), "measured"


def _cost_lines(result: RunningCosts) -> list[str]:
    """Time, then memory and energy: one line each."""
    memory, energy = result.memory, {name: m.value * 1e6 for name, m in result.energy.items()}
    live = " to ".join(printing.bytes_counted(memory[f"activations_{name}"].value) for name in ("dense", "pruned"))
    held = " to ".join(printing.bytes_counted(memory[f"weights_{name}"].value) for name in ("dense", "pruned"))
    used = f"{energy['dense']:.3g} to {energy['pruned']:.3g} microjoules, estimated for a 45 nm chip"
    rest = f"Weights in memory {held}, activations at most {live} (counted). Energy {used}; {_metered(result)}"
    return [f"{result.sentences[0]} Measured {result.form}.", rest]


def _metered(result: RunningCosts) -> str:
    """What the processor's meter says of a pass, or why it says nothing."""
    meters = [result.energy.get(f"{name}_measured") for name in ("dense", "pruned")]
    if None in meters:
        return f"not measured: {result.why_energy_not_measured or 'in ONNX Runtime no meter is read.'}"
    joules = " to ".join(f"{m.value:.3g}" for m in meters if m is not None)
    hours = " to ".join(f"{watt_hours(m):.3g}" for m in meters if m is not None)
    return f"{joules} J a pass by this processor's meter, {hours} Wh for 1,000 inputs."


def _layer_rows(result: Report) -> list[tuple[str, ...]]:
    return [
        (
            row["name"],
            row["kind"],
            printing.count(row["n_weights"]),
            printing.count(row["n_pruned"]),
            printing.percent(row["n_pruned"] / max(1, row["n_weights"])),
            printing.number(row["threshold"]),
        )
        for row in layer_rows(result.plan)
        if row["prunable"]
    ]


def remarks(result: Report) -> list[str]:
    """Repairs, notes and findings, one line each."""
    lines = [f"repaired: {text}" for text in result.model.repairs]
    lines += [f"note: {text}" for text in result.notes]
    lines += [printing.finding_line(f) for f in result.findings]
    return ["", *map(printing.clean_terminal, lines)] if lines else []


def _looks(n: int | None) -> list[str]:
    if n is None:
        return []
    return ["", f"This was look number {n} at the locked test split of this data with this model or its parents."]


def _answer_drop(args: Arguments, model: LoadedModel, data: Dataset, plan: Plan) -> int:
    """Print the answer; the exit status tells it, too. No point is recorded, for not all samples are measured."""
    whole = [f"--{name.replace('_', '-')}" for name in _NEEDS_ALL if getattr(args, name)]
    if whole:
        raise ExplorerError(
            f"{whole[0]} does not go with --drop-below.",
            why="The evaluation ends before all samples are measured.",
            fix="Leave one of them out.",
        )
    answer = _asked_drop(args, model, data, plan)
    if args.json:
        printing.say_json(answer.to_json())
    else:
        printing.say(str(answer), answer.basis)
    return _STATUS[answer.verdict]


def _asked_drop(args: Arguments, model: LoadedModel, data: Dataset, plan: Plan) -> DropAnswer:
    split = split_of(data, args.split)
    n_looks = count_look_at_test(model, data, args.data_dir) if args.split == "test" else None
    last: DropAnswer | None = None
    with printing.Progress(f"measuring on {args.split}") as progress:
        for last in answers(Evaluator(model, split, device=args.device), plan, args.drop_below):
            progress.show(last.words)
    if last is None:
        raise ExplorerError(f"The {args.split} split of {data.address} is empty.", fix="Choose another split or data.")
    return replace(last, n_looks=n_looks)
