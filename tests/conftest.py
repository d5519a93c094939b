"""What every test may rely on: nothing is kept in the folder of whoever runs the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from explorer.types.files.paths import ROOT_VARIABLE
from tests.torchvision_operators import define_missing_operators

_VARIABLE = "PRUNING_EXPLORER_DATA"
_NUMBERS = count()

define_missing_operators()


@pytest.fixture(scope="session", autouse=True)
def _data_folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder for servers that several tests share; beside it lie those of single tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data") / "of-all"
        patch.setenv(_VARIABLE, str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _data_folder(_data_folder_of_the_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own for each test, also for the processes that it starts; who writes first makes it."""
    monkeypatch.setenv(_VARIABLE, str(_data_folder_of_the_run.parent / f"of-test-{next(_NUMBERS)}"))


@pytest.fixture(autouse=True)
def _folders_that_may_be_opened() -> Iterator[None]:
    """A page that a test draws says for the whole process that it serves; the next test begins without that."""
    before = os.environ.get(ROOT_VARIABLE)
    yield
    if before is None:
        os.environ.pop(ROOT_VARIABLE, None)
    else:
        os.environ[ROOT_VARIABLE] = before
