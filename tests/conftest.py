"""What every test may rely on: nothing is kept in the folder of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

_VARIABLE = "PRUNING_EXPLORER_DATA"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real browser on a busy machine may be late: such a test has a second try; all others have one."""
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def _data_folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A data folder for servers that several tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_VARIABLE, str(tmp_path_factory.mktemp("kept-by-all")))
        yield


@pytest.fixture(autouse=True)
def _data_folder(
    _data_folder_of_the_run: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data folder of its own for each test, also for the processes that it starts."""
    monkeypatch.setenv(_VARIABLE, str(tmp_path_factory.mktemp("kept")))
