"""``import explorer as ex`` is quick, and every name it promises is there."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import explorer as ex
from tests.every import for_each

ROOT = Path(__file__).resolve().parents[1]


def public(name: str) -> Any:
    """What a name stands for; an imported package of the same name answers in the place of the function."""
    module, attribute = ex._PUBLIC[name]
    target = import_module(f"explorer.{module}")
    return getattr(target, attribute) if attribute else target


@for_each("name", ex.__all__)
def test_a_public_name_is_there_and_shows_an_example(name: str) -> None:
    assert ">>> " in (public(name).__doc__ or "")


@for_each("name", [name for name in ex.__all__ if inspect.isfunction(public(name))])
def test_a_public_function_says_what_each_argument_is_and_what_comes_back(name: str) -> None:
    function = inspect.unwrap(public(name))
    doc = inspect.getdoc(function) or ""
    arguments = doc.partition("Args:")[2].partition("Returns:")[0]
    described = set(re.findall(r"^    \**(\w+): \S", arguments, re.MULTILINE))
    assert described == set(inspect.signature(function, follow_wrapped=False).parameters)
    assert "\nReturns:\n" in doc


@for_each("name", ex.__all__)
def test_the_examples_of_a_public_name_give_what_they_show(name: str) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    text = public(name).__doc__ or ""
    example = doctest.DocTestParser().get_doctest(text, {"Policy": ex.Policy}, name, None, 0)
    report: list[str] = []
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_the_list_of_names_is_the_table_of_names() -> None:
    assert sorted(ex._PUBLIC) == sorted(ex.__all__)
    assert set(ex.__all__) <= set(dir(ex))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'prunes'"):
        _ = ex.prunes


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, explorer; sys.exit(bool({'torch', 'numpy', 'plotly', 'streamlit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
