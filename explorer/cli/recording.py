"""What commands measure is kept in the store, unless --no-keep says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from explorer.store.database import Store
    from explorer.types import Dataset, LoadedModel, SplitName, TradeOffPoint


def add_data_dir(parser: Parser) -> None:
    """Where measurements and counts are kept."""
    text = "folder of kept measurements and of the count of looks at test splits (default: the user's data folder)"
    parser.add_argument("--data-dir", metavar="DIR", help=text)


def add_keeping(parser: Parser) -> None:
    """Where to keep what is measured, and whether."""
    add_data_dir(parser)
    parser.add_argument("--no-keep", action="store_true", help="do not keep what is measured for `runs`")


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
    from explorer.store.database import Store
    from explorer.store.records import record_of

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
