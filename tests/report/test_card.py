"""The files of a check: hostile names stay text, and the card needs nothing but itself."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import explorer as ex
from explorer.analysis.check.result import Check
from explorer.report.card import card
from explorer.report.junit import junit
from explorer.report.markdown import markdown
from explorer.report.text import rows, sentences

HOSTILE = 'x"><script>alert(1)</script>|`<!-- @everyone \x1b[31m\x00'


@pytest.fixture(scope="module")
def check() -> Check:
    off = {key: False for key in ("parity", "corruptions")}
    return ex.check(against="digits-mlp", spec=ex.PruneSpec(allocation="global:sparsity=0.97"), policy=off)


def named(check: Check, name: str) -> Check:
    outcomes = tuple(replace(outcome, why=f"{outcome.why} {name}") for outcome in check.outcomes)
    return replace(check, candidate=replace(check.candidate, address=name), outcomes=outcomes, command=name)


def test_the_card_asks_for_nothing_and_runs_nothing(check: Check) -> None:
    page = card(check)
    assert len(page.encode()) < 2_000_000
    assert not re.search(r"(?i)<script|<link|<img|<iframe|url\(|@import|\bsrc=|https?://", page)
    assert "default-src 'none'" in page
    assert page.count("<svg") >= 2  # the reliability diagram and the classes


def test_every_face_has_the_same_numbers(check: Check) -> None:
    page, listed, document = card(check), markdown(check), junit(check)
    for row in rows(check):
        for cell in row[2:4]:
            assert cell in page
            assert cell in re.sub(r"\\", "", listed)
            assert cell in document
    text = "\n".join(sentences(check))
    assert check.command in text
    assert check.policy.digest in text


def test_hostile_names_stay_text(check: Check) -> None:
    bad = named(check, HOSTILE)
    assert "<script" not in card(bad)
    prose = re.sub(r"```sh.*?```", "", markdown(bad), flags=re.DOTALL)
    assert not re.search(r"(?<!\\)(<script|<!--|`|@everyone|\[31m)", prose)
    assert markdown(bad).count("```") == 2
    suites = ElementTree.fromstring(junit(bad))
    told = [case.findtext("system-out") or "" for case in suites.iter("testcase")]
    assert all("<script>" in text for text in told)  # escaped in the file, whole when it is read


def test_what_cannot_be_told_is_skipped_in_junit_and_failed_when_strict(check: Check) -> None:
    open_ = replace(check, outcomes=tuple(replace(o, status="cannot tell", decides=True) for o in check.outcomes))
    for strict, failures in ((False, 0), (True, len(check.outcomes))):
        suites = ElementTree.fromstring(junit(open_, strict=strict))
        assert suites.get("failures") == str(failures)
        assert suites.get("tests") == str(len(check.outcomes))
