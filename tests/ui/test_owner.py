"""Whose background work it is: the same visitor after a reload of the page."""

from __future__ import annotations

from explorer.ui.shell.session import unmasked


def test_one_token_under_two_masks_is_one_visitor() -> None:
    # 01 ^ ff = fe, 02 ^ 00 = 02, 03 ^ ff = fc, 04 ^ 00 = 04, and the mask begins again
    assert unmasked("2|ff00ff00|fe02fc04fa|1700000000") == bytes([1, 2, 3, 4, 5])
    assert unmasked("2|01010101|0003020504|1700000000") == bytes([1, 2, 3, 4, 5])


def test_a_cookie_of_another_form_stands_for_itself() -> None:
    for cookie in ("plain", "2|zz|00|1", "2||00|1", ""):
        assert unmasked(cookie) == cookie.encode()
