"""The package as others install it: what it asks for, what its wheel holds, and that it measures in a new place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import explorer
from tests.house import LIBRARY, ROOT, SCREENS, files_below, imports_of, short

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {"notebook", "onnx", "hub", "vision", "distributed", "docs"}
ONLY_FOR_TESTS = {"pytest", "hypothesis"}
CALLED_OTHERWISE = {"IPython": "ipython", "sklearn": "scikit-learn", "PIL": "pillow", "mkdocs": "mkdocs-material"}
# What lies in the package's folders for those who write it.
FOR_WRITERS = {".md", ".mjs", ".py"}


def is_for_writers(path: Path) -> bool:
    """What the component is bundled from lies beside its bundles; its style sheets are read as they are."""
    component = ROOT / "explorer" / "component"
    unbundled = path.is_relative_to(component) and not path.is_relative_to(component / "bundle")
    return path.suffix in FOR_WRITERS or (unbundled and path.suffix != ".css")


def requirements(lines: Iterable[str]) -> dict[str, Requirement]:
    stated = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    return {each.name.lower(): each for each in stated}


NEEDED = requirements(PROJECT["dependencies"])
PINNED = requirements((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())


def test_the_package_asks_for_ranges_and_for_nothing_that_only_tests_need() -> None:
    assert "dependencies" not in PROJECT["dynamic"]
    assert set(NEEDED) == set(PINNED) - ONLY_FOR_TESTS
    operators = {name: {part.operator for part in needed.specifier} for name, needed in NEEDED.items()}
    assert all(">=" in used and not used & {"==", "===", "~="} for used in operators.values()), operators


def test_what_is_installed_lies_in_the_ranges_and_in_the_pinned_set() -> None:
    for name in NEEDED:
        assert version(name) in NEEDED[name].specifier, name
        assert version(name) in PINNED[name].specifier, name


def test_every_library_that_is_imported_is_asked_for() -> None:
    optional = {name for extra in PROJECT["optional-dependencies"].values() for name in requirements(extra)}
    missing = [
        f"{short(path)}:{line} {target}"
        for path in LIBRARY
        for line, target in imports_of(path)
        if (top := target.split(".")[0]) not in sys.stdlib_module_names | {"explorer"}
        if CALLED_OTHERWISE.get(top, top) not in NEEDED.keys() | optional
    ]
    assert missing == []


def test_what_is_optional_has_an_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras) >= EXTRAS
    for name, lines in extras.items():
        assert not set(requirements(lines)) & set(NEEDED), f"[{name}] is needed anyway"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the tree: building writes beside what it builds."""
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in ("explorer", "sample_models", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    installed = copy / "explorer" / "component" / "node_modules" / "other"
    installed.mkdir(parents=True)
    (installed / "other.py").write_text("", encoding="utf-8")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "app.py", "server.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(copy))
    (built,) = out.glob("*.whl")
    return built


def pip(*arguments: str, interpreter: Path | None = None) -> None:
    where = ["--python", str(interpreter)] if interpreter else []
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *where, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_wheel_holds_every_file_and_says_its_version(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        (described,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(files.read(described).decode())
    assert metadata["Version"] == explorer.__version__
    asked = {Requirement(line) for line in metadata.get_all("Requires-Dist", [])}
    assert {each.name.lower() for each in asked if not each.marker} == set(NEEDED)
    data = [p for folder in ("explorer", "sample_models") for p in files_below(ROOT / folder)]
    carried = {short(p) for p in data if not is_for_writers(p) and "__pycache__" not in p.parts}
    lessons = {short(p) for p in (ROOT / "explorer" / "lessons").rglob("*.md")}
    scripts = {short(p) for p in (*SCREENS, ROOT / "server.py", ROOT / ".streamlit" / "config.toml")}
    assert carried | lessons | {"explorer/py.typed"} | {f"explorer/screens/{name}" for name in scripts} <= names
    assert not {name for name in names if "node_modules" in name or name.endswith(".test.js")}


@pytest.mark.slow
def test_a_wheel_installs_into_a_fresh_environment_and_measures_and_shows_there(wheel: Path, tmp_path: Path) -> None:
    """Its requirements are lent by the environment of the tests; the package itself is not in that one."""
    fresh = tmp_path / "fresh"
    venv.create(fresh)
    base = {"base": str(fresh), "platbase": str(fresh)}
    lent = Path(sysconfig.get_path("purelib", "venv", base))
    lent.joinpath("lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    scripts = Path(sysconfig.get_path("scripts", "venv", base))
    pip("install", "--no-deps", "--no-index", str(wheel), interpreter=scripts / "python")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def ran(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    place = Path(ran(str(scripts / "python"), "-c", "import explorer; print(explorer.__file__)").strip())
    assert place.is_relative_to(fresh)
    measured = json.loads(ran(str(scripts / "pruning-explorer"), "evaluate", "digits-cnn", "--json", "--no-keep"))
    assert measured["metrics"]["accuracy"]["value"] == 1.0
    assert measured["metrics"]["accuracy"]["n"] == 450
    show = "import explorer as ex; w = ex.explore('digits-mlp'); print(w.evaluate().accuracy.n, len(w._esm)); w.close()"
    n, n_script = map(int, ran(str(scripts / "python"), "-c", show).split())
    assert n == 450
    assert n_script > 50_000
    screens = place.parent / "screens"
    drawn = f"AppTest.from_file({str(screens / 'app.py')!r}, default_timeout=300).run()"
    look = f"from streamlit.testing.v1 import AppTest; at = {drawn}; print(len(at.exception), len(at.main.children))"
    exceptions, parts = map(int, ran(str(scripts / "python"), "-c", look).split())
    assert exceptions == 0
    assert parts > 1
    assert b'<div id="root">' in page_at(scripts / "pruning-explorer", environment, tmp_path)


def page_at(program: Path, environment: dict[str, str], folder: Path) -> bytes:
    """What the served app gives a browser first."""
    command = [program, "app", "--port", "0", "--json", "--no-browser"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        try:
            return fetched(url)
        finally:
            server.terminate()


def fetched(url: str) -> bytes:
    """The answer of a server that is still starting."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                content: bytes = answer.read()
                return content.lower()
        except ConnectionError:
            pass
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
        time.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")
