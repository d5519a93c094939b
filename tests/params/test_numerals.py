"""Numbers from links, events, files and flags: one reading, with bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from explorer.analysis.search.question import Question
from explorer.component import parse_corner
from explorer.data.request import numbers, shares, square
from explorer.errors import ExplorerError
from explorer.params import Registry
from explorer.params.numerals import real, whole
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.spec import PruneSpec
from explorer.workbench.events import parse_event

HUGE = 10**400
NO_NUMBERS = ["²", "٣", "1_000", "9" * 5000, "1" + "0" * 309, "1e400", "nan", "inf", "", " ", "0x10", "½", "a" * 9999]
NO_VALUES = [None, True, b"1", [], {}, HUGE, -HUGE, math.nan, math.inf, object()]


def test_what_is_no_number_is_refused_and_never_breaks() -> None:
    for value in [*NO_NUMBERS, *NO_VALUES]:
        for read in (real, whole):
            with pytest.raises(ValueError, match="^$"):
                read(value)


def test_numbers_and_their_texts_are_read_as_they_are() -> None:
    assert [real(v) for v in ("0.5", " -1e-3 ", ".5", "5.", 3, 0.25, np.float32(0.5), torch.tensor(0.5))] == [
        *(0.5, -0.001, 0.5, 5.0, 3.0, 0.25, 0.5, 0.5)
    ]
    assert [whole(v, -9) for v in ("+7", "-9", 3.0, np.int64(4), 2**53 + 1)] == [7, -9, 3, 4, 2**53 + 1]


def test_bounds_belong_to_what_is_allowed() -> None:
    assert real(1, 0, 1) == 1
    assert whole("65535", 0, 65535) == 65535
    for value in (-0.001, 1.001):
        with pytest.raises(ValueError, match="^$"):
            real(value, 0, 1)
    for value in (-1, 65536, 2.5):
        with pytest.raises(ValueError, match="^$"):
            whole(value, 0, 65535)


def test_every_place_that_takes_a_number_refuses_such_ones_in_words() -> None:
    registry: Registry[object] = CRITERIA  # type: ignore[assignment]
    places = {
        "parameter": lambda v: registry.from_json({"key": "lp_norm", "p": v}),
        "seed": lambda v: registry.from_json({"key": "random", "seed": v}),
        "limit": lambda v: PruneSpec.from_json({"limits": {"head.fc": {"floor": v}}}),
        "corner": lambda v: parse_corner({"end": v, "final": 0.5}),
        "event": lambda v: parse_event({"kind": "threshold", "seq": 1, "group": "a", "value": v}),
        "order": lambda v: parse_event({"kind": "undo", "seq": v}),
        "size": lambda v: square("none" if v in (None, "") else v),
        "mean": lambda v: numbers("mean", [v]),
        "splits": lambda v: shares([v, v, v]),
        "budget": lambda v: Question.of(budget={"macs": v}),
    }
    for value in [*NO_NUMBERS, *NO_VALUES[:-1]]:
        for name, place in places.items():
            try:
                place(value)
            except ExplorerError as error:
                assert len(str(error)) < 1000, name
            else:
                raise AssertionError(f"{name} took {value!r:.60}")
