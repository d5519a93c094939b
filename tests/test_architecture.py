"""The rules of the house, read from the syntax trees: who may import whom, and how long a piece may be.

One test a rule; a test that fails lists every offender. What a rule cannot forbid yet, it counts:
``test_architecture.toml`` says how much there is today, and its numbers may only fall.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tests.house import (
    EVERYTHING,
    LIBRARY,
    ROOT,
    SCREENS,
    TESTS,
    Function,
    files_below,
    functions_of,
    import_circles,
    imports_of,
    module_name,
    nodes_of,
    short,
    text_of,
    top_level,
)

# From the ground up. A module imports from its own room and from lower rows; in an OPEN row, from its neighbours too.
ROWS = (
    {"types", "errors", "params", "terms"},
    {"ranking", "text"},
    {"models", "data", "pruning", "metrics", "store"},
    {"engine"},
    {"analysis", "recovery", "export"},
    {"workbench", "tasks"},
    {"lessons", "classroom", "report", "charts", "component"},
    {"ui", "cli", "notebook"},
    {"__main__"},
)
OPEN = {0, 1, 4, 6}
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names}
CEILINGS: dict[str, Any] = tomllib.loads((ROOT / "tests" / "test_architecture.toml").read_text(encoding="utf-8"))
NAMES_THAT_SAY_NOTHING = {"found", "known", "said", "told", "made", "wanted"}
KINDS = {".py", ".md", ".js", ".mjs", ".toml"}


def listed(offenders: list[str]) -> str:
    return "\n  " + "\n  ".join(offenders)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def row(module: str) -> int:
    return ROW_OF.get(room(module), len(ROWS))


def may_import(importer: str, target: str) -> bool:
    if importer == "explorer" or room(importer) == room(target):
        return True
    return row(target) < row(importer) or (row(target) == row(importer) and row(importer) in OPEN)


def own_imports(path: Path) -> list[tuple[int, str]]:
    return [(line, target) for line, target in imports_of(path) if target.split(".")[0] == "explorer"]


def test_every_module_of_the_library_has_its_row() -> None:
    homeless = [name for path in LIBRARY if (name := module_name(path)) != "explorer" and room(name) not in ROW_OF]
    assert not homeless, f"no row of the architecture knows: {listed(homeless)}"


def test_imports_point_down() -> None:
    wrong = [
        f"{short(path)}:{line} {target}"
        for path in LIBRARY
        for line, target in own_imports(path)
        if not may_import(module_name(path), target)
    ]
    assert not wrong, f"these reach sideways or up: {listed(wrong)}"


def test_no_imports_run_in_a_circle() -> None:
    circles = import_circles()
    assert not circles, listed([" <-> ".join(circle) for circle in circles])


def test_the_screens_see_only_the_public_names_and_the_ui() -> None:
    assert [short(path) for path in SCREENS][:1] == ["app.py"]
    public = {"explorer", "explorer.charts"}
    wrong = [
        f"{short(path)}:{line} {target}"
        for path in SCREENS
        for line, target in own_imports(path)
        if target not in public and not target.startswith("explorer.ui")
    ]
    assert not wrong, f"these look behind the public names: {listed(wrong)}"


def test_each_face_alone_knows_its_framework() -> None:
    owners = {"streamlit": "ui", "anywidget": "notebook", "ipywidgets": "notebook"}
    wrong = [
        f"{short(path)}:{line} {target}"
        for path in LIBRARY
        for line, target in imports_of(path)
        if owners.get(target.split(".")[0], room(module_name(path))) != room(module_name(path))
    ]
    assert not wrong, listed(wrong)


def test_files_are_short() -> None:
    limits = {path: 120 if path.parent == ROOT / "pages" else 400 for path in EVERYTHING}
    too_long = [
        f"{short(path)} has {n} lines; {limit} is too many"
        for path, limit in limits.items()
        if (n := len(text_of(path).splitlines())) >= limit
    ]
    assert not too_long, listed(too_long)


def n_lines(function: Function) -> int:
    """The lines of a function, but for those of its docstring, which has a place for every argument."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    is_doc = ast.get_docstring(function) is not None
    return lines - ((first.end_lineno or first.lineno) - first.lineno) if is_doc else lines


def test_functions_are_short() -> None:
    too_long = [
        f"{short(path)}:{function.lineno} {function.name} has {n} lines"
        for path in EVERYTHING
        for function in functions_of(path)
        if (n := n_lines(function)) >= 40
    ]
    assert not too_long, listed(too_long)


def test_a_folder_holds_at_most_25_files() -> None:
    files = [path for path in [*LIBRARY, *files_below(ROOT / "explorer", "*.js")] if path.name != "__init__.py"]
    sizes = Counter(short(path.parent) for path in files)
    crowded = [f"{folder}: {n}" for folder, n in sizes.items() if n > 25]
    assert not crowded, listed(crowded)


