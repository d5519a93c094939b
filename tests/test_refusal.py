"""A refusal says the same as the error that it becomes."""

from __future__ import annotations

from explorer.errors import ExplorerError, Refusal


def test_a_refusal_and_its_error_say_the_same() -> None:
    refusal = Refusal("It cannot be run.", "It has no module.", "Give --arch.")
    error = refusal.error()
    assert (error.what, error.why, error.fix) == ("It cannot be run.", "It has no module.", "Give --arch.")
    assert str(refusal) == str(error) == "It cannot be run. It has no module. Give --arch."
    assert Refusal.of(error) == refusal
    assert refusal.reason == "It cannot be run. It has no module."
    assert str(Refusal("No.")) == str(ExplorerError("No.")) == "No."
