"""``compare``: several models side by side, as tables or as one object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from explorer.analysis.models_compared.making import refuse_number, refuse_other_data
from explorer.analysis.models_compared.recorded_run import is_run, model_again, record_at
from explorer.analysis.models_compared.result import ModelsCompared
from explorer.cli import printing
from explorer.cli.arguments import Arguments, Flags
from explorer.cli.run.loading import load_data, load_runnable, open_model
from explorer.cli.run.request import PruneFlags, levels, prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of, done
from explorer.errors import ExplorerError
from explorer.pruning.level import with_sparsity
from explorer.report import compared
from explorer.report.compared_card import comparison_card
from explorer.store.atomic import cannot_write, write_text
from explorer.store.database import Store
from explorer.tasks.compare import CompareRequest, Other, other
from explorer.types import Dataset, LoadedModel

PAIRS = 30
_MOST_CLASSES = 40


@dataclass(frozen=True)
class _CompareFlags(Flags):
    """What this command alone takes."""

    models: list[str] = field(default_factory=list)
    sparsities: str | None = None
    latency: bool = False
    pairs: int | None = None
    changed: int = 5
    html: str | None = None


def run(args: Arguments) -> int:
    """Compare the models."""
    flags = _CompareFlags.of(args)
    first, data = _first(args, flags.models[0])
    others = [*map(other, flags.models[1:]), *_requests(args, flags, first)]
    refuse_number(len(others) + 1)
    opened = {each: open_model(args, each) for each in others if isinstance(each, str) and not is_run(each)}
    if args.data is None:
        refuse_other_data(first, list(opened.values()))
    request = CompareRequest(tuple(others), args.arch, args.split, _times(flags), args.seed)
    data = load_data(args, first) if data is None else data
    args.no_keep = True
    with context_of(args, first, data) as context:
        context.opened = opened
        *_, last = done(request, context, "comparing")
    if not isinstance(last, ModelsCompared):
        raise TypeError("the last result of a comparison is the whole")
    if flags.html is not None:
        _write(Path(flags.html), comparison_card(last))
    if args.json:
        printing.say_json(last.to_json())
    else:
        printing.say(*_lines(last, flags.changed))
    return 0


def _first(args: Arguments, address: str) -> tuple[LoadedModel, Dataset | None]:
    """The first model; of a recorded run also the data that it was measured on, unless others are named."""
    if not is_run(address):
        args.model = address
        return load_runnable(args), None
    record = record_at(address, Store(args.data_dir))
    args.model, args.data = record.model_address, args.data or record.data_address
    dense = load_runnable(args)
    data = load_data(args, dense)
    return model_again(record, dense, data), data


def _requests(args: Arguments, flags: _CompareFlags, first: LoadedModel) -> Iterator[Other]:
    """What the flags ask of the first model: a request for each share, or the one that --spec says."""
    asked = PruneFlags.of(args)
    if flags.sparsities is None:
        if asked.is_a_choice:
            raise ExplorerError("How much to prune is not said.", fix="Add --sparsities 0.5,0.8.")
        if asked.spec is not None:
            yield prune_spec(args)
        return
    spec = with_curves(args, first, prune_spec(args))
    for share in levels("--sparsities", flags.sparsities, 0, 1):
        yield with_sparsity(spec, share)


def _times(flags: _CompareFlags) -> int:
    if flags.pairs is not None and not flags.latency:
        raise ExplorerError("--pairs says how to measure time.", fix="Add --latency.")
    return (flags.pairs or PAIRS) if flags.latency else 0


def _lines(result: ModelsCompared, most: int) -> Iterator[str]:
    yield from map(printing.clean_terminal, (compared.subject(result), ""))
    yield from printing.table(compared.head(result), compared.rows(result), left=1)
    yield ""
    yield from map(printing.clean_terminal, compared.sentences(result))
    if result.labels is not None and len(result.classes) <= _MOST_CLASSES:
        yield ""
        yield from printing.table(compared.class_head(result), compared.class_rows(result), left=1)
    for i, name in enumerate(result.names):
        samples = result.changed(i)
        if samples and most:
            yield from (
                "",
                printing.clean_terminal(f"Changed by {name}: {min(most, len(samples))} of {len(samples):,}"),
            )
            yield from printing.table(compared.CHANGED_HEAD, compared.changed_rows(result, samples[:most]), left=0)
    yield from ("", "Where they come from:")
    yield from map(printing.clean_terminal, compared.tree(result))
    yield from ("", "The same again:", printing.clean_terminal(f"  {result.command}"))


def _write(place: Path, text: str) -> None:
    try:
        write_text(place, text)
    except OSError as error:
        raise cannot_write(place, error) from error
