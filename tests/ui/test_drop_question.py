"""The sequential question on Explore: answered in words, and the evaluation ends there if that is asked."""

from __future__ import annotations

import explorer as ex
from tests.ui.pages import Open, link, spoken, work_of

SPEC = "global:sparsity=0.9"


def test_the_card_gives_the_answer_of_python_and_stopping_leaves_the_rest_unmeasured(visit: Open) -> None:
    *_, answer = ex.drop_below("digits-mlp", ex.PruneSpec(allocation=SPEC))
    at = visit(model="digits-mlp", spec=link(allocation=SPEC))
    for _ in range(200):
        at.run()
        if work_of(at).tried:
            break
    assert "Drop below 1 point?" in spoken(at)
    assert f"**No**, after {answer.n} of 450 samples." in spoken(at)
    assert answer.basis in spoken(at).replace("\\", "")

    at.number_input(key="drop_points").set_value(80.0 if answer.drop.value > 0.8 else 40.0).run()
    assert "Drop below 40 points?" in spoken(at)
    at.toggle(key="drop_stop").set_value(True).run()
    # A setting of no other test: what somebody measured already is answered whole, and at once.
    work_of(at).set(ex.PruneSpec(allocation="global:sparsity=0.9731"))
    n_tried = len(work_of(at).tried)
    for _ in range(200):
        at.run()
        if "No more is measured" in spoken(at):
            break
    assert "No more is measured of this setting" in spoken(at)
    assert len(work_of(at).tried) == n_tried
