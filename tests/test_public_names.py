"""``import explorer as ex`` is quick, and every name it promises is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import explorer as ex
from tests.every import for_each

ROOT = Path(__file__).resolve().parents[1]


@for_each("name", ex.__all__)
def test_a_public_name_is_there_and_explains_itself(name: str) -> None:
    assert getattr(ex, name).__doc__


def test_the_list_of_names_is_the_table_of_names() -> None:
    assert sorted(ex._PUBLIC) == sorted(ex.__all__)
    assert set(ex.__all__) <= set(dir(ex))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'prunes'"):
        _ = ex.prunes


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, explorer; sys.exit(bool({'torch', 'numpy', 'plotly', 'streamlit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
