"""What commands measure is kept in the store, unless --no-keep says otherwise."""

from __future__ import annotations

from explorer.cli.arguments import Parser


def add_data_dir(parser: Parser) -> None:
    """Where measurements and counts are kept."""
    text = "folder of recorded measurements and of the count of looks at test splits (default: the user's data folder)"
    parser.add_argument("--data-dir", metavar="DIR", help=text)


def add_keeping(parser: Parser) -> None:
    """Where to keep what is measured, and whether."""
    add_data_dir(parser)
    parser.add_argument("--no-keep", action="store_true", help="do not record what is measured for `runs`")
