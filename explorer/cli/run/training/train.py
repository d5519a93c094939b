"""``train``: train, tell epoch by epoch, and write a file that opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from explorer.analysis.report import data_json
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.train import SETTINGS
from explorer.cli.run.loading import check_device, read_data
from explorer.cli.run.tasks import shown
from explorer.errors import ExplorerError
from explorer.export.files import check_target
from explorer.export.weights import Written, write_pruned
from explorer.metrics.own import metric_of
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.checkpoints import progress_json
from explorer.recovery.full import settings_for, train, untrained
from explorer.recovery.state import Recovered, RecoveryProgress
from explorer.recovery.steps import STEPS, Finetune
from explorer.text.numbers import level
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Train and write."""
    check_device(args.device)
    model = untrained(args.arch, args.data, seed=args.seed)
    if args.output:
        target = Path(args.output)
        check_target(model, target, ".safetensors", (target.with_suffix(".spec.json"),), force=args.force)
    if model.data is None:
        raise ExplorerError(f"{args.arch} is for no data of its own.", fix="Add --data, such as --data folder:PATH.")
    data = read_data(args, model)
    settings = _settings(args, model, data)
    lines = list(shown(_training(args, model, data, settings), "training", settings.epochs + 1, _in_words))
    recovered = lines[-1].recovered
    if recovered is None:
        raise RuntimeError("a training ends with what it came to")
    written = None if args.output is None else _written(args, recovered)
    if args.json:
        printing.say_json(_json(data, recovered, written))
    else:
        printing.say(*_lines(args, data, recovered, written))
    return 0


def _training(args: Arguments, model: LoadedModel, data: Dataset, settings: Finetune) -> Iterator[RecoveryProgress]:
    metric = None if args.metric is None else metric_of(args.metric)
    return train(
        model,
        data,
        training=settings,
        seed=args.seed,
        metric=metric,
        checkpoints=args.checkpoints,
        device=args.device,
        progress=False,
    )


def _settings(args: Arguments, model: LoadedModel, data: Dataset) -> Finetune:
    """What the flags say over what suits the network, checked like the settings of a file."""
    changes = {name: value for name, flag in SETTINGS.items() if (value := getattr(args, flag)) is not None}
    settings = STEPS.from_json({"key": Finetune.key, **asdict(settings_for(model, data)), **changes})
    if not isinstance(settings, Finetune):
        raise TypeError("settings of a fine-tuning are a fine-tuning")
    return settings


def _in_words(line: RecoveryProgress) -> str:
    epoch = f"epoch {line.epoch} of {line.n_epochs}" if line.n_epochs else ""
    return f"{epoch}: {level(line.accuracy)} on tune" if line.accuracy is not None and epoch else epoch


def _written(args: Arguments, recovered: Recovered) -> Written:
    model = recovered.model
    return write_pruned(model, make_plan(model, PruneSpec()), Path(args.output), force=args.force)


def _json(data: Dataset, recovered: Recovered, written: Written | None) -> JsonDict:
    return {
        "model": {"address": recovered.model.address, "digest": recovered.model.digest},
        "data": data_json(data),
        "trained": dict(recovered.model.meta["trained"]),
        "tune": None if recovered.tuned is None else asdict(recovered.tuned),
        "history": [progress_json(line) for line in recovered.history],
        "written": None if written is None else {"weights": str(written.weights), "bytes": written.n_bytes},
    }


def _lines(args: Arguments, data: Dataset, recovered: Recovered, written: Written | None) -> list[str]:
    about, tuned = recovered.model.meta["trained"], recovered.tuned
    rows = [] if tuned is None else [(f"{tuned.name.replace('_', ' ')}, tune", level(tuned), printing.interval(tuned))]
    arch = printing.clean_terminal(args.arch)
    lines = [
        f"{arch} on {printing.clean_terminal(data.address)}: {about['epochs']:,} epochs in {about['seconds']:,.3g} s, "
        f"seed {about['seed']}, the {about['keep']} epoch",
        "",
        *printing.table(("what", "value", "95 % interval"), rows),
    ]
    if written is None:
        return [*lines, "", "Not written: add -o OUT.safetensors."]
    name = printing.clean_terminal(written.weights)
    return [*lines, "", f"Wrote {name} ({printing.bytes_counted(written.n_bytes)}): the beginning of its lineage."]
