"""CONTRIBUTING.md tells the truth: each addition is made on a copy of the tree as it says, and is there for a user."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.house import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OURS = Path(__file__).parent / "contributed"


@dataclass(frozen=True)
class Addition:
    """A file of ``tests/contributed``, where it goes, and the line that puts it among the others."""

    file: str
    place: str
    registry: str
    after: str
    line: str
    imported: str
    second: tuple[str, str] | None = None  # another file, and where it goes

    def make(self, tree: Path) -> None:
        for file, place in ((self.file, self.place), *((self.second,) if self.second else ())):
            (tree / place).parent.mkdir(exist_ok=True)
            shutil.copy(OURS / file, tree / place)
        path = tree / self.registry
        text = path.read_text(encoding="utf-8")
        assert text.count(self.after) == 1, f"{self.after!r} stands {text.count(self.after)} times in {self.registry}"
        text = text.replace(self.after, f"{self.after}{self.line}")
        path.write_text(
            text.replace("import annotations\n", f"import annotations\n{self.imported}\n", 1), encoding="utf-8"
        )


def member(file: str, folder: str, after: str, name: str) -> Addition:
    module = folder.replace("/", ".")
    place, registry = f"{folder}/{file}", f"{folder}/__init__.py"
    return Addition(file, place, registry, after, f"{name}, ", f"from {module}.{Path(file).stem} import {name}")


ADDITIONS = {
    "criterion": member(
        "criterion.py", "explorer/pruning/criteria", "MEMBERS: tuple[type[Criterion], ...] = (", "Largest"
    ),
    "granularity": member(
        "granularity.py", "explorer/pruning/granularity", "MEMBERS: tuple[type[Granularity], ...] = (", "Row"
    ),
    "allocation": member(
        "allocation.py", "explorer/pruning/allocation", "MEMBERS: tuple[type[Allocation], ...] = (", "FirstOnly"
    ),
    "metric": member("metric.py", "explorer/metrics", "MEMBERS: tuple[type[Metric], ...] = (", "Unsure"),
    "check": member("check.py", "explorer/analysis/check", "MEMBERS: tuple[type[CheckRule], ...] = (", "ShortName"),
    "model source": member("model_source.py", "explorer/models", 'Registry("model source", (', "Shelf"),
    "data source": member("data_source.py", "explorer/data", '"data source", (', "Mirrored"),
    "recovery step": member(
        "recovery_step.py", "explorer/recovery/steps", "MEMBERS: tuple[type[Step], ...] = (", "Rest"
    ),
    "task": member("task.py", "explorer/tasks", "MEMBERS: tuple[type[AnyRequest], ...] = (", "LargestRequest"),
    "command": Addition(
        "command.py",
        "explorer/cli/flags/weigh.py",
        "explorer/cli/__init__.py",
        "COMMANDS: tuple[Command, ...] = (",
        "weigh, ",
        "from explorer.cli.flags import weigh",
        ("command_work.py", "explorer/cli/run/weigh.py"),
    ),
    "back end": member("backend.py", "explorer/engine/backends", "MEMBERS: tuple[type[Backend], ...] = (", "Reopened"),
    "lesson": Addition(
        "lesson.md",
        "explorer/lessons/texts/hello.md",
        "explorer/lessons/__init__.py",
        "MEMBERS: tuple[str, ...] = (",
        '"hello", ',
        "",
    ),
    "page": Addition(
        "page.py",
        "pages/hello.py",
        "explorer/ui/pages.py",
        "MEMBERS: tuple[Page, ...] = (",
        "\n    HELLO,",
        "from explorer.ui.hello import PAGE as HELLO",
        ("page_entry.py", "explorer/ui/hello/__init__.py"),
    ),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with one addition of each kind."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("explorer", "sample_models", "pages"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", copy)
    for addition in ADDITIONS.values():
        addition.make(copy)
    return copy


def ran(tree: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def explored(tree: Path, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ran(tree, "-m", "explorer", *arguments, "--json"))
    return answer


def recipes() -> dict[str, str]:
    """The text of each "### A ..." of CONTRIBUTING.md by its name."""
    parts = re.split(r"^### An? (.+)$", TEXT, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_addition_is_described_in_at_most_five_lines_and_every_description_is_tried() -> None:
    assert set(recipes()) == set(ADDITIONS)
    for name, text in recipes().items():
        lines = re.findall(r"^\d\. .+$", text.split("\n## ")[0], re.MULTILINE)
        assert 0 < len(lines) <= 5, name
        assert ADDITIONS[name].registry in text, f"{name}: where is it listed?"
        assert str(Path(ADDITIONS[name].place).parent) in text, f"{name}: where does its file go?"


def test_the_files_that_are_named_are_there() -> None:
    paths = set(re.findall(r"`((?:explorer|tests|pages|docs|benchmarks)/[\w/.]*)`", TEXT))
    assert len(paths) > 30
    assert [path for path in paths if "NAME" not in path and not (ROOT / path).exists()] == []


@pytest.mark.slow
def test_what_was_added_prunes_a_model_and_is_in_its_report(tree: Path) -> None:
    choices = ("--granularity", "row", "--criterion", "largest:offset=2", "--allocation", "first_only")
    report = explored(tree, "evaluate", "shelf:1", *choices, "--sparsity", "0.25", "--data", "mirrored", "--no-keep")

    assert report["spec"]["granularity"] == {"key": "row"}
    assert report["spec"]["criterion"] == {"key": "largest", "offset": 2.0}
    assert report["spec"]["allocation"] == {"key": "first_only", "sparsity": 0.25}
    pruned = {layer["name"]: layer["n_pruned"] for layer in report["layers"] if layer["prunable"]}
    assert pruned == {"fc1": 64 * 64, "fc2": 0, "fc3": 0}  # a quarter of 256 rows, each of 64 weights
    assert report["data"]["address"] == "mirrored"
    assert report["metrics"]["dense_accuracy"]["value"] < 0.9  # digits in a mirror are hard to read


@pytest.mark.slow
def test_a_step_that_was_added_is_a_part_of_recipes(tree: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.json"
    prune = {"key": "prune", "spec": {"allocation": {"key": "global", "sparsity": 0.5}}}
    recipe.write_text(json.dumps({"seed": 0, "steps": [prune, {"key": "rest"}]}), encoding="utf-8")
    again = tmp_path / "again.json"
    explored(tree, "recover", "digits-mlp", "--recipe", str(recipe), "--write-recipe", str(again), "--no-keep")
    assert [step["key"] for step in json.loads(again.read_text(encoding="utf-8"))["steps"]] == ["prune", "rest"]


@pytest.mark.slow
def test_a_command_that_was_added_runs_and_stands_in_the_list(tree: Path) -> None:
    assert explored(tree, "weigh", "digits-mlp") == {"weights": 50826}
    assert "Say how many weights a model has." in ran(tree, "-m", "explorer", "--help")


@pytest.mark.slow
def test_a_back_end_that_was_added_measures_a_scan(tree: Path) -> None:
    scan = ("scan", "digits-mlp", "--levels", "0.5", "--no-keep")
    here, there = (explored(tree, *scan, *more)["cells"] for more in ((), ("--backend", "reopened")))
    assert sorted(there, key=str) == sorted(here, key=str)


@pytest.mark.slow
def test_a_lesson_that_was_added_is_taken(tree: Path) -> None:
    taken = explored(tree, "lesson", "hello", "--answers", '{"share": 50}')
    assert taken["predictions"][0]["readings"][0]["origin"] == "counted"


TASK = """
import json
import explorer as ex
request = ex.tasks.from_json('{"task": "largest", "n": 2}')
print(json.dumps(list(ex.run(request, "digits-mlp"))))
"""


@pytest.mark.slow
def test_a_task_that_was_added_is_read_from_json_and_runs(tree: Path) -> None:
    largest, second = json.loads(ran(tree, "-c", TASK))
    assert largest > second > 0


# Who the visitor is comes from a cookie, and nobody sends one here.
VISIT = """
from streamlit.testing.v1 import AppTest
from explorer.ui.shell import session
session.owner = lambda: "a visitor"
at = AppTest.from_file("app.py", default_timeout=300)
at.run()
at.switch_page("pages/hello.py").run()
assert not at.exception, at.exception
print(at.markdown[-1].value)
"""


@pytest.mark.slow
def test_a_page_that_was_added_opens(tree: Path) -> None:
    assert "Hello, digits-resnet" in ran(tree, "-c", VISIT)


@pytest.mark.slow
def test_what_was_added_is_in_the_help(tree: Path) -> None:
    help_text = ran(tree, "-m", "explorer", "evaluate", "--help").split()
    assert {"row,", "largest,", "first_only,"} <= {f"{word.strip(',')}," for word in help_text}


@pytest.mark.slow
def test_a_metric_that_was_added_is_measured(tree: Path) -> None:
    assert "unsure" in explored(tree, "evaluate", "digits-mlp", "--no-keep")["metrics"]


@pytest.mark.slow
def test_a_check_that_was_added_is_made_with_the_limits_of_its_policy(tree: Path) -> None:
    off = [word for key in ("corruptions", "parity", "generalisation") for word in ("--set", f"{key}.level=off")]
    command = (
        "-m",
        "explorer",
        "check",
        "digits-mlp",
        "--sparsity",
        "0.01",
        *off,
        "--set",
        "short_name.most=3",
        "--json",
    )
    done = subprocess.run([sys.executable, *command], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    checks = {check["key"]: check for check in json.loads(done.stdout)["checks"]}
    assert (checks["short_name"]["status"], checks["short_name"]["limit"]) == ("fail", 3)
