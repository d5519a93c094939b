"""``submit``: ask a cluster for workers of a shared folder."""

from __future__ import annotations

from explorer.cli.arguments import Parser
from explorer.cli.flags.app import at_least_one

NAME = "submit"
HELP = "Write the script that asks a cluster (Slurm) for workers of a shared folder, and submit it."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument("folder", metavar="FOLDER", help="the folder of --backend folder:FOLDER, which all nodes see")
    parser.add_argument(
        "--slurm", action="store_true", required=True, help="the cluster runs Slurm (the only one so far)"
    )
    parser.add_argument("--array", type=at_least_one, required=True, metavar="N", help="how many workers")
    parser.add_argument("--cpus", type=at_least_one, default=1, metavar="N", help="cores of each (default: 1)")
    parser.add_argument("--gpus", type=at_least_one, metavar="N", help="GPUs of each (default: none)")
    parser.add_argument("--time", default="01:00:00", metavar="T", help="the longest each may run (default: 01:00:00)")
    parser.add_argument("--partition", metavar="P", help="the partition to run in")
    parser.add_argument(
        "--idle", type=at_least_one, default=300, metavar="SECONDS", help="as for worker (default: 300)"
    )
    parser.add_argument("--write-only", action="store_true", help="write the script and do not submit it")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")
