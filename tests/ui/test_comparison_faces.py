"""One request on the screen, on the command line and in Python: equal numbers, equal sentences."""

from __future__ import annotations

import json
from typing import Any

import pytest

import explorer as ex
from explorer.cli import main
from explorer.text.names import clean_markdown
from explorer.ui.explore.curves import RATIOS
from tests.ui.pages import Open, link, measured, rows_of, spoken

SPEC = ex.PruneSpec("weight", "lamp", "uniform", {"fc1": ex.Limit(locked=True)})  # type: ignore[arg-type]


def on_the_screen(visit: Open, downloads: dict[str, Any]) -> tuple[list[tuple[float, ...]], str]:
    at = visit("tradeoff", model="digits-mlp", spec=link(limits={"fc1": ex.Limit(locked=True)}))  # type: ignore[arg-type]
    at.multiselect(key="compare_Criteria").set_value(["LAMP"]).run()
    at.button_group(key="compare_Allocation").set_value(["uniform"]).run()
    measured(at)
    assert not at.exception
    rows = rows_of(downloads["CSV"]())
    numbers = [
        (float(row["compression_ratio"]), float(row["accuracy"]), float(row["drop"]), float(row["sparsity"]))
        for row in rows
    ]
    return sorted(numbers), spoken(at)


def on_the_command_line(capsys: pytest.CaptureFixture[str]) -> tuple[list[tuple[float, ...]], dict[str, Any]]:
    ratios = ",".join(f"{ratio:g}" for ratio in RATIOS)
    argv = ["sweep", "digits-mlp", "--criterion", "lamp", "--allocation", "uniform", "--lock", "fc1", "--controls"]
    assert main([*argv, "--ratios", ratios, "--json", "--no-keep"]) == 0, capsys.readouterr().err
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    points = [*answer["points"], *(point for control in answer["controls"] for point in control["points"])]
    numbers = [(p["compression_ratio"], p["accuracy"]["value"], p["drop"]["value"], p["sparsity"]) for p in points]
    return sorted(numbers), answer


def test_three_faces_measure_and_conclude_the_same(
    visit: Open, downloads: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = ex.compare_methods("digits-mlp", [SPEC], ratios=RATIOS)
    records = comparison.records()
    numbers = sorted((r["compression_ratio"], r["accuracy"], r["drop"], r["sparsity"]) for r in records)
    at = comparison.furthest()
    assert at is not None
    assert {record["criterion"] for record in records if record["control"]} == {"Random (control)", "Magnitude"}

    printed, answer = on_the_command_line(capsys)
    assert printed == numbers
    assert answer["sentences"] == list(comparison.sentences(at))
    assert answer["scope"] == comparison.scope(at)

    shown, words = on_the_screen(visit, downloads)
    assert shown == numbers
    for sentence in comparison.sentences(at):
        assert clean_markdown(sentence, 400) in words
    assert clean_markdown(comparison.scope(at), 600) in words
