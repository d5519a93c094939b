"""The documentation as a site: it leaves out nothing of registries and parsers, breaks no link, asks nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import SUPPRESS
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import explorer as ex
from docs.generate import commands, formats, methods, public, runtimes
from explorer.cli import COMMANDS
from explorer.metrics.sparsity_support import TABLE
from explorer.params import params_of
from explorer.recovery.schemas import schemas
from tests.browser import FOREVER_MS, say_loudly, serve

pytest_plugins = ("tests.browser",)
ROOT = Path(__file__).resolve().parents[1]
SHOWN = ("index.html", "tutorial.html", "methods/criteria/obs.html", "python.html", "commands.html", "other-tools.html")


def test_every_member_has_a_page_with_its_parameters_its_weakness_and_a_place_in_the_menu() -> None:
    in_the_menu = {
        name for section in methods.menu() for entries in section.values() for e in entries for name in e.values()
    }
    for folder, (_, registry, _) in methods.KINDS.items():
        for member in registry:
            text = methods.member_page(folder, member, None)
            assert f"methods/{folder}/{member.key}.md" in in_the_menu
            assert text.startswith(f"# {member.label}\n")
            assert all(f"| `{p.name}` |" in text for p in params_of(member)), member.key
            assert len(text.partition("## Where it is weak")[2].split("##")[0]) > 30, (
                f"{member.key} says no 'Weak where'"
            )
    for name in methods.schedule_texts():
        assert f"methods/schedules/{name}.md" in in_the_menu
        assert "## Where it is weak\n\n" in methods.schedule_page(name)


def test_a_formula_ends_where_its_brackets_are_closed() -> None:
    text = methods.parts_of(
        "Magnitude.\n\nscore[g] = (mean_i |w[g, i]|^p)^(1/p). The mean, not\nthe sum.\n\nSource: a paper."
    )
    assert text.formula == "score[g] = (mean_i |w[g, i]|^p)^(1/p)"
    assert text.body == ("The mean, not the sum.",)
    assert (text.summary, text.source) == ("Magnitude.", "a paper.")


def test_every_criterion_but_chance_shows_a_formula_and_a_paper() -> None:
    folder, (_, registry, _) = next(iter(methods.KINDS.items()))
    for member in registry:
        text = methods.member_page(folder, member, None)
        if member.key != "random":
            assert "## Formula\n\n```text\nscore[" in text, member.key
            assert "None: it is a way" not in text, member.key


def test_the_page_of_commands_has_every_command_with_every_flag() -> None:
    page = commands.page()
    for command in COMMANDS:
        section = page.split(f"\n## {command.NAME}\n")[1].split("\n## ")[0]
        actions = commands.subparsers()[command.NAME]._option_string_actions
        flags = [flag for flag, action in actions.items() if action.help != SUPPRESS and flag not in ("-h", "--help")]
        assert [flag for flag in flags if flag not in section] == [], command.NAME
        assert len(flags) > 0


def test_the_page_of_python_has_every_public_name_and_that_of_files_every_schema() -> None:
    assert [name for name in ex.__all__ if f"heading: ex.{name}\n" not in public.page()] == []
    assert [name for name in schemas() if f"](schemas/{name})" not in formats.page()] == []
    assert [row.runtime for row in TABLE if f"| {row.runtime} |" not in runtimes.page()] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it: a broken link ends the building."""
    if find_spec("mkdocs") is None or find_spec("mkdocstrings") is None:
        line = 'NO MKDOCS: the site is not tried. Run: pip install "pruning-explorer[docs]"'
        say_loudly(line)
        pytest.skip(line)
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    return folder


@pytest.fixture(params=["file", "server"])
def address(site: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The site from the disk, and from a server of one's own."""
    if request.param == "file":
        yield site.as_uri()
    else:
        with serve(site) as url:
            yield url


@pytest.mark.slow
@pytest.mark.browser
def test_the_site_is_read_and_searched_in_light_dark_and_narrow_without_asking_another_server(
    chromium: Browser, address: str
) -> None:
    grounds: set[str] = set()
    requests: list[str] = []
    errors: list[str] = []
    for scheme in ("light", "dark"):
        # A visitor of one's own for each theme: the site remembers the first one that it showed.
        context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for name in SHOWN:
                page.goto(f"{address}/{name}")
                expect(page.locator("article h1")).to_be_visible(timeout=FOREVER_MS)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} at {width}"
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.locator(".md-search__input").press_sequentially("lottery")
        expect(page.locator(".md-search-result__meta")).to_contain_text("matching document", timeout=FOREVER_MS)
        context.close()
    assert len(grounds) == 2
    assert errors == []
    assert [url for url in requests if not url.startswith((address, "data:"))] == []
