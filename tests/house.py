"""The files of the repository as the tests of its architecture read them: trees, imports, circles of imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files_below(folder: Path, pattern: str = "*") -> list[Path]:
    """The files in a folder, but for what a package manager has put there."""
    return sorted(path for path in folder.rglob(pattern) if "node_modules" not in path.parts and path.is_file())


def python_files(*roots: str) -> list[Path]:
    """Every Python file under these folders, or the file itself."""
    files: list[Path] = []
    for root in roots:
        path = ROOT / root
        files += [path] if path.suffix == ".py" and path.exists() else files_below(path, "*.py")
    return files


LIBRARY = python_files("explorer")
SCREENS = python_files("app.py", "pages")
TESTS = python_files("tests")
EVERYTHING = [*LIBRARY, *SCREENS, *python_files("sample_models", "benchmarks"), *TESTS]


def short(path: Path) -> str:
    """A path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    """What a file says."""
    return path.read_text(encoding="utf-8")


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree; the module itself comes first."""
    return tuple(ast.walk(ast.parse(text_of(path), filename=str(path))))


def functions_of(path: Path) -> Iterator[Function]:
    """Every function of a file, methods and inner ones too."""
    yield from (node for node in nodes_of(path) if isinstance(node, Function))


def top_level(path: Path) -> list[ast.stmt]:
    """The statements of a file that stand in no other."""
    module = nodes_of(path)[0]
    assert isinstance(module, ast.Module)
    return module.body


def module_name(path: Path) -> str:
    """The dotted name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def is_module(name: str) -> bool:
    """Whether a file or a folder of this dotted name exists."""
    base = ROOT.joinpath(*name.split("."))
    return base.with_suffix(".py").exists() or base.is_dir()


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """(line, full dotted name) of everything imported, also inside functions and type-checking blocks."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield node.lineno, full if source.startswith("explorer") and is_module(full) else source


def import_circles() -> list[list[str]]:
    """Groups of modules of the library in which each reaches every other by its imports."""
    modules = {module_name(path): path for path in [*LIBRARY, *SCREENS]}
    targets = {name: {t for _, t in imports_of(path) if t in modules and t != name} for name, path in modules.items()}
    reached = {name: _reached(name, targets) for name in modules}
    circles = {frozenset(other for other in reached[name] if name in reached[other]) for name in modules}
    return sorted(sorted(circle) for circle in circles if len(circle) > 1)


def _reached(start: str, targets: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = targets[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached
