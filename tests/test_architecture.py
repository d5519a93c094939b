"""The rules of the house, read from the syntax trees: who may import whom, and how long a piece may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = (
    {"types", "errors", "params", "terms"},
    {"models", "data", "pruning", "metrics", "store"},
    {"engine"},
    {"analysis", "recovery", "export"},
    {"charts", "component", "lessons", "testing"},
    {"ui", "cli", "notebook", "__main__"},
)
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names}
# Pure arithmetic that every row may use, although it lives among the engine's files.
ROW_0_MODULES = {"explorer.engine.bitkeys", "explorer.engine.order"}

Import = tuple[int, str]


def python_files(*roots: str) -> list[Path]:
    found: list[Path] = []
    for root in roots:
        path = ROOT / root
        found += [path] if path.suffix == ".py" and path.exists() else sorted(path.rglob("*.py"))
    return found


LIBRARY = python_files("explorer")
SCREEN = python_files("app.py", "pages")
EVERYTHING = [*LIBRARY, *SCREEN, *python_files("sample_models", "tests", "benchmarks")]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


library_file = pytest.mark.parametrize("path", LIBRARY, ids=named)
screen_file = pytest.mark.parametrize("path", SCREEN or [ROOT / "app.py"], ids=named)
any_file = pytest.mark.parametrize("path", EVERYTHING, ids=named)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    base = ROOT.joinpath(*name.split("."))
    return base.with_suffix(".py").exists() or base.is_dir()


def imports_of(path: Path) -> Iterator[Import]:
    """(line, full dotted name) of everything imported, also inside functions and type-checking blocks."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield node.lineno, full if source.startswith("explorer") and is_module(full) else source


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def row(module: str) -> int:
    return 0 if module in ROW_0_MODULES else ROW_OF.get(room(module), 99)


def may_import(importer: str, target: str) -> bool:
    if importer == "explorer":
        return True
    if row(importer) == 0:
        return row(target) == 0
    if {importer, target} <= {"explorer.__main__", "explorer.cli"}:
        return True
    return room(importer) == room(target) or row(target) < row(importer)


@library_file
def test_every_module_of_the_library_has_its_row(path: Path) -> None:
    module = module_name(path)
    assert module == "explorer" or room(module) in ROW_OF, f"{module} belongs to no row of the architecture"


@library_file
def test_imports_point_down(path: Path) -> None:
    module = module_name(path)
    targets = [(line, t) for line, t in imports_of(path) if t == "explorer" or t.startswith("explorer.")]
    wrong = [f"line {line}: {target}" for line, target in targets if not may_import(module, target)]
    assert not wrong, f"{module} reaches sideways or up: {wrong}"


@screen_file
def test_the_screens_see_only_the_public_names_and_the_ui(path: Path) -> None:
    if not path.exists():
        pytest.fail("app.py is missing")
    public = {"explorer", "explorer.charts"}
    targets = [(line, t) for line, t in imports_of(path) if t.startswith("explorer")]
    wrong = [t for t in targets if t[1] not in public and not t[1].startswith("explorer.ui")]
    assert not wrong, f"{named(path)} looks behind the public names: {wrong}"


@library_file
def test_only_the_ui_knows_streamlit(path: Path) -> None:
    if room(module_name(path)) == "ui":
        assert "ui" in path.parts
        return
    lines = [line for line, target in imports_of(path) if target.split(".")[0] == "streamlit"]
    assert not lines, f"{named(path)} imports streamlit at line {lines}"


@any_file
def test_files_are_short(path: Path) -> None:
    limit = 120 if path.parent == ROOT / "pages" else 400
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines < limit, f"{named(path)} has {n_lines} lines; {limit} is too many"


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@any_file
def test_functions_are_short(path: Path) -> None:
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions_of(path)}
    too_long = {name: n for name, n in lengths.items() if n >= 40}
    assert not too_long, f"{named(path)}: {too_long}"


@library_file
def test_the_library_neither_prints_nor_asserts_nor_hides_errors(path: Path) -> None:
    wrong: list[str] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Assert):
            wrong.append(f"assert at line {node.lineno}")
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            wrong.append(f"bare except at line {node.lineno}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            wrong.append(f"print at line {node.lineno}")
        elif isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
            wrong.append(f"unfinished at line {node.lineno}")
    assert not wrong, f"{named(path)}: {wrong}"


@library_file
def test_mutable_defaults_do_not_exist(path: Path) -> None:
    wrong = [
        f"{f.name} at line {f.lineno}"
        for f in functions_of(path)
        for default in [*f.args.defaults, *f.args.kw_defaults]
        if isinstance(default, ast.List | ast.Dict | ast.Set)
    ]
    assert not wrong, f"{named(path)}: {wrong}"


@library_file
def test_public_functions_and_classes_say_what_one_gets(path: Path) -> None:
    silent = [
        node.name
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if ast.get_docstring(node) is None
    ]
    assert not silent, f"{named(path)} has no docstring for {silent}"


@any_file
def test_files_are_named_after_what_they_hold(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "process", "misc", "common", "data2"}


# One letter of each stands in brackets, so that this file does not find itself.
UNFINISHED = "TO[D]O|FIX[M]E|XX[X]|(?i:coming soo[n])"
PRIVATE = r"(?<![\w.])/(?:wor[k]|roo[t])/|/opt/wheel[s]"


@any_file
def test_nothing_is_announced_that_is_not_there(path: Path) -> None:
    found = re.findall(rf"\b(?:{UNFINISHED})\b", path.read_text(encoding="utf-8"))
    assert not found, f"{named(path)}: {found}"


@any_file
def test_no_file_names_a_folder_of_somebodys_machine(path: Path) -> None:
    found = re.findall(PRIVATE, path.read_text(encoding="utf-8"))
    assert not found, f"{named(path)}: {found}"


def is_test_with_an_assertion(test: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"raises", "fail", "expect"} or name.startswith("assert"):
                return True
    return False


@pytest.mark.parametrize("path", python_files("tests"), ids=named)
def test_every_test_asserts_something(path: Path) -> None:
    empty = [f.name for f in functions_of(path) if f.name.startswith("test_") and not is_test_with_an_assertion(f)]
    assert not empty, f"{named(path)}: {empty}"
