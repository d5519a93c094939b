"""The model and the data that the flags name."""

from __future__ import annotations

import logging

import torch

from explorer import data, models
from explorer.analysis.models_compared.recorded_run import is_run, model_again, record_at
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.data.given import why_no_data
from explorer.errors import ExplorerError
from explorer.models.lineage import with_parent
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.types import Dataset, LoadedModel


def load_model(args: Arguments) -> LoadedModel:
    """The model that was asked for."""
    check_device(args.device)
    model = open_model(args, args.model)
    parent = named_parent(args)
    return model if parent is None else with_parent(model, parent)


def named_parent(args: Arguments) -> LoadedModel | None:
    """The dense model that --against names; None without it."""
    address = getattr(args, "parent", None)
    if address is None:
        return None
    parent = open_model(args, address)
    if parent.module is None:
        why = parent.why_not_runnable or ""
        raise ExplorerError(f"{address} cannot be compared with.", why=why, fix="Give --arch, or another --against.")
    return parent


def open_model(args: Arguments, address: str) -> LoadedModel:
    """The model at an address, read as the flags say, and nothing known of it but what it says itself; or that of a
    recorded run."""
    if is_run(address):
        return model_again(record_at(address, Store(getattr(args, "data_dir", None))), arch=args.arch)
    arch = None if address in models.samples() and address != args.model else args.arch
    return models.load(
        address,
        arch=arch,
        trust_code=args.trust_code,
        code_timeout=args.code_timeout,
        allow_download=args.allow_download,
    )


def load_runnable(args: Arguments, fix: str = "Give --arch.") -> LoadedModel:
    """The model that was asked for, where it can be run; ``fix`` is what else to do where it cannot."""
    model = load_model(args)
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        raise ExplorerError(f"{args.model} cannot be run.", why=why, fix=fix)
    return model


def load_data(args: Arguments, model: LoadedModel) -> Dataset:
    """The data that was asked for, else what the model was made for; what is wrong with them goes to standard error."""
    dataset = read_data(args, model)
    for finding in dataset.findings:
        if finding.level != "ok":
            printing.note(printing.clean_terminal(printing.finding_line(finding)))
    return dataset


def read_data(args: Arguments, model: LoadedModel) -> Dataset:
    """The same for commands whose results carry the findings of the data."""
    address = args.data or model.data
    if address is None:
        raise ExplorerError(
            f"{args.model} does not say what it is evaluated on.",
            why=why_no_data(model),
            fix="Add --data digits, --data folder:PATH, --data npz:PATH or --data none.",
        )
    return data.load(
        address,
        model=model,
        size=args.size,
        mean=args.mean,
        std=args.std,
        splits=args.splits,
        seed=args.seed,
        task=args.task,
        samples=getattr(args, "data_samples", None),
    )


def data_for(args: Arguments, model: LoadedModel, spec: PruneSpec) -> Dataset | None:
    """The data, where the criterion looks at them; None where the weights are enough."""
    return load_data(args, model) if spec.criterion.needs else None


def check_device(name: str) -> None:
    """ExplorerError where nothing can be computed there."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        logging.getLogger(__name__).exception("The device %r is not usable.", name)
        why = (str(error).splitlines() or [""])[0].rstrip(".")
        raise ExplorerError(f"The device {name!r} is not usable.", why=f"{why}.", fix="Use --device cpu.") from None
