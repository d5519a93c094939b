"""The README and the pages of docs tell the truth: Python runs, commands exist, pictures, links and files are there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.cli import main, parser, work_of
from explorer.cli.arguments import Arguments, joined_numbers
from explorer.export.slim import write_slim
from tests.every import for_each

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
COMMANDS = sorted(set(re.findall(r"^(?:\$ )?python -m explorer (\w[^#\n]*)", TEXT, re.MULTILINE)))
RUN_HERE = ("evaluate digits-resnet --sparsity 0.6", "prune digits-cnn --sparsity 0.8 -o pruned.safetensors")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_python_block_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")

    exec(compile(code, "README.md", "exec"), {})

    said = capsys.readouterr().out
    promised = re.search(r"print\(report\) +# (.*?) \.\.\.", code)
    assert promised is not None
    assert said.startswith(promised[1])
    assert (tmp_path / "pruned.safetensors").stat().st_size > 200_000


@for_each("line", COMMANDS)
def test_a_command_of_the_readme_exists_with_its_flags(line: str) -> None:
    args = parser().parse_args(joined_numbers(shlex.split(line)), Arguments())
    assert callable(work_of(args.command))


@pytest.mark.parametrize("line", RUN_HERE)
def test_an_output_shown_is_what_the_command_prints(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (shown,) = (block for block in blocks("console") if block.startswith(f"$ python -m explorer {line}\n"))
    words = shlex.split(line) + (["--no-keep"] if line.startswith("evaluate") else [])

    args = parser().parse_args(words, Arguments())
    assert work_of(args.command)(args) == 0

    said = [row.rstrip() for row in capsys.readouterr().out.splitlines()]
    for row in shown.splitlines()[1:]:
        assert row == "..." or row.rstrip() in said


@pytest.mark.slow
@for_each("page", [page for page in PAGES if "```sh\n# chain" in page.read_text(encoding="utf-8")])
def test_a_chain_of_commands_runs_as_it_stands(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks of shell with the word "chain": each command of a page works with the files of those before."""
    folder = tmp_path / page.stem
    folder.mkdir()
    monkeypatch.chdir(folder)
    text = page.read_text(encoding="utf-8")
    for line in "".join(re.findall(r"^```sh\n# chain\n(.*?)^```", text, re.MULTILINE | re.DOTALL)).splitlines():
        words = shlex.split(line, comments=True)
        if words[:3] == ["python", "-m", "explorer"]:
            exits = re.search(r"# exits with (\d)", line)
            assert main(words[3:]) == (int(exits[1]) if exits else 0), (line, capsys.readouterr().err)
        elif words:
            assert subprocess.run([sys.executable, *words[1:]], check=False, capture_output=True).returncode == 0, line


def test_the_lines_that_rebuild_a_slim_model_with_torch_alone_answer_as_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = (block for block in blocks("py") if "slim.arch.json" in block)
    model = ex.load("digits-resnet")
    plan = ex.plan(model, ex.PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.3"))
    tune = ex.load_data("digits", model=model).splits["tune"]
    write_slim(model, plan, tmp_path / "slim.safetensors", split=tune)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    exec(compile(code, "methods.md", "exec"), names)

    images = torch.rand(5, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(names["model"](images), ex.masked(model, plan).module(images), atol=1e-5)


def test_pictures_links_files_and_make_targets_are_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
            most = 2_000_000 if picture.endswith(".webp") else 250_000  # a moving one
            assert (page.parent / picture).stat().st_size < most
        for link in re.findall(r"(?<!!)\[[^\]]*\]\(([\w./-]+\.md)(?:#[\w-]+)?\)", text):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    for target in re.findall(r"\bmake ([a-z-]+)(?= +#|`|$)", TEXT, re.MULTILINE):
        assert target in targets
    for path in re.findall(r"`((?:explorer|docs|tests|benchmarks)/[\w/.]*)`", TEXT):
        assert (ROOT / path).exists(), path
