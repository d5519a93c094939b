"""``search``: the best plan under a budget, or the smallest within a drop."""

from __future__ import annotations

import json
from pathlib import Path

from explorer.analysis.report import data_json
from explorer.analysis.search.result import sentences_of
from explorer.analysis.search.search import Question, SearchResult, Tried, check_evaluations, refusal
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data, load_model
from explorer.cli.run.request import prune_spec
from explorer.cli.run.tasks import context_of, done
from explorer.errors import ExplorerError
from explorer.export.files import check_target
from explorer.metrics.own import metric_of
from explorer.pruning.spec import PruneSpec
from explorer.store.atomic import write_text
from explorer.tasks.search import SearchRequest
from explorer.text.delta import delta_text
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Scan (or read the kept scan), search, and tell the answer."""
    check_evaluations(args.evaluations)  # before a scan, which may take long
    if args.cost and args.budget:
        raise ExplorerError("--budget names its cost itself.", fix="Leave out --cost.")
    spec = prune_spec(args)
    metric = None if args.metric is None else metric_of(args.metric)
    question = Question.of(args.max_drop, args.budget, args.cost or "params", metric)
    model = load_model(args)
    if args.output:
        check_target(model, Path(args.output), ".json", force=args.force)
    if (why := refusal(model, spec, question)) is not None:
        raise ExplorerError(f"One cannot ask for {question} here.", why=why, fix="Ask for another cost.")
    data = load_data(args, model)
    result = _result(args, model, data, SearchRequest(question, spec, args.evaluations, args.mode))
    if args.output:
        _write(Path(args.output), result.best.spec)
    if args.json:
        printing.say_json(_json(args, model, data, spec, result))
    else:
        printing.say(*_lines(model, data, result))
    return 0


def _result(args: Arguments, model: LoadedModel, data: Dataset, request: SearchRequest) -> SearchResult:
    with context_of(args, model, data) as context:
        plans = [item for item in done(request, context, "searching") if isinstance(item, Tried)]
    result = SearchResult.of(plans)
    if result is None:
        why = "Nothing of this model can be pruned in these units."
        raise ExplorerError("No plan was tried.", why=why, fix="Choose another --granularity.")
    return result


def _write(path: Path, spec: PruneSpec) -> None:
    write_text(path, json.dumps(spec.to_json(), indent=1))


def _json(args: Arguments, model: LoadedModel, data: Dataset, spec: PruneSpec, result: SearchResult) -> JsonDict:
    request = spec.to_json()
    return {
        "model": {"address": model.address, "digest": model.digest},
        "data": data_json(data),
        "split": "tune",
        "granularity": request["granularity"],
        "criterion": request["criterion"],
        **result.to_json(),
        "written": args.output,
    }


def _lines(model: LoadedModel, data: Dataset, result: SearchResult) -> list[str]:
    best = result.best
    head = f"{printing.clean_terminal(model.address)} on {data.address}, split tune: {result.question}"
    columns = ("from", "of dense", "pruned", "predicted Δ", best.delta_name, "95 % interval", "")
    rows = [_cells(tried, result) for tried in result.candidates.values()]
    shares = [(name, printing.percent(share)) for name, share in best.shares]
    return [
        head,
        "",
        *printing.table(columns, rows),
        "",
        *sentences_of(result),
        "",
        *printing.table(("layer", "share"), shares),
    ]


def _cells(tried: Tried, result: SearchResult) -> list[str]:
    predicted = "" if tried.predicted is None else delta_text(tried.predicted)
    mark = "*" if tried is result.best else "" if tried.meets else "over"
    return [
        tried.by,
        printing.percent(tried.share),
        printing.percent(tried.point.sparsity),
        predicted,
        *printing.delta(tried.drop),
        mark,
    ]
