"""What is registered can be reached: each member stands in the help, and evaluate takes it and reports it."""

from __future__ import annotations

from typing import Any

import pytest

from explorer import models
from explorer.cli import main
from explorer.data import SOURCES as DATA_SOURCES
from explorer.metrics import METRICS
from explorer.models import SOURCES as MODEL_SOURCES
from explorer.params import Registry
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from tests.cli.asked import Capture, result

CHOICES: dict[str, Registry[Any]] = {
    "granularity": GRANULARITIES,
    "criterion": CRITERIA,
    "allocation": ALLOCATIONS,
}
# A model that has something to rank, and what a member has to be told.
WHERE = {"head": "digits-vit", "mlp_neuron": "digits-vit", "head_confidence": "digits-vit", "hidden_unit": "digits-gru"}
WITH = {"head_confidence": ("--granularity", "head"), "threshold": ("--threshold", "0.01")}


def help_of(command: str, capsys: Capture) -> set[str]:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return {word.strip(",;:()").partition(":")[0] for word in capsys.readouterr().out.split()}


def test_every_choice_and_every_address_stands_in_the_help(capsys: Capture) -> None:
    for command in ("evaluate", "prune", "sweep", "recover"):
        words = help_of(command, capsys)
        missing = [key for registry in CHOICES.values() for key in registry.members if key not in words]
        assert missing == [], command
        assert {source.form.partition(":")[0] for source in DATA_SOURCES} <= words, command


@pytest.mark.slow
def test_every_choice_is_taken_by_evaluate_and_stands_in_its_report(capsys: Capture) -> None:
    for name, registry in CHOICES.items():
        for key in registry.members:
            flags = WITH.get(key, ("--sparsity", "0.3"))
            model = WHERE.get(key, "digits-cnn")
            report = result(capsys, "evaluate", model, f"--{name}", key, *flags, "--no-keep")
            assert report["spec"][name]["key"] == key


def test_every_metric_of_classes_stands_in_the_report_of_a_model_of_classes(capsys: Capture) -> None:
    report = result(capsys, "evaluate", "digits-cnn", "--no-keep")
    keys = {metric.key for metric in METRICS if metric.task == "classes"}
    assert keys - set(report["metrics"]) == set()


def test_every_model_source_says_how_its_addresses_are_written(capsys: Capture) -> None:
    assert main(["evaluate", "there is no such address"]) == 2
    refusal = capsys.readouterr().err
    assert [source.form for source in MODEL_SOURCES if source.form not in refusal] == []
    assert all(name in refusal for name in models.samples())
