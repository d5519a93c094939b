"""What many tests look at: a bundled network and the data it was trained on. Nobody writes to either."""

from __future__ import annotations

import pytest

from explorer import data, models
from explorer.types import Dataset, LoadedModel


@pytest.fixture(scope="session")
def sample() -> LoadedModel:
    return models.load("digits-mlp")


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return data.load("digits")
