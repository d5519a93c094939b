"""``export``: write a pruned model in another form, proven or read back before it is there."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_against, add_common, add_data, add_model
from explorer.cli.flags.request import add_request

NAME = "export"
FORMS = ("slim", "onnx", "bitmask", "csr", "n_of_m", "removed", "weights", "spec", "script")
HELP = "Write a pruned model as a slim model, ONNX, packed or plain weights, a request or a script."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    text = (
        "slim (a smaller network), onnx; packed: bitmask, csr, n_of_m, removed (smaller tensors, places of their "
        "units); weights (zeros written out), spec (JSON), script (Python)"
    )
    parser.add_argument("--to", required=True, choices=FORMS, help=text)
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="the file to write")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    text = "with --to onnx: weights in int8 by ONNX Runtime; static also fixes the ranges of activations beforehand"
    parser.add_argument("--int8", choices=("dynamic", "static"), help=text)
    add_against(parser)
    add_request(parser)
    add_data(parser)
    add_common(parser)
