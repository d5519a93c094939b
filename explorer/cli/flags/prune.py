"""``prune``: write the pruned model to a file, whole and verified or not at all."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_against, add_common, add_data, add_model, add_stream
from explorer.cli.flags.failing import add_fail_on
from explorer.cli.flags.request import add_request

NAME = "prune"
HELP = "Write a pruned model: with zeros in place of what went, or with smaller tensors."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="the file (.safetensors or .onnx), or a folder: block by block",
    )
    add_stream(parser)
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    forms = "masked: zeros are stored (default); sliced: whole units are removed, proven on the tune split"
    parser.add_argument("--form", choices=("masked", "sliced"), default="masked", help=forms)
    sees = "in a folder: a block sees what the pruned blocks before it give (default), or the dense ones"
    parser.add_argument("--propagate", choices=("pruned", "dense"), default="pruned", help=sees)
    add_against(parser)
    add_fail_on(parser)
    add_request(parser)
    add_data(parser)
    add_common(parser)
