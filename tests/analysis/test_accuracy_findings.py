"""What pruning did to the answers, the worst first."""

from __future__ import annotations

from dataclasses import replace

import torch

from explorer.analysis import collapse
from explorer.analysis.accuracy_findings import little_excited, lost, one_sided
from explorer.types import Evaluation, Finding, Measurement


def share(name: str, value: float, low: float | None = None, high: float | None = None) -> Measurement:
    return Measurement(name, value, "fraction", "measured", low, high, n=450)


def evaluation(accuracy: float, drop: Measurement, predictions: torch.Tensor | None = None) -> Evaluation:
    dense = torch.arange(450) % 8
    answers = dense if predictions is None else predictions
    measured = share("accuracy", accuracy, accuracy - 0.03, accuracy + 0.03)
    return Evaluation(450, 450, measured, drop, share("agreement", 0.9), None, answers, dense, "labels", 0.1)


def test_a_drop_beyond_the_budget_warns_and_half_of_the_accuracy_gone_is_a_collapse() -> None:
    within = evaluation(0.985, share("drop", 0.008, 0.001, 0.02))
    beyond = evaluation(0.94, share("drop", 0.053, 0.03, 0.07))
    perhaps = evaluation(0.98, share("drop", 0.013, 0.004, 0.03))
    unsure = evaluation(0.98, share("drop", 0.013, -0.004, 0.03))
    gone = evaluation(0.14, share("drop", 0.853, 0.82, 0.88))
    assert lost(within) is None
    assert lost(unsure) is None
    assert lost(beyond, budget=0.1) is None
    found: list[Finding | None] = [lost(beyond), lost(perhaps), lost(gone)]
    assert [(f.level, f.what) for f in found if f is not None] == [
        ("warn", "The accuracy is beyond the budget: more than 1 point below the dense model."),
        ("warn", "The accuracy may be beyond the budget: more than 1 point below the dense model."),
        ("fail", "The accuracy collapsed: 14.0%, where the dense model has 99.3%."),
    ]
    assert found[0] is not None
    assert found[0].evidence.startswith("Δ accuracy −5.3 pt (−7.0 to −3.0 pt), measured on 450 samples")


def test_the_worst_is_told_first_and_the_collapse_before_its_reasons() -> None:
    constant = evaluation(0.14, share("drop", 0.853, 0.82, 0.88), torch.full((450,), 3))
    findings = collapse.after(constant, 8)
    assert [f.level for f in findings] == sorted((f.level for f in findings), key=["fail", "warn", "ok"].index)
    assert "collapsed" in findings[0].what
    assert "whatever it sees" in findings[1].what


def test_answers_that_are_mostly_one_class_warn_below_95_per_cent_too() -> None:
    answers = torch.arange(450) % 8
    answers[:260] = 5
    found = one_sided(evaluation(0.5, share("drop", 0.4, 0.3, 0.5), answers))
    assert found is not None
    assert found.what == "The pruned model mostly answers class 5."
    n = int((answers == 5).sum())
    assert found.evidence.startswith(f"{n} of 450 samples, 8 of 8 classes are still answered")
    skewed = replace(evaluation(0.5, share("drop", 0.0)), dense_predictions=answers, predictions=answers)
    assert one_sided(skewed) is None


def test_agreement_on_inputs_that_excite_few_classes_says_so_and_is_no_accuracy() -> None:
    two = replace(
        evaluation(0.45, share("drop", 0.55, 0.5, 0.6)), judged_by="agreement", dense_predictions=torch.arange(450) % 2
    )
    found = little_excited(two, 10)
    assert found is not None
    assert found.what == (
        "These inputs make the dense model answer only 2 of 10 classes: agreement on them says little."
    )
    assert lost(two) is None
    assert little_excited(replace(two, dense_predictions=torch.arange(450) % 10), 10) is None
    assert little_excited(replace(two, judged_by="labels"), 10) is None
