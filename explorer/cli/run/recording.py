"""What commands measure is kept in the store, unless --no-keep says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.errors import ExplorerError
from explorer.store.database import Store
from explorer.store.records import record_of
from explorer.types import Dataset, LoadedModel, SplitName, TradeOffPoint


def kept(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    points: Iterable[TradeOffPoint],
    *,
    split: SplitName,
    kind: str,
) -> Iterator[TradeOffPoint]:
    """The same points, each kept as it comes. A store that fails is told once on standard error; work goes on."""
    store = None if args.no_keep else Store(args.data_dir)
    for point in points:
        if store is not None:
            try:
                store.keep_point(record_of(point, model, data, split=split, kind=kind, device=args.device))
            except ExplorerError as error:
                printing.note(printing.plain(f"What is measured is not kept. {error}"))
                store = None
        yield point
    if store is not None:
        tell(store)
        store.close()


def tell(store: Store) -> None:
    """What people should know about the store, on standard error."""
    for finding in store.findings:
        printing.note(printing.finding_line(finding))
