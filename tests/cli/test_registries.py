"""What is registered can be reached: each member stands in the help, and evaluate takes it and reports it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from explorer import models
from explorer.cli import main
from explorer.cli.flags.members import REGISTRIES, keys, listed
from explorer.cli.member_help import registry_of
from explorer.data import SOURCES as DATA_SOURCES
from explorer.metrics import METRICS
from explorer.models import SOURCES as MODEL_SOURCES
from explorer.params import Registry, params_of
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from tests.cli.asked import Capture, refusal, result
from tests.every import for_each

CHOICES: dict[str, Registry[Any]] = {
    "granularity": GRANULARITIES,
    "criterion": CRITERIA,
    "allocation": ALLOCATIONS,
}
# A model that has something to rank, and what a member has to be told.
WHERE = {
    "head": "digits-vit",
    "layer": "digits-vit",
    "depth": "digits-vit",
    "block_influence": "digits-vit",
    "mlp_neuron": "digits-vit",
    "head_confidence": "digits-vit",
    "hidden_unit": "digits-gru",
}
WITH = {
    **dict.fromkeys(("geometric_median", "bn_scale", "apoz"), ("--granularity", "out_channel", "--sparsity", "0.3")),
    "head_confidence": ("--granularity", "head"),
    "block_influence": ("--granularity", "depth"),
    "threshold": ("--threshold", "0.01"),
}


PRUNING = ("evaluate", "prune", "export", "quantize", "activations", "sweep", "recover")
LISTED = {
    "criterion": (*PRUNING, "scan", "search", "criteria"),
    "granularity": (*PRUNING, "scan", "search", "criteria"),
    "allocation": PRUNING,
    "metric": ("evaluate",),
    "recovery step": ("recover",),
    "architecture": ("inspect", "evaluate"),
}


def printed(capsys: Capture, *argv: str) -> str:
    """What a question prints before the command ends well."""
    with pytest.raises(SystemExit) as end:
        main(list(argv))
    assert end.value.code == 0
    return capsys.readouterr().out


def help_of(command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "1000")  # no name is taken apart at the end of a line
    return printed(capsys, command, "--help")


def test_every_member_stands_in_the_help_of_every_command_that_takes_it(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, commands in LISTED.items():
        for command in commands:
            words = re.findall(r"[\w-]+", help_of(command, capsys, monkeypatch))
            assert [key for key in registry_of(kind).members if key not in words] == [], (command, kind)


def test_every_form_of_an_address_stands_in_the_help(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of("evaluate", capsys, monkeypatch)
    assert [source.form for source in (*DATA_SOURCES, *MODEL_SOURCES) if source.form not in text] == []


@for_each("kind", REGISTRIES)
def test_what_the_help_reads_from_the_source_is_what_is_registered(kind: str) -> None:
    registry = registry_of(kind)
    assert keys(kind) == list(registry.members)
    for listing, member in zip(listed(kind), registry, strict=True):
        assert all(text == getattr(member, name) for name, text in listing.constants.items()), listing.key
        assert listing.needs_samples == bool(getattr(member, "needs", None)), listing.key


@for_each(
    ("flag", "kind"),
    [
        ("--criterion", "criterion"),
        ("--granularity", "granularity"),
        ("--allocation", "allocation"),
        ("--recipe", "recovery step"),
    ],
)
def test_a_question_mark_prints_the_parameters_of_a_member(flag: str, kind: str, capsys: Capture) -> None:
    for key, member in registry_of(kind).members.items():
        rows = printed(capsys, "recover", flag, f"{key}:?").splitlines()
        for p in params_of(member):
            assert any(row.startswith(p.name) and p.type in row and p.label in row for row in rows), (key, p.name)


def test_type_range_default_and_label_of_a_parameter_are_printed(capsys: Capture) -> None:
    shown = [row.split("  ") for row in printed(capsys, "scan", "--criterion", "taylor:?").splitlines()]
    rows = [[cell.strip() for cell in row if cell] for row in shown]
    assert ["n_samples", "whole number", "8 to 65,536", "256", "Samples"] in [row[:5] for row in rows]
    assert ["form", "choice", "sum or squared", "sum", "Form"] in [row[:5] for row in rows]


def test_a_question_mark_alone_prints_every_member(capsys: Capture) -> None:
    rows = printed(capsys, "scan", "--granularity", "?").splitlines()
    assert [row.split()[0] for row in rows[2:]] == list(GRANULARITIES.members)


def test_a_question_about_an_unknown_member_is_refused_with_the_members(capsys: Capture) -> None:
    assert "Choose one of: lp_norm, " in refusal(capsys, "scan", "--criterion", "magnitude:?")


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
    refused = capsys.readouterr().err
    assert [source.form for source in MODEL_SOURCES if source.form not in refused] == []
    assert all(name in refused for name in models.samples())
