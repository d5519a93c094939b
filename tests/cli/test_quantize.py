"""``quantize``: the grid as JSON and as a table, and its points kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.cli import main
from explorer.pruning.spec import PruneSpec


def test_the_grid_is_json_with_its_front_and_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "digits-mlp", "--grid", "0,0.5", "--bits", "4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(p["asked"], p["form"], p["bits"]) for p in found["points"]] == [
        (0.0, "float32", 32), (0.0, "int8", 4), (0.5, "float32", 32), (0.5, "int8", 4),
    ]  # fmt: skip
    assert any(p["on_front"] for p in found["points"])
    assert found["points"][1]["size"]["value"] < 0.2 * found["points"][0]["size"]["value"]
    assert found["advice"] == ""

    assert main(["runs", "--json"]) == 0
    kinds = [run["kind"] for run in json.loads(capsys.readouterr().out)["points"]]
    assert kinds == ["quantize"] * 4


def test_the_share_is_that_of_a_request_in_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(PruneSpec("weight", "lp_norm", "uniform:sparsity=0.7").to_json()))  # type: ignore[arg-type]
    assert main(["quantize", "digits-mlp", "--spec", str(file), "--no-keep", "--json"]) == 0
    assert {p["asked"] for p in json.loads(capsys.readouterr().out)["points"]} == {0.7}


def test_people_read_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "digits-mlp", "--sparsity", "0.5", "--no-keep"]) == 0
    said = capsys.readouterr().out
    assert "int8, simulated" in said
    assert "counted" in said


def test_four_bits_are_called_int4_and_never_int8(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "digits-mlp", "--grid", "0.5", "--bits", "4", "--no-keep"]) == 0
    out = capsys.readouterr().out
    assert "int4, simulated" in out
    assert "int8" not in out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--grid", "0,2"], "--grid '0,2' is not a list of shares."),
        (["--bits", "9"], "Weights of 9 bits are not possible here."),
        (["--recovery", "sleep"], "There is no 'sleep' here."),
        (["--data", "none", "--recovery", "finetune"], "Recovery needs real data."),
    ],
)
def test_what_cannot_be_is_one_sentence(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "digits-mlp", *flags]) == 2
    assert said in capsys.readouterr().err


def test_a_language_model_is_counted_as_it_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    """1,024 numbers of 16 bits for each of 2 x 1,000 tokens, whatever is pruned; 838,144 weights of 32 bits."""
    few = ["quantize", "topics-gpt", "--grid", "0,0.5", "--no-keep", "--context", "1000", "--batch", "2"]
    assert main([*few, "--json"]) == 0
    served = json.loads(capsys.readouterr().out)["serving"]
    assert [(row["asked"], row["bits"]) for row in served] == [(s, bits) for s in (0.0, 0.5) for bits in (32, 8, 4)]
    assert {row["cache"] for row in served} == {2 * 1000 * 1024 * 2}
    own = served[3]
    assert own["weights_dense"] == served[0]["weights_dense"] > own["weights_smallest"]
    assert own["together_dense"] == own["weights_dense"] + own["cache"]
    assert main(["quantize", "digits-mlp", "--context", "1000", "--no-keep"]) == 2
    assert "keeps no keys and values from token to token" in capsys.readouterr().err
