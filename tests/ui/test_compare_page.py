"""The compare page without a browser: what it says before, and that its numbers are Python's."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.analysis.models_compared.result import ModelsCompared
from explorer.tasks.compare import CompareRequest
from explorer.ui.shell import cache
from explorer.ui.widgets.measured_page import finished
from tests.ui.pages import VISITOR, Open, jobs_of, spoken


def start(at: AppTest) -> AppTest:
    next(b for b in at.button if b.key == "compared_start").click().run()
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), f"{job.title} did not end"
    return at.run()


def test_the_page_begins_with_two_shares_and_shows_what_python_says_to_the_digit(visit: Open) -> None:
    at = visit("compare", model="digits-resnet")
    assert not at.exception
    assert "every answer that changed" in spoken(at)
    assert at.multiselect(key="compare_models").value == ["share:0.5", "share:0.8"]
    at = start(at)
    assert not at.exception
    shown = finished(jobs_of(CompareRequest)[0], ModelsCompared)
    assert isinstance(shown, ModelsCompared)
    specs = [ex.PruneSpec(allocation=f"global:sparsity={share}") for share in (0.5, 0.8)]
    expected = ex.compare_models(["digits-resnet", *specs])
    assert json.dumps({**shown.to_json(), "seconds": 0}) == json.dumps({**expected.to_json(), "seconds": 0})
    assert "135 right answers became wrong, 3 wrong ones right" in spoken(at)
    at.pills(key="changed_direction").set_value(["wrong to right"]).run()
    assert "3 samples, the largest change" in spoken(at)


def test_with_nothing_chosen_and_for_other_data_the_page_says_what_to_do(visit: Open) -> None:
    at = visit("compare", model="digits-mlp")
    at.multiselect(key="compare_models").set_value(["sample:topics-gpt"]).run()
    assert not at.exception
    assert "made for different data" in at.error[0].value
    assert not [b for b in at.button if b.key == "compared_start"]
