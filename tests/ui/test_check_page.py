"""The check page without a browser: what it says before, during and after a check, and its limits."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.analysis.check.result import Check
from explorer.tasks.check import CheckRequest
from explorer.ui.shell import cache
from explorer.ui.widgets.measured_page import finished
from tests.ui.pages import VISITOR, Open, jobs_of, link, spoken

QUICK = "parity = false\ncorruptions = false\ngeneralisation = false\n"


def start(at: AppTest, text: str) -> AppTest:
    at.text_area(key="check_policy").set_value(text).run()
    next(b for b in at.button if b.key == "check_start").click().run()
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), f"{job.title} did not end"
    return at.run()


def test_before_a_check_the_page_says_what_one_does_and_what_these_samples_decide(visit: Open) -> None:
    at = visit("check", model="digits-mlp")
    assert not at.exception
    assert "With these 450 samples a margin of 2.3 points can be decided" in spoken(at)
    assert "nothing is pruned yet" in spoken(at)


def test_the_verdict_of_a_setting_is_that_of_python_to_the_digit(visit: Open) -> None:
    at = start(visit("check", model="digits-mlp", spec=link(allocation="global:sparsity=0.97")), QUICK)
    assert not at.exception
    shown = finished(jobs_of(CheckRequest)[0], Check)
    assert isinstance(shown, Check)
    off = {key: False for key in ("parity", "corruptions", "generalisation")}
    expected = ex.check(against="digits-mlp", spec=ex.PruneSpec(allocation="global:sparsity=0.97"), policy=off)
    assert json.dumps(shown.to_json()["checks"]) == json.dumps(expected.to_json()["checks"])
    assert shown.command == expected.command
    assert [box.value[:4] for box in at.error] == ["Fail"]
    assert "right answers became wrong" in spoken(at)


def test_limits_that_are_none_are_refused_on_the_page(visit: Open) -> None:
    at = visit("check", model="digits-mlp")
    at.text_area(key="check_policy").set_value("[accurate]\nmargin = 1").run()
    assert not at.exception
    assert any("no check called" in box.value for box in at.error)
    assert not [b for b in at.button if b.key == "check_start"]


def test_a_model_that_does_not_say_where_it_comes_from_is_not_checked_as_a_file(visit: Open) -> None:
    at = visit("check", model="digits-mlp")
    at.radio(key="check_what").set_value("file").run()
    assert "does not say what it was made from" in spoken(at)
    assert not [b for b in at.button if b.key == "check_start"]
