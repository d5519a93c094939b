"""``sweep`` compares fairly when it is asked to: seeds, controls, and a verdict with its interval."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest

from explorer.cli import main
from explorer.engine.evaluator import Evaluator
from explorer.store.database import Store

Capture = pytest.CaptureFixture[str]
SWEEP = ("sweep", "digits-mlp", "--ratios", "1,2,4")


def result(capsys: Capture, *argv: str) -> dict[str, Any]:
    assert main([*SWEEP, "--json", *argv]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_several_seeds_are_means_and_spreads_at_each_level(capsys: Capture) -> None:
    found = result(capsys, "--criterion", "random", "--seeds", "3", "--seed", "5")
    assert [point["seed"] for point in found["points"]] == [5, 5, 5, 6, 6, 6, 7, 7, 7]
    assert [level["n_seeds"] for level in found["levels"]] == [3, 3, 3]
    accuracies = [point["accuracy"]["value"] for point in found["points"] if point["asked_ratio"] == 4]
    assert found["levels"][2]["accuracy"] == pytest.approx(statistics.mean(accuracies))
    assert found["levels"][2]["accuracy_deviation"] == pytest.approx(statistics.stdev(accuracies))
    assert found["levels"][2]["accuracy_lowest"] == min(accuracies)
    assert found["is_curve"] is False
    assert found["controls"] == found["verdicts"] == []


def test_controls_come_with_a_verdict_on_each(capsys: Capture) -> None:
    found = result(capsys, "--criterion", "lamp", "--controls", "--lock", "fc3")
    assert [(c["name"], len(c["points"])) for c in found["controls"]] == [("random", 9), ("magnitude", 3)]
    assert all(p["spec"]["limits"]["fc3"]["locked"] for c in found["controls"] for p in c["points"])
    assert [v["at"] for v in found["controls"][0]["verdicts"]] == [2, 4]
    by_chance, by_magnitude = found["verdicts"]
    assert (by_chance["second"], by_chance["second_seeds"], by_chance["n"]) == ("random", 3, 450)
    assert "is better than random by " in by_chance["sentence"]
    assert by_magnitude["second"] == "magnitude"
    assert found["looks_at_test"] == 0


def test_a_comparison_locks_the_classifier_as_the_trade_off_page_does_unless_it_is_freed(capsys: Capture) -> None:
    for flags, locked in ((("--controls",), True), (("--controls", "--free-classifier"), None), ((), None)):
        points = result(capsys, *flags)["points"]
        assert {(p["spec"]["limits"].get("fc3") or {}).get("locked") for p in points} == {locked}


def test_people_read_the_verdict_and_how_far_it_reaches(capsys: Capture) -> None:
    assert main([*SWEEP, "--controls"]) == 0
    out = capsys.readouterr().out
    assert "control: random" in out
    assert "control: magnitude" not in out
    assert "is better than random by" in out
    assert "On digits-mlp, 450 tune samples of digits, and on no other model or data. The classifier fc3 is lo" in out
    assert "The locked test split was looked at 0 times so far" in out
    pruned = sum(line.split()[1] != "0.0%" for line in out.split("\n\n")[1].splitlines()[2:])
    assert f"Fewer than five operating points ({pruned} beside the dense model): not a curve yet." in out


def test_the_dense_model_is_run_once_for_all_seeds_and_controls(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Evaluator] = []
    init = Evaluator.__init__

    def counted(self: Evaluator, *given: Any, **options: Any) -> None:
        made.append(self)
        init(self, *given, **options)

    monkeypatch.setattr(Evaluator, "__init__", counted)
    found = result(capsys, "--criterion", "lamp", "--controls", "--seeds", "2")
    assert len(made) == 1
    assert len({point["accuracy"]["value"] for point in found["points"] if point["asked_ratio"] == 1}) == 1


def test_every_point_of_every_seed_is_kept(capsys: Capture) -> None:
    result(capsys, "--controls")
    # The dense model is one measurement for magnitude and for every seed of chance.
    assert len(Store().points()) == 12 - 3


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--seeds", "3"), "Magnitude draws nothing by chance"),
        (("--controls", "--seeds", "0"), "--seeds 0"),
        (("--free-classifier",), "Add --controls"),
    ],
)
def test_flags_that_say_nothing_are_refused_in_a_sentence(capsys: Capture, argv: tuple[str, ...], said: str) -> None:
    assert main([*SWEEP, *argv]) == 2
    assert said in capsys.readouterr().err
