"""What each criterion is worth before and after recovery: criteria x ways x compression, against random.

    python -m benchmarks.methods [--models digits-resnet,...] [--ratios 2,4,8,16,32] [--seeds 3] [--epochs 5]
                                 [--others 8] [--processes 1] [--keep FILE.jsonl] [--figure PATH.png]

Prints one JSON object. Every cell prunes the dense sample to a compression ratio of the whole model, under one
ranking over all layers (the classifier is not locked), and is evaluated on the test split; the epoch that is kept was
chosen on tune, training is on fit. Ways:

``one_shot``   as pruned                           ``refreshed``  batch norm re-estimated (networks that have one)
``finetuned``  refreshed, then all epochs          ``iterative``  pruned in 5 rounds, as many epochs together
``distilled``  like finetuned, taught by the dense model

Iterative and distilled runs of criteria other than random and magnitude are at ``--others`` alone, to end within an
hour; give all five for the whole grid. ``claims`` says of each published claim what these runs show, with the figures.
Units are single weights; a criterion that ranks whole units only is run on those, fine-tuned, beside random and
magnitude on the same units. Cells are kept in ``--keep``, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import torch

from benchmarks._claims import claims
from explorer import data, models
from explorer.analysis.tradeoff import sparsity_for_ratio
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.origin import machine, today
from explorer.metrics.size import compression_ratio
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.level import with_sparsity
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.scoring import score, why_no_units
from explorer.pruning.spec import PruneSpec
from explorer.recovery import masking, recipes
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import Recovered, measured
from explorer.recovery.steps import Finetune
from explorer.types import Dataset, Evaluation, LoadedModel, Scores

MODELS = ("digits-resnet", "digits-vit", "digits-gru")
RATIOS = (2.0, 4.0, 8.0, 16.0, 32.0)
ROUNDS = 5
# Where a criterion ranks no single weights, the units on which it is run instead.
UNITS = {"digits-resnet": "out_channel", "digits-vit": "head", "digits-gru": "hidden_unit"}
CONTROLS = ("random", "lp_norm")


@dataclass(frozen=True)
class Cell:
    """One thing to measure."""

    model: str
    unit: str
    criterion: str
    way: str
    ratio: float
    seed: int
    epochs: int


@cache
def opened(name: str) -> tuple[LoadedModel, Dataset, Evaluator, Evaluator]:
    """The sample, its data, and its judges on tune and on test."""
    torch.set_num_threads(1)
    masking.score = remembered(masking.score)
    model = models.load(name)
    dataset = data.load("digits", model=model)
    judges = [Evaluator(model, dataset.splits[split], threads=1) for split in ("tune", "test")]
    return model, dataset, judges[0], judges[1]


def spec_of(cell: Cell) -> PruneSpec:
    """The request of a cell, its level apart; random draws anew for every seed."""
    seeded = "seed" in {f.name for f in fields(CRITERIA.member(cell.criterion))}  # type: ignore[arg-type]
    criterion = CRITERIA.get(cell.criterion, **({"seed": cell.seed} if seeded else {}))
    return PruneSpec(cell.unit, criterion, "global")  # type: ignore[arg-type]


def remembered(score_of: Callable[..., Scores]) -> Callable[..., Scores]:
    """The same function, which knows its last answers: every recipe begins by scoring the same dense network."""
    known: dict[tuple[str, ...], Scores] = {}

    def remembering(model: LoadedModel, spec: PruneSpec, dataset: Dataset | None = None) -> Scores:
        key = (model.digest, "" if dataset is None else dataset.digest, str(spec.granularity), str(spec.criterion))
        if key not in known:
            while len(known) > 8:
                known.pop(next(iter(known)))
            known[key] = score_of(model, spec, dataset)
        return known[key]

    return remembering


@lru_cache(maxsize=4)
def scored(name: str, spec: PruneSpec) -> Scores:
    """The scores of a request; cells of one criterion come one after another."""
    model, dataset, *_ = opened(name)
    return score(model, spec, dataset)


def run(cell: Cell) -> list[dict[str, Any]]:
    """The rows that a cell gives: a fine-tuned one shows what it was as pruned and refreshed, too."""
    model, dataset, tune, test = opened(cell.model)
    spec = spec_of(cell)
    scores = scored(cell.model, spec)
    level = sparsity_for_ratio(model, spec, cell.ratio, scores)
    spec = with_sparsity(spec, level)
    plan = make_plan(model, spec, scores, dataset)
    about = asdict(cell) | {"sparsity": plan.sparsity, "reached": compression_ratio(model, plan).value}
    rows = []
    if cell.way == "finetuned":
        pruned = test.final(plan)
        rows.append(about | {"way": "one_shot"} | _verdict(pruned) | {"tune_accuracy": None, "n_revived": 0})
    for way, recipe in recipes_of(cell, spec, model, dataset):
        *_, last = recover(model, recipe, dataset, evaluator=tune)
        found = last.recovered
        if found is not None:
            rows.append(about | {"way": way} | _judged(found, dataset, test))
    return rows


def recipes_of(cell: Cell, spec: PruneSpec, model: LoadedModel, dataset: Dataset) -> Iterator[tuple[str, Recipe]]:
    """What is done in a cell, by way; what comes before training is a recipe of its own."""
    tuning = tuning_of(model, dataset, cell.epochs)
    if cell.way == "finetuned":
        whole = recipes.one_shot(spec, tuning, seed=cell.seed)
        if has_batch_norm(model):
            yield "refreshed", Recipe(whole.steps[:2], cell.seed)
        yield "finetuned", whole
    elif cell.way == "iterative":
        yield "iterative", recipes.iterative(spec, min(ROUNDS, cell.epochs), tuning, seed=cell.seed)
    else:
        yield "distilled", recipes.distilled(spec, tuning, seed=cell.seed)


def tuning_of(model: LoadedModel, dataset: Dataset, epochs: int) -> Finetune:
    """One protocol for all: the rate and the augmentation that the network was trained with, no weight decay."""
    rate = recipes.training_of(model).learning_rate
    return recipes.tuning_for(model, dataset, epochs=epochs, learning_rate=rate, weight_decay=0.0)


def has_batch_norm(model: LoadedModel) -> bool:
    """Whether there are statistics to re-estimate."""
    return any("running_mean" in name for name, _ in model.module.named_buffers()) if model.module else False


def _judged(found: Recovered, dataset: Dataset, test: Evaluator) -> dict[str, Any]:
    on_test = measured(found.state, dataset.splits["test"], test)
    tuned = found.tuned or found.refreshed or found.as_pruned
    chosen = None if tuned is None else tuned.value
    return _verdict(on_test) | {"tune_accuracy": chosen, "n_revived": found.n_revived}


def _verdict(on_test: Evaluation) -> dict[str, float]:
    return {"test_accuracy": on_test.accuracy.value, "test_drop": on_test.drop.value}


def cells(args: argparse.Namespace) -> Iterator[Cell]:
    """Every cell: each criterion on single weights, or on the units that it ranks."""
    for name in args.models:
        model, dataset, *_ = opened(name)
        by_unit: dict[str, list[str]] = {"weight": [], UNITS[name]: []}
        for key in args.criteria or CRITERIA.members:
            unit = next((u for u in by_unit if _ranks(model, dataset, u, key)), None)
            if unit is not None:
                by_unit[unit].append(key)
        for unit, keys in by_unit.items():
            wanted = list(dict.fromkeys([*keys, *CONTROLS])) if keys else []
            for key in wanted:
                few = args.ratios if key in CONTROLS and unit == "weight" else args.others if unit == "weight" else ()
                for way, ratios in (("finetuned", args.ratios), ("iterative", few), ("distilled", few)):
                    for ratio in ratios:
                        yield from (Cell(name, unit, key, way, ratio, s, args.epochs) for s in range(args.seeds))


def _ranks(model: LoadedModel, dataset: Dataset, unit: str, key: str) -> bool:
    try:
        return why_no_units(score(model, PruneSpec(unit, key), dataset)) is None  # type: ignore[arg-type]
    except ExplorerError:
        return False


def tickets(args: argparse.Namespace) -> Iterator[Cell]:
    """Lottery tickets and their controls, on the residual network alone."""
    if "digits-resnet" in args.models:
        for ratio in (8.0, 32.0):
            for way in ("ticket", "ticket:reinit", "ticket:shuffle_mask"):
                yield from (
                    Cell("digits-resnet", "weight", "lp_norm", way, ratio, s, args.ticket_epochs)
                    for s in range(args.seeds)
                )


def run_ticket(cell: Cell) -> list[dict[str, Any]]:
    """A ticket is trained as the dense network was; the seed shuffles the order of the samples."""
    model, dataset, tune, test = opened(cell.model)
    spec = spec_of(cell)
    spec = with_sparsity(spec, sparsity_for_ratio(model, spec, cell.ratio))
    training = recipes.training_of(model, epochs=cell.epochs)
    control = cell.way.partition(":")[2]
    recipe = recipes.lottery_ticket(spec, ROUNDS, training, control=control, seed=cell.seed)
    *_, last = recover(model, recipe, dataset, evaluator=tune)
    if last.recovered is None:
        return []
    reached = compression_ratio(model, make_plan(model, spec)).value
    return [asdict(cell) | {"reached": reached} | _judged(last.recovered, dataset, test)]


def _do(cell: Cell) -> tuple[Cell, list[dict[str, Any]]]:
    return cell, (run_ticket if cell.way.startswith("ticket") else run)(cell)


def _known(keep: Path | None) -> dict[Cell, list[dict[str, Any]]]:
    found: dict[Cell, list[dict[str, Any]]] = {}
    if keep is not None and keep.is_file():
        for line in keep.read_text().splitlines():
            entry = json.loads(line)
            found[Cell(**entry["cell"])] = entry["rows"]
    return found


def measured_rows(args: argparse.Namespace) -> list[dict[str, Any]]:
    """All rows; those that were kept are not measured again."""
    known = _known(args.keep)
    wanted = [*cells(args), *tickets(args)]
    missing = [cell for cell in wanted if cell not in known]
    with ProcessPoolExecutor(args.processes) as pool:
        for i, future in enumerate(as_completed([pool.submit(_do, cell) for cell in missing])):
            cell, rows = future.result()
            known[cell] = rows
            if args.keep is not None:
                with args.keep.open("a") as file:
                    file.write(json.dumps({"cell": asdict(cell), "rows": rows}) + "\n")
            sys.stderr.write(f"\r{i + 1} of {len(missing)} cells")
    return [row for cell in wanted for row in known[cell]]


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def parsed(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=_names, default=MODELS)
    parser.add_argument("--criteria", type=_names, default=())
    parser.add_argument("--ratios", type=_numbers, default=RATIOS)
    text = "ratios of iterative and distilled for criteria that are no control (default: 8)"
    parser.add_argument("--others", type=_numbers, default=(8.0,), help=text)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--ticket-epochs", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--figure", type=Path)
    return parser.parse_args(argv)


def main() -> None:
    args = parsed()
    rows = measured_rows(args)
    dense = {name: opened(name)[3].dense().accuracy.value for name in args.models}
    found = {
        "benchmark": "methods",
        "machine": machine(),
        "date": today(),
        "torch": str(torch.__version__),
        "split": "test",
        "n": {name: len(opened(name)[1].splits["test"]) for name in args.models},
        "epochs": args.epochs,
        "rounds": ROUNDS,
        "ticket_epochs": args.ticket_epochs,
        "tuning": {name: asdict(tuning_of(*opened(name)[:2], args.epochs)) for name in args.models},
        "seeds": args.seeds,
        "ratios": {"finetuned": args.ratios, "iterative and distilled, no control": args.others},
        "dense": dense,
        "claims": claims(rows, dense),
        "rows": rows,
    }
    if args.figure is not None:
        from benchmarks._methods_figure import draw

        draw(found, args.figure)
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
