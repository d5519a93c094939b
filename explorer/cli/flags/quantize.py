"""``quantize``: prune and quantize together, as a grid of measured points."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_model, whole
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import add_request, share
from explorer.params import param_of
from explorer.recovery.settings import CACHE_BITS, QuantizeSettings

NAME = "quantize"
HELP = "Prune and quantize: size and accuracy of every share pruned in float32 and int8."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    levels = parser.add_mutually_exclusive_group()
    levels.add_argument("--sparsity", type=share, metavar="S", help="one share (default: that of --spec, or 0)")
    levels.add_argument("--grid", metavar="S,S", help="several shares, e.g. 0,0.5,0.8,0.9")
    group = parser.add_argument_group("how to quantize")
    bits = param_of(QuantizeSettings, "bits")
    text = f"of simulated weights, {bits.range} (default: {bits.default})"
    group.add_argument("--bits", type=whole, default=bits.default, metavar="B", help=text)
    group.add_argument("--runtime", action="store_true", help="also by ONNX Runtime: real files, accuracy, time")
    group.add_argument(
        "--recovery",
        default="none",
        metavar="H,H",
        help="before quantizing: none (default), finetune, distil; or several",
    )
    group.add_argument("--epochs", type=whole, metavar="N", help="of each recovery, and of --order (default: 10)")
    group.add_argument("--order", action="store_true", help="also prune first against quantize first, with tuning")
    group = parser.add_argument_group("memory when served (language models)")
    group.add_argument("--context", type=whole, metavar="N", help="also count weights and cache at N tokens of context")
    group.add_argument("--batch", type=whole, default=1, metavar="N", help="texts at a time (default: 1)")
    group.add_argument(
        "--cache-bits", type=int, choices=CACHE_BITS, default=16, help="of each number in the cache (default: 16)"
    )
    add_request(parser, one_level=False)
    add_data(parser)
    add_keeping(parser)
    add_common(parser)
