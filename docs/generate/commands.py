"""The page of commands and flags, from the parsers themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from explorer.cli import COMMANDS, parser

_HEAD = "| flag | default | what it does |\n|---|---|---|"


def page() -> str:
    """Every command with its flags, in the order of ``--help``."""
    lines = [
        "# Commands and flags",
        "As the parsers declare them. [The command line](command-line.md) shows the commands at work; `COMMAND --help` "
        "prints the same in the terminal. `pruning-explorer` is short for `python -m explorer`.",
        "| command | what it does |\n|---|---|",
    ]
    lines[-1] += "".join(f"\n| [`{c.NAME}`](#{c.NAME}) | {_cell(c.HELP)} |" for c in COMMANDS)
    for name, sub in subparsers().items():
        usage = " ".join(sub.format_usage().removeprefix("usage: ").split())
        lines += [f"## {name}", f"{_cell(sub.description or '')}", f"```text\n{usage}\n```"]
        lines.append("\n".join([_HEAD, *_rows(sub)]))
    return "\n\n".join(lines) + "\n"


def subparsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    (choices,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(choices.choices)


def _rows(sub: argparse.ArgumentParser) -> Iterator[str]:
    formatter = sub._get_formatter()
    for action in sub._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        words = formatter._format_action_invocation(action).replace("|", "\\|")
        text = formatter._expand_help(action) if action.help else ""
        yield f"| `{words}` | {_default(action)} | {_cell(text)} |"


def _default(action: argparse.Action) -> str:
    if action.required or not action.option_strings:
        return "" if action.nargs in ("?", "*") else "needed"
    is_plain = isinstance(action.default, str | int | float) and not isinstance(action.default, bool)
    return f"`{action.default}`" if is_plain and action.default != argparse.SUPPRESS else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
