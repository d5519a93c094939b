"""``app``: serve the screens on this machine."""

from __future__ import annotations

import argparse

from explorer.cli.arguments import Parser
from explorer.params.numerals import short, whole
from explorer.workbench.quotas import Quotas

NAME = "app"
HELP = "Open the app in a browser; only this machine can reach it."


# The parts of the app's own links that may be said here, with what each says.
_MODEL = "what to open at first: a bundled model, or the path of a file with its --arch"
_OPENED = {
    "arch": "architecture of a weight file, such as digits-mlp or timm:resnet18",
    "data": "data to evaluate it on",
    "size": "edge of a picture in pixels",
    "mean": "subtracted from each channel, e.g. 0.5,0.5,0.5",
    "std": "each channel is divided by it",
    "splits": "shares for fit/tune/test, e.g. 0.5/0.25/0.25",
    "task": "what labels in arrays are, where the guess is wrong",
}
OPENED = ("model", *_OPENED)
QUOTAS = {
    "visitors": "visitors at once",
    "jobs": "jobs that wait or run",
    "jobs_each": "of them for one visitor",
    "upload_mb": "MB of uploaded files, in memory and on disk",
    "upload_mb_each": "MB of them for one visitor",
}


def at_least_one(text: str) -> int:
    """A count from 1."""
    try:
        return whole(text, 1, 10**9 - 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{short(text)} is not a whole number from 1") from None


def port_number(text: str) -> int:
    """A port: 0 (any free one) or 1 to 65535."""
    try:
        return whole(text, 0, 65535)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{short(text)} is not a port from 0 (any free one) to 65535") from None


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument("model", metavar="MODEL", nargs="?", help=_MODEL)
    for flag, about in _OPENED.items():
        parser.add_argument(f"--{flag}", metavar=flag[0].upper(), help=about)
    parser.add_argument("--port", type=port_number, metavar="N", help="default: 8501 or the next free one; 0: any free")
    parser.add_argument("--address", metavar="IP", help="address to serve on (default: 127.0.0.1)")
    parser.add_argument(
        "--open-to-network", action="store_true", help="let other machines in: whoever reaches the port may use the app"
    )
    parser.add_argument(
        "--data-dir", metavar="FOLDER", help="where measured points are recorded (default: your data folder)"
    )
    parser.add_argument("--root", metavar="FOLDER", help="files in it may be opened by path (default: this folder)")
    for name, what in QUOTAS.items():
        flag = f"--max-{name.replace('_', '-')}"
        default = getattr(Quotas(), name)
        parser.add_argument(flag, type=at_least_one, metavar="N", help=f"at most N {what} (default: {default})")
    text = "lead a class by this name: prints the link to join and the teacher's key, or goes on with the class"
    parser.add_argument("--class", dest="class_name", metavar="NAME", help=text)
    parser.add_argument("--new-key", action="store_true", help="another teacher's key for the class")
    text = "models named by their id (hf:org/name) may be downloaded; not where the app is open to the network"
    parser.add_argument("--allow-download", action="store_true", help=text)
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--json", action="store_true", help="one JSON object with the address of the app, then serve")
