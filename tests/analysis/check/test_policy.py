"""A policy is read whole or refused, and equal policies have equal digests."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.analysis.check import CHECKS
from explorer.analysis.check.policy import Policy, given_policy
from explorer.errors import ExplorerError


def test_a_policy_becomes_toml_and_an_equal_policy_again() -> None:
    policy = Policy.of({"accuracy": {"margin": 0.02}, "corruptions": False, "parity": True})
    again = Policy.from_toml(policy.to_toml())
    assert (again, again.digest) == (policy, policy.digest)
    assert policy.digest != Policy.of().digest
    assert policy.changes() == {"accuracy": {"margin": 0.02}, "corruptions": {"level": "off"}}
    assert {rule.key for rule in policy} == set(CHECKS.members) - {"corruptions"}


def test_what_suits_no_policy_is_refused_in_words(tmp_path: Path) -> None:
    for asked, words in (
        ({"accurate": {}}, "no check called 'accurate'"),
        ({"accuracy": {"margins": 1}}, "no parameter 'margins'"),
        ({"accuracy": {"margin": "much"}}, "does not suit"),
        ({"accuracy": 3}, "does not suit a policy"),
        ({"accuracy": {"level": "maybe"}}, "does not suit"),
    ):
        with pytest.raises(ExplorerError, match=words):
            given_policy(asked)  # type: ignore[arg-type]
    for text, words in (("[accuracy", "no TOML"), ("\xff", "no TOML")):
        with pytest.raises(ExplorerError, match=words):
            Policy.from_toml(text)
    with pytest.raises(ExplorerError, match="could not be read"):
        given_policy(tmp_path / "nowhere.toml")


def test_a_check_that_only_warns_never_decides() -> None:
    rule = Policy.of({"accuracy": {"level": "warn"}}).rule("accuracy")
    assert (rule.says("fail", "").status, rule.says("fail", "").decides) == ("warn", False)
    assert Policy.of().rule("accuracy").says("fail", "").decides
