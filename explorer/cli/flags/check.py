"""``check``: is a model fit to be deployed in the place of another one?"""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_against, add_common, add_data, add_model, whole
from explorer.cli.flags.recording import add_data_dir
from explorer.cli.flags.request import add_request

NAME = "check"
HELP = "Check a model before it is deployed, against the one that it replaces: pass, fail, or cannot tell."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    add_against(parser)
    add_request(parser)
    text = "a Recipe as JSON, or the JSON itself: check what it makes of MODEL by pruning and training"
    parser.add_argument("--recipe", metavar="FILE", help=text)
    add_data(parser)
    group = parser.add_argument_group("what is checked")
    group.add_argument("--policy", metavar="FILE", help="limits of each check, as TOML (see --write-policy)")
    text = "one limit, e.g. accuracy.margin=0.02 or corruptions.level=off; again for more"
    group.add_argument("--set", dest="limits", action="append", default=[], metavar="CHECK.LIMIT=V", help=text)
    group.add_argument("--split", choices=("tune", "test"), default="tune", help="test is locked: each look is counted")
    text = "a column of a CSV file with a row for each sample of the split, in its order; again for more"
    group.add_argument("--slices", action="append", default=[], metavar="FILE:COLUMN", help=text)
    group.add_argument("--latency", action="store_true", help="time both in turns, and check the ratio")
    group.add_argument(
        "--pairs", type=whole, default=None, metavar="N", help="of --latency: pairs of passes (default: 30)"
    )
    text = "also which layer is to blame for what a class lost (default: the class that lost most), measured"
    group.add_argument("--blame", nargs="?", const="", metavar="CLASS", help=text)
    group = parser.add_argument_group("verdict", "Exit status: 0 pass, 1 fail, 3 cannot tell, 2 usage or refused.")
    group.add_argument("--strict", action="store_true", help="what cannot be told fails: exit status 1 instead of 3")
    group.add_argument("--junit", metavar="FILE", help="write JUnit XML, which CI shows check by check")
    group.add_argument("--html", metavar="FILE", help="write one self-contained page")
    group.add_argument("--pdf", metavar="FILE", help="print that page to PDF, where Chromium is installed")
    text = "write Markdown; where $GITHUB_STEP_SUMMARY is set it is added there, too"
    group.add_argument("--markdown", metavar="FILE", help=text)
    group.add_argument("--write-policy", metavar="FILE", help="write the policy with every limit, to begin with")
    add_data_dir(parser)
    add_common(parser)