def misuse(node: ast.AST) -> str:
    if isinstance(node, ast.Assert):
        return "asserts"
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        return "hides every error"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return "prints"
    if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
        return "is unfinished"
    return ""


def test_the_library_neither_prints_nor_asserts_nor_hides_errors() -> None:
    wrong = [
        f"{short(path)}:{getattr(node, 'lineno', 0)} {what}"
        for path in LIBRARY
        for node in nodes_of(path)
        if (what := misuse(node))
    ]
    assert not wrong, listed(wrong)


def test_mutable_defaults_do_not_exist() -> None:
    wrong = [
        f"{short(path)}:{function.lineno} {function.name}"
        for path in LIBRARY
        for function in functions_of(path)
        for default in [*function.args.defaults, *function.args.kw_defaults]
        if isinstance(default, ast.List | ast.Dict | ast.Set)
    ]
    assert not wrong, listed(wrong)


def test_public_functions_and_classes_say_what_one_gets() -> None:
    silent = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in LIBRARY
        for node in top_level(path)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if ast.get_docstring(node) is None
    ]
    assert not silent, f"no docstring: {listed(silent)}"


def test_files_are_named_after_what_they_hold() -> None:
    says_nothing = {"utils", "util", "helpers", "helper", "manager", "process", "misc", "common", "data2"}
    assert [short(path) for path in EVERYTHING if path.stem in says_nothing] == []


def says_nothing(node: ast.AST) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else ""
    return name in NAMES_THAT_SAY_NOTHING


def is_any(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "Any"


def nodes_that(matches: Callable[[ast.AST], bool]) -> Counter[str]:
    """How many nodes of each file of the library and the screens are such."""
    return Counter({short(path): sum(map(matches, nodes_of(path))) for path in [*LIBRARY, *SCREENS]})


@cache
def written() -> tuple[Path, ...]:
    """Every file with words of ours in it, but for those that state these rules."""
    folders = ("explorer", "pages", "sample_models", "tests", "benchmarks", "docs", "notebooks")
    files = [*ROOT.glob("*"), *(path for folder in folders for path in files_below(ROOT / folder))]
    return tuple(path for path in files if path.suffix in KINDS and path.stem != "test_architecture")


def texts_that_match(pattern: str) -> Counter[str]:
    return Counter({short(path): len(re.findall(pattern, text_of(path))) for path in written()})


def above(counts: Counter[str], ceiling: int) -> list[str]:
    """Nothing, or how many there are and the files with most of them."""
    most = ", ".join(f"{name} {n}" for name, n in counts.most_common(8) if n)
    return [f"{counts.total()} where {ceiling} may be: {most}"] if counts.total() > ceiling else []


def test_any_is_used_less_and_less() -> None:
    assert above(nodes_that(is_any), CEILINGS["any"]) == []


def test_variables_say_what_they_hold() -> None:
    assert above(nodes_that(says_nothing), CEILINGS["names_that_say_nothing"]) == []


def test_words_are_those_of_the_field() -> None:
    wrong = [
        f"{word['pattern']} (say {word['say']!r}): {line}"
        for word in CEILINGS["words"]
        for line in above(texts_that_match(word["pattern"]), word.get("at_most", 0))
    ]
    assert not wrong, listed(wrong)


def test_ceilings_come_down_with_what_they_count() -> None:
    """Some room is left, so that two changes at a time do not meet on the same line of the file."""
    ceilings = {
        "any": (CEILINGS["any"], nodes_that(is_any).total()),
        "names_that_say_nothing": (CEILINGS["names_that_say_nothing"], nodes_that(says_nothing).total()),
    }
    for word in CEILINGS["words"]:
        ceilings[word["pattern"]] = (word.get("at_most", 0), texts_that_match(word["pattern"]).total())
    high = [
        f"{name}: {ceiling}, and {n} are left" for name, (ceiling, n) in ceilings.items() if ceiling > 10 + 1.25 * n
    ]
    assert not high, f"lower these in test_architecture.toml: {listed(high)}"


# One letter of each stands in brackets, so that this file does not find itself.
UNFINISHED = r"\b(?:TO[D]O|FIX[M]E|XX[X]|(?i:coming soo[n]))\b"
PRIVATE = r"(?<![\w.])/(?:wor[k]|roo[t])/|/opt/wheel[s]"


def places(pattern: str) -> list[str]:
    return [f"{short(path)}: {match}" for path in EVERYTHING for match in re.findall(pattern, text_of(path))]


def test_nothing_is_announced_that_is_not_there() -> None:
    assert places(UNFINISHED) == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert places(PRIVATE) == []


def asserts(test: Function) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"raises", "fail", "expect"} or name.startswith("assert"):
                return True
    return False


def test_every_test_asserts_something() -> None:
    empty = [
        f"{short(path)}:{function.lineno} {function.name}"
        for path in TESTS
        for function in functions_of(path)
        if function.name.startswith("test_") and not asserts(function)
    ]
    assert not empty, listed(empty)
