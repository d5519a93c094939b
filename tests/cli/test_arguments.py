"""Flags become one request; mistakes become one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.cli import COMMANDS, main, parser, work_of
from explorer.cli.arguments import Arguments, joined_numbers
from explorer.cli.flags.export import FORMS
from explorer.cli.run.export import WRITERS
from explorer.cli.run.request import prune_spec
from explorer.errors import ExplorerError
from explorer.pruning.allocation import Global, Threshold, Uniform
from explorer.pruning.criteria import LpNorm, Random
from explorer.pruning.spec import Limit, PruneSpec
from tests.every import for_each

ROOT = Path(__file__).resolve().parents[2]


def parsed(*argv: str) -> Arguments:
    return parser().parse_args(joined_numbers(["evaluate", "digits-cnn", *argv]), Arguments())


def spec_of(*argv: str) -> PruneSpec:
    return prune_spec(parsed(*argv))


def test_a_command_without_some_of_the_flags_prunes_by_the_defaults_of_the_others() -> None:
    written = Arguments(criterion="lp_norm:p=1", seed=0)
    assert prune_spec(written) == PruneSpec(criterion=LpNorm(p=1.0))
    assert vars(written) == {"criterion": "lp_norm:p=1", "seed": 0}  # nothing is added to what was written


def test_without_flags_nothing_is_pruned() -> None:
    assert spec_of() == PruneSpec()


def test_every_choice_has_its_flag() -> None:
    spec = spec_of(
        "--granularity=out_channel",
        "--criterion=lp_norm:p=1",
        "--allocation=uniform",
        "--sparsity=0.8",
        "--cap=conv1=0.5",
    )
    assert spec == PruneSpec("out_channel", LpNorm(p=1.0), Uniform(0.8), {"conv1": Limit(cap=0.5)})


def test_a_sparsity_may_be_written_in_percent() -> None:
    assert spec_of("--sparsity", "80%").allocation == Global(0.8)


def test_a_threshold_chooses_its_allocation() -> None:
    assert spec_of("--threshold", "0.05").allocation == Threshold(0.05)
    assert spec_of("--threshold", "1.5", "--allocation", "threshold:unit=std").allocation == Threshold(1.5, "std")


def test_the_seed_reaches_a_criterion_that_takes_one_unless_it_says_its_own() -> None:
    assert spec_of("--criterion", "random", "--seed", "7").criterion == Random(7)
    assert spec_of("--criterion", "random:seed=3", "--seed", "7").criterion == Random(3)
    assert spec_of("--criterion", "lp_norm", "--seed", "7").criterion == LpNorm()


def test_limits_of_one_layer_add_up() -> None:
    spec = spec_of("--lock", "a", "--floor", "b=0.1", "--cap", "b=0.5", "--unlock", "c")
    assert dict(spec.limits) == {"a": Limit(locked=True), "b": Limit(None, 0.1, 0.5), "c": Limit(locked=False)}


def test_a_file_gives_the_whole_request_and_flags_may_add_limits(tmp_path: Path) -> None:
    spec = PruneSpec("weight", "random:seed=4", "uniform:sparsity=0.25", {"a": Limit(cap=0.5)})
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec.to_json()))
    assert spec_of("--spec", str(file)) == spec
    assert spec_of("--spec", str(file), "--lock", "a").limit("a") == Limit(locked=True, cap=0.5)


@for_each(
    ("argv", "said"),
    [
        (["--sparsity", "0.5", "--threshold", "1"], "both say how much goes"),
        (["--sparsity", "0.5", "--allocation", "threshold"], "takes no --sparsity"),
        (["--threshold", "0.5", "--allocation", "uniform"], "takes no --threshold"),
        (["--spec", "x.json", "--sparsity", "0.5"], "--spec already says it all"),
        (["--spec", "absent.json"], "There is no file absent.json"),
        (["--criterion", "magnitude"], "no criterion called 'magnitude'. Choose one of: lp_norm, "),
        (["--criterion", "lp_norm:p=9"], "at most 4"),
        (["--floor", "a=0.6", "--cap", "a=0.5"], "do not fit together"),
    ],
)
def test_a_request_that_cannot_be_is_refused(argv: list[str], said: str) -> None:
    with pytest.raises(ExplorerError) as caught:
        spec_of(*argv)
    assert said in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"{", b"[]", b'{"granularity": 3}', b'{"sparsity": 0.5}', b"[" * 100_000]
)
def test_a_file_that_is_no_request_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "spec.json"
    file.write_bytes(content)
    with pytest.raises(ExplorerError):
        spec_of("--spec", str(file))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["evaluate"], "the following arguments are required: MODEL"),
        (["evaluate", "m", "--sparsity", "1.5"], "not a share from 0 to 1 (80 percent is 0.8)"),
        (["evaluate", "m", "--sparsity", "nan"], "not a share from 0 to 1"),
        (["evaluate", "m", "--sparsity", "-0.1"], "not a share from 0 to 1"),
        (["evaluate", "m", "--split", "fit"], "invalid choice: 'fit'"),
        (["evaluate", "m", "--floor", "conv1"], "not LAYER=SHARE"),
        (["evaluate", "m", "--seed", "-1"], "not a whole number"),
        (["evaluate", "m", "--spars", "0.5"], "unrecognized arguments"),
        (["prune", "m"], "required: -o/--output"),
        (["app", "--port", "70000"], "not a port"),
        (["app", "--address", "0.0.0.0"], "Add --open-to-network if you mean it."),
        (["app", "--address", "example"], "is not an IP address"),
    ],
)
def test_a_usage_mistake_is_one_line_and_status_2(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said.lower() in shown.err.lower()
    assert shown.err.count("\n") == 1
    assert "usage:" not in shown.err


def test_lists_of_numbers_may_be_written_with_spaces_or_commas_anywhere() -> None:
    expected = ["evaluate", "--mean=0.1,-0.2,3e-1", "m", "--std=1,2", "--json"]
    assert joined_numbers(["evaluate", "--mean", "0.1", "-0.2", "3e-1", "m", "--std", "1,2", "--json"]) == expected
    assert joined_numbers(["--mean", "x"]) == ["--mean", "x"]


def test_every_command_that_opens_a_model_takes_the_common_flags() -> None:
    for command in COMMANDS:
        if command.NAME in ("app", "runs", "lesson", "worker", "submit", "jobs"):
            continue
        output = {"prune": ["-o", "x.safetensors"], "export": ["--to", "slim", "-o", "x"]}
        output |= {"criteria": ["--layer", "fc", "--criterion", "taylor"], "search": ["--max-drop", "1%"]}
        argv = [
            command.NAME,
            "m",
            *output.get(command.NAME, []),
            "--json",
            "--data",
            "none",
            "--device",
            "cpu",
            "--seed",
            "3",
        ]
        args = parser().parse_args(argv, Arguments())
        assert (args.json, args.data, args.device, args.seed) == (True, "none", "cpu", 3)


def test_help_comes_without_loading_torch() -> None:
    code = """
import sys
from explorer.cli import COMMANDS, main
for argv in (["--help"], *([command.NAME, "--help"] for command in COMMANDS)):
    try:
        main(argv)
    except SystemExit as end:
        assert end.code == 0, argv
    else:
        raise AssertionError(argv)
    assert "torch" not in sys.modules, argv
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--criterion" in done.stdout


def test_every_command_has_its_work() -> None:
    assert all(callable(work_of(command.NAME)) for command in COMMANDS)


def test_every_form_that_export_offers_has_its_writer() -> None:
    assert tuple(WRITERS) == FORMS
