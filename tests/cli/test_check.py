"""``check``: its exit status, its files, and one answer on every face."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import explorer as ex
from explorer.cli import main
from explorer.report import pdf
from tests.cli.asked import Capture, refusal

# What takes long and plays no part here.
QUICK = ("--set", "parity.level=off", "--set", "corruptions.level=off", "--set", "generalisation.level=off")
LENIENT = (*QUICK, "--set", "accuracy.margin=0.05", "--set", "probabilities.most=1", "--set", "classes.margin=0.2")


def asked(capsys: Capture, tmp_path: Path, *argv: str) -> tuple[int, dict[str, Any]]:
    status = main(["check", *argv, "--json", "--data-dir", str(tmp_path / "data")])
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1, shown.err
    document: dict[str, Any] = json.loads(shown.out)
    return status, document


def test_pass_fail_and_cannot_tell_have_a_status_of_their_own_and_strict_fails_what_cannot_be_told(
    capsys: Capture, tmp_path: Path
) -> None:
    for sparsity, more, status, verdict in (
        ("0.1", LENIENT, 0, "pass"),
        ("0.97", QUICK, 1, "fail"),
        ("0.1", (*LENIENT, "--set", "accuracy.margin=0.001"), 3, "cannot tell"),
        ("0.1", (*LENIENT, "--set", "accuracy.margin=0.001", "--strict"), 1, "cannot tell"),
    ):
        got, document = asked(capsys, tmp_path, "digits-mlp", "--sparsity", sparsity, *more)
        assert (got, document["verdict"]) == (status, verdict), document["checks"]
        if verdict == "cannot tell":
            assert document["n_needed"] > 450


def test_the_command_that_is_printed_makes_the_same_check_again(capsys: Capture, tmp_path: Path) -> None:
    _, first = asked(capsys, tmp_path, "digits-mlp", "--granularity", "out_channel", "--sparsity", "0.3", *QUICK)
    words = shlex.split(first["command"])
    assert words[:4] == ["python", "-m", "explorer", "check"]
    _, again = asked(capsys, tmp_path, *words[4:])
    assert {**again, "seconds": 0} == {**first, "seconds": 0}


@pytest.mark.slow
def test_a_pruned_file_is_checked_against_what_it_was_made_from_and_python_says_the_same(
    capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "half.safetensors"
    dense = ex.load("digits-mlp")
    ex.save(dense, ex.plan(dense, ex.PruneSpec(allocation="global:sparsity=0.5")), path)
    _, by_lineage = asked(capsys, tmp_path, str(path), *QUICK)
    _, named = asked(capsys, tmp_path, str(path), "--against", "digits-mlp", *QUICK)
    off = {key: False for key in ("parity", "corruptions", "generalisation")}
    in_python = ex.check(str(path), policy=off).to_json()
    for document in (by_lineage, named):
        assert {**document, "seconds": 0} == {**json.loads(json.dumps(in_python)), "seconds": 0}
    assert by_lineage["dense"]["address"] == "digits-mlp"
    assert len(by_lineage["candidate"]["sha256"]) == len(by_lineage["dense"]["sha256"]) == 64
    drop = next(check for check in by_lineage["checks"] if check["key"] == "accuracy")["value"]["value"]
    assert drop == pytest.approx(ex.evaluate(str(path)).against.evaluation.drop.value, abs=1e-12)  # type: ignore[union-attr]


def test_a_look_at_the_test_split_is_counted_and_stands_in_the_check(capsys: Capture, tmp_path: Path) -> None:
    argv = ("digits-mlp", "--sparsity", "0.1", "--split", "test", *QUICK)
    looks = [asked(capsys, tmp_path, *argv)[1]["looks_at_test"] for _ in range(2)]
    assert looks == [1, 2]


def test_a_policy_file_and_limits_beside_it_are_taken_and_a_written_one_is_the_same(
    capsys: Capture, tmp_path: Path
) -> None:
    file, written = tmp_path / "policy.toml", tmp_path / "written.toml"
    file.write_text("corruptions = false\nparity = false\ngeneralisation = false\n[accuracy]\nmargin = 0.5\n")
    argv = ("digits-mlp", "--sparsity", "0.1", "--policy", str(file))
    _, first = asked(capsys, tmp_path, *argv, "--set", "changed.most=0.5", "--write-policy", str(written))
    limits = {check["key"]: check["limit"] for check in first["checks"]}
    assert (limits["accuracy"], limits["changed"], "parity" in limits) == (0.5, 0.5, False)
    _, again = asked(capsys, tmp_path, "digits-mlp", "--sparsity", "0.1", "--policy", str(written))
    assert again["policy"] == first["policy"]


def test_the_files_tell_what_the_terminal_tells(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files = {name: tmp_path / f"card.{name}" for name in ("junit", "html", "markdown")}
    flags = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    status, document = asked(capsys, tmp_path, "digits-mlp", "--sparsity", "0.97", *QUICK, *flags)
    assert status == 1
    suites = ElementTree.fromstring(files["junit"].read_text(encoding="utf-8"))
    failed = {case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None}
    assert failed == {check["label"] for check in document["checks"] if check["status"] == "fail"}
    assert suites.get("failures") == str(len(failed))
    assert summary.read_text().startswith("before\n## Fail")
    assert files["markdown"].read_text() in summary.read_text()
    for name in ("html", "markdown"):
        text = files[name].read_text(encoding="utf-8")
        assert "Fail" in text
        assert document["policy"]["digest"] in text
        assert document["dense"]["sha256"] in text


def test_what_cannot_be_checked_is_refused_in_a_sentence(capsys: Capture, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[accuracy\n")
    for argv, words in (
        (("digits-mlp",), "It is not known what digits-mlp would replace"),
        (("digits-mlp", "--against", "digits-cnn", "--sparsity", "0.5"), "--against goes with a candidate as it is"),
        (("digits-mlp", "--sparsity", "0.5", "--set", "accuracy"), "sets nothing"),
        (("digits-mlp", "--sparsity", "0.5", "--set", "accurate.margin=1"), "no check called 'accurate'"),
        (("digits-mlp", "--sparsity", "0.5", "--set", "accuracy.margin=7"), "does not suit the check 'accuracy'"),
        (("digits-mlp", "--sparsity", "0.5", "--policy", str(bad)), "The policy is no TOML"),
        (("digits-mlp", "--sparsity", "0.5", "--pairs", "3"), "Add --latency"),
    ):
        assert words in refusal(capsys, "check", *argv)


def test_what_a_recipe_makes_is_checked_and_its_command_does_it_again(capsys: Capture, tmp_path: Path) -> None:
    prune = {"key": "prune", "spec": ex.PruneSpec(allocation="global:sparsity=0.8").to_json()}
    recipe = {"steps": [prune, {"key": "finetune", "epochs": 2}]}
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe))
    *_, last = ex.recover("digits-mlp", recipe)
    assert last.recovered is not None
    assert last.recovered.dense is not None
    assert last.recovered.tuned is not None
    _, document = asked(capsys, tmp_path, "digits-mlp", "--recipe", str(file), *QUICK)
    drop = next(check for check in document["checks"] if check["key"] == "accuracy")["value"]["value"]
    assert drop == pytest.approx(last.recovered.dense.value - last.recovered.tuned.value)
    assert document["candidate"]["digest"] == last.recovered.model.digest
    assert document["candidate"]["is_request"]
    words = shlex.split(document["command"])
    _, again = asked(capsys, tmp_path, *words[4:])
    assert {**again, "seconds": 0} == {**document, "seconds": 0}


def test_columns_of_a_table_are_slices_and_what_is_no_column_is_refused(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "beside.csv"
    file.write_text("scanner,x\n" + "".join(f"{'old' if i % 3 else 'new'},{i}\n" for i in range(450)))
    only = [word for key in ex.Policy.of().to_json() if key != "slices" for word in ("--set", f"{key}.level=off")]
    sparse = ("digits-mlp", "--sparsity", "0.97", *only)
    status, document = asked(capsys, tmp_path, *sparse, "--slices", f"{file}:scanner")
    assert status == 1
    rows = next(check for check in document["checks"] if check["key"] == "slices")["rows"]
    assert {(row["name"], row["n"]) for row in rows} == {("scanner = new", 150), ("scanner = old", 300)}
    for place, words in ((f"{file}:lens", "no column 'lens'"), (str(file), "names no column"), ("no.csv:x", "No such")):
        assert words in refusal(capsys, "check", *sparse, "--slices", place)


def test_the_card_is_printed_to_pdf_where_chromium_is_installed_and_refused_where_not(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = [word for key in ex.Policy.of().to_json() if key != "accuracy" for word in ("--set", f"{key}.level=off")]
    argv = ("digits-mlp", "--sparsity", "0.97", *only, "--pdf", str(tmp_path / "card.pdf"))
    if pdf.browser() is not None:
        asked(capsys, tmp_path, *argv)
        assert (tmp_path / "card.pdf").read_bytes()[:5] == b"%PDF-"
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    assert "No Chromium is installed" in refusal(capsys, "check", *argv, "--data-dir", str(tmp_path / "data"))
