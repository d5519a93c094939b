"""What several tests of the engine need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def one_thread_here() -> Iterator[None]:
    """Whatever a test computes beside the engine adds up in the same order as the engine's threads do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
