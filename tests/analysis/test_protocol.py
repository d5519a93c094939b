"""Points are compared within one protocol, and what differs is said."""

from __future__ import annotations

from explorer.analysis.comparison.protocol import essence, in_words, mismatch
from tests.analysis.measured_points import curve, point

TUNED = {
    "recipe": {"seed": 0, "steps": [{"key": "prune"}, {"key": "refresh"}, {"key": "finetune", "epochs": 20}]},
    "epochs": 20,
    "optimiser": ["adamw"],
    "data": {"address": "digits", "digest": "d1", "trained_on": "fit"},
    "seed": 0,
    "mask_digest": "m1",
}


def test_seed_mask_and_machine_are_no_other_protocol() -> None:
    again = TUNED | {"seed": 4, "mask_digest": "m2", "torch": "3", "recipe": TUNED["recipe"]}
    assert essence(TUNED) == essence(again)


def test_epochs_data_optimiser_and_steps_are() -> None:
    others = [
        TUNED | {"epochs": 21},
        TUNED | {"optimiser": ["sgd"]},
        TUNED | {"data": {"address": "digits", "digest": "d2"}},
        TUNED | {"recipe": {"steps": [{"key": "prune"}, {"key": "finetune"}]}},
        {},
    ]
    assert len({essence(p) for p in [TUNED, *others]}) == 6


def test_a_protocol_is_said_in_words() -> None:
    assert in_words({}) == "no retraining"
    assert in_words(TUNED) == "batch norm refreshed, fine-tuned, 20 epochs, adamw, on digits"
    assert in_words({"epochs": 1}) == "retrained, 1 epoch"
    assert in_words({"recipe": {"steps": [{"key": "prune"}, {"key": "refresh"}]}}) == "batch norm refreshed"
    assert in_words({"recipe": "a file of old", "data": 3, "epochs": "many"}) == "retrained"


def test_a_number_format_is_no_retraining_and_no_other_format() -> None:
    forms = [{"quantized": {"form": form, "bits": bits}} for form, bits in (("int8", 8), ("int8", 4), ("static", 8))]
    step = {"recipe": {"steps": [{"key": "prune"}, {"key": "quantize", "bits": 4}]}}
    assert [in_words(p) for p in (*forms, step)] == [
        "int8 weights",
        "int4 weights",
        "int8 file, static",
        "int4 weights",
    ]
    assert len({essence(p) for p in ({}, *forms)}) == 4


def test_what_a_grid_recovered_is_named_like_a_recipe() -> None:
    tuned = {"recovery": {"key": "finetune", "epochs": 5, "optimiser": "adamw", "distil_weight": 0.0}}
    taught = {"recovery": {**tuned["recovery"], "distil_weight": 0.7}, "quantized": {"form": "int8", "bits": 8}}
    assert in_words(tuned) == "fine-tuned, 5 epochs, adamw"
    assert in_words(taught) == "fine-tuned, taught by the dense model, 5 epochs, adamw, int8 weights"
    longer = {"recovery": {**tuned["recovery"], "epochs": 50}}
    assert len({essence(p) for p in (tuned, taught, longer)}) == 3


def test_a_mismatch_is_named_and_one_protocol_is_silent() -> None:
    plain, tuned = curve("a", point(2, 0.9)), curve("b", point(2, 0.95, protocol=TUNED))
    assert mismatch([plain, plain, curve("c")]) is None
    assert mismatch([tuned]) is None
    said = mismatch([tuned, plain])
    assert said is not None
    assert said.startswith("Not one protocol: batch norm refreshed, fine-tuned, 20 epochs, adamw, on digits (marked")
    assert "beside no retraining" in said
