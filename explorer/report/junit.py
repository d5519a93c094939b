"""A check as JUnit XML, which continuous integration shows check by check."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.result import Check
from explorer.report.cells import HEAD, cells, facts, subject

# XML 1.0 has no place for these, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(check: Check, *, strict: bool = False) -> str:
    """The document. What cannot be told is skipped, or, with ``strict``, failed."""
    cases = [_case(outcome, strict) for outcome in check.outcomes]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "errors": "0",
        "time": f"{check.seconds:.3f}",
    }
    top = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(top, "testsuite", {"name": _plain(subject(check)), **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (*facts(check), ("command", check.command), ("verdict", check.verdict)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _plain(value)})
    suite.extend(cases)
    ElementTree.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(top, encoding="unicode")}\n'


def _case(outcome: Outcome, strict: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": "explorer.check", "name": outcome.label, "time": "0"})
    why = _plain(outcome.why)
    open_ = outcome.status == "cannot tell" and outcome.decides
    if outcome.status == "fail" or (strict and open_):
        failure = ElementTree.SubElement(case, "failure", {"message": why, "type": outcome.status})
        failure.text = _numbers(outcome)
    elif outcome.status in ("cannot tell", "does not apply"):
        ElementTree.SubElement(case, "skipped", {"message": f"{outcome.status}: {why}"})
    out = ElementTree.SubElement(case, "system-out")
    out.text = f"{outcome.status}: {why}\n{_numbers(outcome)}"
    return case


def _numbers(outcome: Outcome) -> str:
    return _plain(", ".join(f"{name}: {text}" for name, text in zip(HEAD[2:], cells(outcome)[2:], strict=True)))


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
