"""Prune, measure and report in one call: what a notebook asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from explorer.analysis.arguments import asked_for, given_data, given_model, given_spec, split_of
from explorer.analysis.parent import against_known_parent, count_look_at_test
from explorer.analysis.report import AboutKeywords, Report, report
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.own import Given
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, SplitName
from explorer.types.aliases import JsonObject


def evaluate(
    model: LoadedModel | str,
    spec: PruneSpec | JsonObject | str | None = None,
    data: Dataset | str | None = None,
    *,
    split: SplitName = "tune",
    device: str = "cpu",
    metrics: Iterable[Given] | Mapping[str, Given] = (),
    metric: Given | None = None,
) -> Report:
    """Prune ``model`` as ``spec`` says, in memory, measure it on all of ``split``, and report.

    Args:
        model: A model or its address; it is never written to.
        spec: A request, or its JSON; None prunes nothing.
        data: A dataset or its address; None: what the model was made for.
        split: "tune", "fit" or "test". The test split is locked: each call on it is counted for good.
        device: Where the passes run.
        metrics: More to measure, by name in a mapping or a list: functions ``f(outputs, targets)`` that give one number
            a sample, or objects with update, compute and reset (as of torchmetrics).
        metric: One of these, or the key of a registered one, in the place of accuracy; ``higher_is_better = False`` on
            it says that lower is.

    Returns:
        A :class:`Report`: ``accuracy`` and ``drop`` (fractions, with a 95 % interval), ``sizes`` (bytes) and ``macs``,
        ``looks_at_test``; ``against`` tells a model from a file against its dense parent, where that is at hand.

    Raises:
        ExplorerError: The model cannot run, the request does not fit it, or the split is absent.

    Examples:
        >>> import explorer as ex
        >>> report = ex.evaluate("digits-mlp", ex.PruneSpec(allocation="global:sparsity=0.5"))
        >>> report.accuracy.n, round(report.compression_ratio, 2), report.accuracy.origin
        (450, 1.98, 'measured')
    """
    loaded = given_model(model)
    if loaded.module is None:
        why = loaded.why_not_runnable or ""
        raise ExplorerError(f"{loaded.address} cannot be run.", why=why, fix="Load it with arch=NAME.")
    dataset = given_data(data, loaded)
    plan = make_plan(loaded, given_spec(spec), data=dataset)
    asked = asked_for(metrics, metric)
    samples = split_of(dataset, split)
    n_looks = count_look_at_test(loaded, dataset) if split == "test" else None
    evaluator = Evaluator(loaded, samples, device=device, asked=asked)
    evaluation = evaluator.final(plan)
    about: AboutKeywords = {"data": dataset, "split": split, "looks_at_test": n_looks, "runs_as": evaluator.path}
    about["against"] = against_known_parent(loaded, plan, samples, device=device)
    return report(loaded, plan, evaluation, **about)
