"""``lesson``: a lesson in the terminal, or as a hand-out."""

from __future__ import annotations

from explorer.cli.arguments import Parser

NAME = "lesson"
HELP = "List the lessons, take one in the terminal, or write it as a hand-out."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="which lesson; without it all are listed")
    text = "answers as JSON, or a file of it: nothing is asked then; numbers are in the unit of the question"
    parser.add_argument("--answers", metavar="JSON", help=text)
    parser.add_argument("-o", "--output", metavar="FILE", help="write a hand-out instead: FILE.html or FILE.ipynb")
    parser.add_argument("--teacher", action="store_true", help="put the teacher's answers into the hand-out")
    parser.add_argument("--language", default="en", metavar="L", help="of the texts: en, de (default: en)")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")
