"""``check``: the verdict, its exit status, and the files that tell of it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from explorer.analysis.blame import Blame, hurt_classes
from explorer.analysis.check.policy import Policy, policy_table
from explorer.analysis.check.result import Check
from explorer.analysis.parent import parent_of
from explorer.cli import printing
from explorer.cli.arguments import Arguments, Flags
from explorer.cli.run.loading import load_data, named_parent, open_model
from explorer.cli.run.recipe import recipe_at
from explorer.cli.run.request import PruneFlags, prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of, done
from explorer.data.one_column import column_of
from explorer.errors import ExplorerError
from explorer.report import blamed
from explorer.report.card import card
from explorer.report.cells import HEAD, subject
from explorer.report.junit import junit
from explorer.report.markdown import markdown
from explorer.report.pdf import print_page
from explorer.report.text import rows, sentences
from explorer.store.atomic import cannot_write, write_text
from explorer.tasks.blame import BlameRequest
from explorer.tasks.check import CheckRequest
from explorer.tasks.context import Context
from explorer.types import LoadedModel

PAIRS = 30
_STRICT = {0: 0, 1: 1, 3: 1}


@dataclass(frozen=True)
class _CheckFlags(Flags):
    """What this command alone takes."""

    policy: str | None = None
    limits: list[str] = field(default_factory=list)
    latency: bool = False
    pairs: int | None = None
    strict: bool = False
    junit: str | None = None
    html: str | None = None
    markdown: str | None = None
    write_policy: str | None = None
    blame: str | None = None
    recipe: str | None = None
    slices: list[str] = field(default_factory=list)
    pdf: str | None = None


def run(args: Arguments) -> int:
    """Check one candidate."""
    flags = _CheckFlags.of(args)
    policy = _policy(flags)
    if flags.write_policy is not None:
        _write(flags.write_policy, policy.to_toml())
    candidate = open_model(args, args.model)
    request, dense = _request(args, flags, policy, candidate)
    data = load_data(args, dense)
    args.no_keep = True
    with context_of(args, dense, data) as context:
        context.opened = {candidate.address: candidate}
        *_, last = done(request, context, "checking")
        if not isinstance(last, Check):
            raise TypeError("the last result of a check is the whole")
        blame = None if flags.blame is None else _blamed(flags.blame, request, last, context)
    _write_files(flags, last)
    if args.json:
        more = {} if flags.blame is None else {"blame": None if blame is None else blame.to_json()}
        printing.say_json({**last.to_json(), **more})
    else:
        printing.say(*_lines(last), *(_blame_lines(blame) if flags.blame is not None else ()))
    return _STRICT[last.exit_status] if flags.strict else last.exit_status


def _request(
    args: Arguments, flags: _CheckFlags, policy: Policy, candidate: LoadedModel
) -> tuple[CheckRequest, LoadedModel]:
    """What to check, and the dense model that it would replace."""
    if flags.pairs is not None and not flags.latency:
        raise ExplorerError("--pairs says how to measure time.", fix="Add --latency.")
    asked, parent = PruneFlags.of(args), named_parent(args)
    prunes = asked.is_a_choice or asked.spec is not None
    if prunes and parent is not None:
        fix = "Give the dense model as MODEL, or leave the flags that prune out."
        raise ExplorerError("--against goes with a candidate as it is.", why="These flags prune MODEL itself.", fix=fix)
    times = (flags.pairs or PAIRS) if flags.latency else 0
    columns = dict(map(column_of, flags.slices))
    common = {"policy": policy, "split": args.split, "times": times, "seed": args.seed, "slices": columns}
    if flags.recipe is not None:
        if prunes or parent is not None:
            raise ExplorerError("--recipe already says what is made of MODEL.", fix="Leave the other flags out.")
        return CheckRequest(recipe=recipe_at(flags.recipe), **common), candidate
    if prunes:
        return CheckRequest(spec=with_curves(args, candidate, prune_spec(args)), **common), candidate
    dense = parent if parent is not None else parent_of(candidate, args.data_dir)
    if dense is None:
        what = f"It is not known what {args.model} would replace."
        raise ExplorerError(
            what, why="Its file does not say what it was made from.", fix="Name it with --against MODEL."
        )
    return CheckRequest(candidate=candidate.address, **common), dense


def _blamed(of_class: str, request: CheckRequest, check: Check, context: Context) -> Blame | None:
    """Which layer is to blame for what the class lost, of the class that lost most unless one is named."""
    hurt = hurt_classes(check)
    if not of_class and not hurt:
        return None
    asked = BlameRequest(of_class or hurt[0], request.candidate, request.arch, request.spec, request.split)
    *_, last = done(asked, context, "restoring")
    return last if isinstance(last, Blame) else None


def _blame_lines(blame: Blame | None) -> Iterator[str]:
    yield ""
    if blame is None:
        yield "No class lost anything, so nothing is to blame."
        return
    yield printing.clean_terminal(blamed.sentence(blame))
    yield from printing.table(blamed.HEAD, blamed.rows(blame))


def _policy(flags: _CheckFlags) -> Policy:
    table = {} if flags.policy is None else policy_table(flags.policy)
    for text in flags.limits:
        where, is_set, value = text.partition("=")
        key, dot, name = where.partition(".")
        if not is_set or not dot:
            raise ExplorerError(f"--set {text!r} sets nothing.", fix="Write --set accuracy.margin=0.02.")
        before = table.get(key)
        if before is False:
            before = {"level": "off"}
        table[key] = {**(before if isinstance(before, Mapping) else {}), name: _read(value)}
    return Policy.of(table)


def _read(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _lines(check: Check) -> list[str]:
    table = printing.table(HEAD, rows(check), left=2)
    return [printing.clean_terminal(subject(check)), "", *table, "", *map(printing.clean_terminal, sentences(check))]


def _write_files(flags: _CheckFlags, check: Check) -> None:
    if flags.junit is not None:
        _write(flags.junit, junit(check, strict=flags.strict))
    if flags.html is not None:
        _write(flags.html, card(check))
    if flags.pdf is not None:
        print_page(card(check), Path(flags.pdf))
    if flags.markdown is not None:
        _write(flags.markdown, markdown(check))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(markdown(check))
        except OSError as error:
            raise cannot_write(Path(summary), error) from error


def _write(place: str, text: str) -> None:
    try:
        write_text(Path(place), text)
    except OSError as error:
        raise cannot_write(Path(place), error) from error
