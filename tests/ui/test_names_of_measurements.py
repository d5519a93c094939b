"""Whatever stands in the place of accuracy has a name on every face."""

from __future__ import annotations

from typing import get_args

from explorer.analysis.facts import NAMES
from explorer.metrics.base import JUDGED_NAMES
from explorer.types import JudgedBy


def test_every_way_of_evaluating_has_a_name_in_words_and_on_the_screen() -> None:
    ways = set(get_args(JudgedBy))

    assert set(JUDGED_NAMES) == ways
    assert set(NAMES) == ways - {"metric"}  # which has its own name
