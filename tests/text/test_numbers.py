"""One rule for numbers in words; what each should read was written by hand."""

from __future__ import annotations

import io
import math
import sys

import pytest

from explorer.cli import printing
from explorer.text import numbers
from explorer.types import Measurement


def share(value: float, low: float | None = None, high: float | None = None) -> Measurement:
    return Measurement("accuracy", value, "fraction", "measured", low, high, 450)


def test_a_share_has_one_decimal_and_reads_as_none_or_all_only_where_it_is() -> None:
    shares = (0.0, 1e-9, 0.0004, 0.0006, 0.5, 0.9994, 0.9996, 1.0, -0.25)
    assert [numbers.percent(s) for s in shares] == [
        "0.0%", "<0.1%", "<0.1%", "0.1%", "50.0%", "99.9%", ">99.9%", "100.0%", "−25.0%",
    ]  # fmt: skip
    assert [numbers.percent(s, 0) for s in (0.0, 0.004, 0.5, 0.996, 1.0)] == ["0%", "<1%", "50%", ">99%", "100%"]


def test_what_was_asked_for_reads_as_it_was_asked() -> None:
    assert [numbers.percent_asked(s) for s in (0.0, 0.3, 0.125, 0.9995, 1.0)] == [
        "0%",
        "30%",
        "12.5%",
        "99.95%",
        "100%",
    ]
    assert [numbers.points_asked(d) for d in (0.01, 0.025)] == ["1 pt", "2.5 pt"]
    assert [numbers.points_spelled(d) for d in (0.01, 0.05)] == ["1 point", "5 points"]


def test_a_difference_has_a_sign_that_is_a_minus_and_zero_has_none() -> None:
    differences = (0.0123, -0.0123, 0.0, -0.0, 0.0004, -0.0004)
    assert [numbers.points(d) for d in differences] == ["+1.2 pt", "−1.2 pt", "0.0 pt", "0.0 pt", "0.0 pt", "0.0 pt"]
    assert numbers.points_between(-0.015, 0.0062) == "−1.5 to +0.6 pt"
    assert numbers.points_between(None, None) == ""


def test_a_bound_is_rounded_up_so_that_it_holds() -> None:
    assert [numbers.points_at_most(d) for d in (0.0441, 0.044, 0.0)] == [
        f"{bound} points or less" for bound in ("4.5", "4.4", "0.0")
    ]


def test_a_ratio_has_three_digits_on_either_side_of_one() -> None:
    ratios = (1.0, 1.044, 0.958, 2.5, 9.996, 12.34, 99.96, 1234.5, math.inf, math.nan)
    assert [numbers.times(r) for r in ratios] == [
        "1×", "1.04×", "0.958×", "2.5×", "10×", "12.3×", "100×", "1,234×", "∞×", "–",
    ]  # fmt: skip


def test_bytes_have_three_digits_where_they_are_compared_and_all_where_a_file_is_named() -> None:
    assert [numbers.bytes_text(n) for n in (133_120, 12_345_678)] == ["133 kB", "12.3 MB"]
    assert numbers.bytes_counted(133_120) == "133,120 B"


def test_a_small_negative_number_keeps_its_exponent() -> None:
    assert [numbers.number(v) for v in (None, 0.03619, -1.5, -1e-5)] == ["-", "0.03619", "−1.5", "−1e-05"]


def test_screen_and_terminal_say_the_same_of_one_measurement() -> None:
    accuracy = share(0.9978, 0.98754, 0.99964)
    assert numbers.in_words(accuracy) == "99.8% (98.8 – 100.0%)"
    assert printing.percent(accuracy.value) in numbers.in_words(accuracy)
    assert printing.interval(accuracy) == "98.8 – 100.0%, n = 450"
    assert printing.delta(share(0.0044, -0.0062, 0.015)) == ("−0.4 pt", "−1.5 to +0.6 pt, n = 450")
    assert printing.interval(share(0.5)) == "n = 450"


def test_a_terminal_without_a_minus_sign_gets_a_hyphen(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("ascii", "cp1252"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        printing.say("−1.5 pt 2×")
        sys.stdout.flush()
        assert raw.getvalue() == b"-1.5 pt 2x\n", encoding
