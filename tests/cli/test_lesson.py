"""``explorer lesson``: lists, asks, measures, and writes hand-outs."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from explorer import lessons
from explorer.cli import main
from tests.cli.asked import Capture, refusal, result

ANSWERS = {"left": 70, "curve": [90, 70, 50, 30, 10]}


def test_without_a_name_all_lessons_are_listed(capsys: Capture) -> None:
    rows = result(capsys, "lesson")["lessons"]
    assert [row["name"] for row in rows] == list(lessons.MEMBERS)
    assert all(row["misconception"] and row["source"] and row["answer"] for row in rows)


def test_answers_given_at_once_are_measured(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(ANSWERS), encoding="utf-8")
    taken = result(capsys, "lesson", "channels", "--answers", str(path))
    assert [each["key"] for each in taken["predictions"]] == ["left", "curve"]
    left, curve = taken["predictions"]
    assert left["answer"] == 70
    assert 0.5 < left["readings"][0]["value"] < 0.65
    assert not left["is_right"]
    assert [reading["x"] for reading in curve["readings"]] == [0.1, 0.3, 0.5, 0.7, 0.9]
    assert [each["holds"] for each in taken["checks"]] == [True]


def test_in_the_terminal_it_asks_until_there_is_an_answer_and_then_measures(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("many\n70\n90,70,50,30,10\nBoth sides shrink.\n"))
    assert main(["lesson", "channels"]) == 0
    shown = capsys.readouterr()
    assert "You said 70%; measured: 57" in shown.out
    assert "does not suit" in shown.err
    assert "It holds, and the intervals leave no doubt." in shown.out
    assert shown.out.index("Channels count twice") < shown.out.index("You said 70%")


def test_what_cannot_be_taken_is_refused_in_a_sentence(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "There is no lesson 'nothing'" in refusal(capsys, "lesson", "nothing")
    assert "no answer to 'curve'" in refusal(capsys, "lesson", "channels", "--answers", '{"left": 70}')
    assert "does not suit" in refusal(capsys, "lesson", "channels", "--answers", '{"left": 170, "curve": []}')
    assert "no JSON object" in refusal(capsys, "lesson", "channels", "--answers", "{")
    assert "nothing can be asked" in refusal(capsys, "lesson", "channels", "--json")


def test_hand_outs_are_written_once(capsys: Capture, tmp_path: Path) -> None:
    for ending in (".html", ".ipynb"):
        path = tmp_path / f"channels{ending}"
        assert result(capsys, "lesson", "channels", "-o", str(path))["bytes"] == path.stat().st_size > 1000
        assert "is there already" in refusal(capsys, "lesson", "channels", "-o", str(path))
        assert main(["lesson", "channels", "-o", str(path), "--force", "--teacher"]) == 0
        assert capsys.readouterr().out.startswith("Wrote ")
