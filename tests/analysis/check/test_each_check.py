"""Every check fails for its own reason alone: what breaks one leaves the others of its kind as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.policy import Policy
from explorer.errors import ExplorerError
from explorer.types import LoadedModel, Split
from tests.analysis.check.two_models import CLASSES, N, evidence_of, outcomes, usual

OF_ANSWERS = ("accuracy", "changed", "classes", "probabilities", "calibration", "operating")
Change = Callable[[np.ndarray, np.ndarray], None]


def flip(probabilities: np.ndarray, which: np.ndarray, to: np.ndarray) -> None:
    """Choose ``to`` instead, with the same confidence."""
    chosen = probabilities[which].argmax(axis=1)
    for i, before, after in zip(which, chosen, to, strict=True):
        probabilities[i, [before, after]] = probabilities[i, [after, before]]


def some_right_become_wrong(p: np.ndarray, labels: np.ndarray) -> None:
    """Close calls go the wrong way, and as many go the right way: they are right as often as they believe to be."""
    right = np.flatnonzero(p.argmax(axis=1) == labels)[::23][:118]
    for place, i in enumerate(right):
        of_label, of_other = (0.4899, 0.4901) if place % 2 else (0.4901, 0.4899)
        p[i, labels[i]], p[i, (labels[i] + 2) % CLASSES] = of_label, of_other


def wrong_ones_change(p: np.ndarray, labels: np.ndarray) -> None:
    wrong = np.flatnonzero(p.argmax(axis=1) != labels)
    flip(p, wrong, (labels[wrong] + 3) % CLASSES)


def one_class_pays_for_the_others(p: np.ndarray, labels: np.ndarray) -> None:
    right = p.argmax(axis=1) == labels
    of_one = np.flatnonzero((labels == 4) & right)[:30]
    flip(p, of_one, np.full(30, 6))
    elsewhere = np.flatnonzero((labels != 4) & ~right)[:30]
    flip(p, elsewhere, labels[elsewhere])


def wrong_ones_forget_the_label(p: np.ndarray, labels: np.ndarray) -> None:
    wrong = np.flatnonzero(p.argmax(axis=1) != labels)
    p[wrong, labels[wrong]] = 1e-9


def all_grow_surer(p: np.ndarray, labels: np.ndarray) -> None:
    chosen = p.argmax(axis=1)
    p *= 0.5
    p[np.arange(N), chosen] += 0.5


def a_tenth_grows_less_sure(p: np.ndarray, labels: np.ndarray) -> None:
    chosen = p.argmax(axis=1)
    tenth = np.arange(0, N, 10)
    taken = p[tenth, chosen[tenth]] - 0.89
    p[tenth, chosen[tenth]] = 0.89
    p[tenth, (chosen[tenth] + 2) % CLASSES] += taken


def test_the_same_model_passes_them_all() -> None:
    p, labels = usual()
    assert {o.status for o in outcomes(evidence_of(p, p, labels), *OF_ANSWERS).values()} == {"pass"}


def test_each_check_of_answers_fails_for_its_own_reason_alone() -> None:
    changes: dict[str, Change] = {
        "accuracy": some_right_become_wrong,
        "changed": wrong_ones_change,
        "classes": one_class_pays_for_the_others,
        "probabilities": wrong_ones_forget_the_label,
        "calibration": all_grow_surer,
        "operating": a_tenth_grows_less_sure,
    }
    assert set(changes) == set(OF_ANSWERS)
    for key, change in changes.items():
        before, labels = usual()
        after = before.copy()
        change(after, labels)
        after /= after.sum(axis=1, keepdims=True)
        statuses = {k: o.status for k, o in outcomes(evidence_of(before, after, labels), *OF_ANSWERS).items()}
        assert statuses == {k: "fail" if k == key else "pass" for k in OF_ANSWERS}, key


def test_a_class_that_is_hurt_is_named_and_stands_in_the_disparity() -> None:
    before, labels = usual()
    after = before.copy()
    one_class_pays_for_the_others(after, labels)
    seen = outcomes(evidence_of(before, after, labels), "classes", "disparity")
    assert "worst class is c4" in seen["classes"].why
    assert "after Holm's correction over 20: c4." in seen["classes"].why
    worst = max(seen["disparity"].rows, key=lambda row: row["difference"])
    assert (worst["name"], round(worst["difference"], 4)) == ("c4", 0.2)  # 30 of 150, and nothing overall
    limited = Policy.of({"disparity": {"most": 0.05, "level": "fail"}}).rule("disparity")
    assert limited.outcome(evidence_of(before, after, labels)).status == "fail"


def test_a_slice_fails_where_it_alone_is_hurt_and_columns_of_another_length_are_refused() -> None:
    before, labels = usual()
    after = before.copy()
    one_class_pays_for_the_others(after, labels)
    light = tuple("night" if label == 4 else "day" for label in labels)
    hurt = outcomes(evidence_of(before, after, labels, {"light": light}), "slices")["slices"]
    assert hurt.status == "fail"
    assert "light = night" in hurt.why
    assert outcomes(evidence_of(before, before, labels, {"light": light}), "slices")["slices"].status == "pass"
    with pytest.raises(ExplorerError, match="has 2 values for 3,000 samples"):
        outcomes(evidence_of(before, after, labels, {"light": ("day", "night")}), "slices")


def test_few_samples_cannot_tell_and_say_how_many_would() -> None:
    p, labels = usual()
    after = p.copy()
    flip(after, np.arange(CLASSES, CLASSES + 3), (labels[CLASSES : CLASSES + 3] + 2) % CLASSES)
    few = evidence_of(p[:200], after[:200], labels[:200])
    seen = outcomes(few, "accuracy", "classes")
    assert seen["accuracy"].status == "cannot tell"
    assert seen["accuracy"].n_needed is not None
    assert seen["accuracy"].n_needed > 200
    assert f"{seen['accuracy'].n_needed:,}" in seen["accuracy"].why
    assert (seen["classes"].status, seen["classes"].why) == ("cannot tell", "No class has 30 samples.")


def test_without_labels_only_what_needs_none_applies() -> None:
    p, labels = usual()
    evidence = evidence_of(p, p, labels)
    evidence.split = Split("tune", evidence.split.x, None)
    seen = outcomes(evidence, *OF_ANSWERS)
    assert {key for key, o in seen.items() if o.status == "does not apply"} == set(OF_ANSWERS) - {"changed"}
    assert seen["changed"].status == "pass"


def test_models_of_other_classes_are_refused() -> None:
    p, labels = usual()
    with pytest.raises(ExplorerError, match="do not answer the same question"):
        outcomes(evidence_of(p[:40], p[:40, :10], labels[:40]), "accuracy")


# -- checks that look at the network itself ------------------------------------------------


@pytest.fixture(scope="module")
def mlp() -> LoadedModel:
    return ex.load("digits-mlp")


def with_weights(model: LoadedModel, **changes: torch.Tensor) -> LoadedModel:
    from explorer.recovery.state import recovered_model

    return recovered_model(model, {name.replace("__", "."): tensor for name, tensor in changes.items()})


def checked(key: str, candidate: LoadedModel, dense: LoadedModel, limits: dict[str, object] | None = None):  # type: ignore[no-untyped-def]
    policy = Policy.of({} if limits is None else {key: limits})
    data = ex.load_data("digits", model=dense)
    return policy.rule(key).outcome(CheckEvidence(dense, candidate, data, data.splits["tune"]))


def test_an_empty_layer_a_buffer_that_is_no_number_and_one_class_for_all_are_dead(mlp: LoadedModel) -> None:
    empty = with_weights(mlp, fc2__weight=torch.zeros_like(mlp.weights["fc2.weight"]))
    seen = checked("dead", empty, mlp)
    assert seen.status == "fail"
    assert any("fc2 is empty" in row["what"] for row in seen.rows)
    assert any("answers class" in row["what"] or "same for every sample" in row["what"] for row in seen.rows)
    assert checked("dead", mlp, mlp).status == "pass"


def test_what_the_dense_model_has_too_only_warns(mlp: LoadedModel) -> None:
    empty = with_weights(mlp, fc2__weight=torch.zeros_like(mlp.weights["fc2.weight"]))
    seen = checked("dead", empty, empty)
    assert seen.status == "warn"
    assert "So it is in the dense model." in seen.why


def test_answers_left_to_chance_and_statistics_of_the_batch_are_told() -> None:
    class Chance(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(x.flatten(1)[:, :10], 0.5, training=True)

    class OfTheBatch(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores = x.flatten(1)[:, 20:30]
            return (scores - scores.mean(dim=0)) / (scores.std(dim=0) + 1e-3)

    dense = ex.load("digits-mlp")
    for module, words in ((Chance(), "other answers at a second pass"), (OfTheBatch(), "depends on the others")):
        candidate = replace(dense, module=module.eval(), weights={}, digest=type(module).__name__)
        assert words in " ".join(row["what"] for row in checked("dead", candidate, dense).rows)


def test_parity_fails_where_a_form_differs_and_passes_where_none_does(
    mlp: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, object] = {"onnx": False}
    assert checked("parity", mlp, mlp, limits).status == "pass"
    from explorer.analysis.check import parity

    def misread(content: bytes, name: str) -> LoadedModel:
        return with_weights(mlp, fc3__bias=mlp.weights["fc3.bias"] + torch.eye(10)[0])

    monkeypatch.setattr(parity, "open_upload", misread)
    seen = checked("parity", mlp, mlp, limits)
    assert seen.status == "fail"
    assert seen.value is not None
    assert seen.value.value > 1e-4


def test_cost_is_that_of_the_very_file_and_fails_beyond_its_limit(mlp: LoadedModel, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    ex.save(mlp, ex.plan(mlp, ex.PruneSpec(allocation="global:sparsity=0.5")), path)
    candidate, n = ex.load(str(path)), path.stat().st_size
    for most, status in ((0, "pass"), (n, "pass"), (n - 1, "fail")):
        seen = checked("cost", candidate, mlp, {"max_bytes": most})
        assert seen.status == status
        assert seen.value is not None
        assert (seen.value.value, seen.value.origin) == (n, "measured")


def test_provenance_fails_for_another_parent_and_for_zeros_that_are_not_there(mlp: LoadedModel, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    ex.save(mlp, ex.plan(mlp, ex.PruneSpec(allocation="global:sparsity=0.5")), path)
    half = ex.load(str(path))
    seen = checked("provenance", half, mlp)
    assert seen.status == "pass"
    assert "50.0% of its prunable weights are zero; 50% is claimed." in seen.why
    other = with_weights(mlp, fc3__bias=torch.zeros(10))
    assert "It was made from" in checked("provenance", half, other).why
    assert checked("provenance", half, other).status == "fail"
    filled = replace(half, weights={name: t + 1e-9 for name, t in half.weights.items()})
    claimed = checked("provenance", filled, mlp)
    assert (claimed.status, claimed.why) == ("fail", "0.0% of its prunable weights are zero; 50% is claimed.")


def test_generalisation_warns_where_the_gap_grows_and_does_not_apply_without_a_fit_split() -> None:
    p, labels = usual()
    evidence = evidence_of(p, p, labels)
    assert outcomes(evidence, "generalisation")["generalisation"].status == "does not apply"
    n = 1000
    after = p.copy()
    lost = np.flatnonzero(p[n:].argmax(axis=1) == labels[n:])[:300] + n
    flip(after, lost, (labels[lost] + 2) % CLASSES)
    seen = evidence_of(p, after, labels)
    fit, tune = (
        Split(name, seen.split.x[s], seen.split.y[s]) for name, s in (("fit", slice(n)), ("tune", slice(n, N)))
    )  # type: ignore[arg-type,index]
    seen.dataset = replace(seen.dataset, splits={"fit": fit, "tune": tune})
    seen.split = tune
    outcome = outcomes(seen, "generalisation")["generalisation"]
    assert outcome.status == "warn"
    assert outcome.value is not None
    assert outcome.value.value == pytest.approx(300 / 2000)
