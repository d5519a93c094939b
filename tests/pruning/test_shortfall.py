"""What was asked and what was reached never differ in silence; all values by hand."""

from __future__ import annotations

import json

import pytest

from explorer import cli, models
from explorer.errors import ExplorerError
from explorer.pruning.plan import plan
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import Plan


def _notes(address: str, *spec: object) -> tuple[str, ...]:
    return plan(models.load(address), PruneSpec(*spec)).notes  # type: ignore[arg-type]


def test_a_request_that_is_met_has_no_note() -> None:
    assert _notes("digits-mlp", "weight", "lp_norm", "global:sparsity=0.5") == ()


def test_all_layers_locked_says_so_whatever_the_allocation() -> None:
    # 256 x 64 + 128 x 256 + 10 x 128 weights.
    locked = {name: Limit(locked=True) for name in ("fc1", "fc2", "fc3")}
    for allocation in ("global", "uniform", "erk"):
        notes = _notes("digits-mlp", "weight", "lp_norm", f"{allocation}:sparsity=0.5", locked)
        assert notes == (
            "Asked 50.0% of the weights that may go, reached 0.0% of all: 0 of 50,432 weights go.",
            "Locked, so not moved: fc1, fc2, fc3.",
        ), allocation


def test_one_locked_layer_leaves_a_share_of_the_others() -> None:
    # 90 % of 50,432 - 32,768 = 17,664 is 15,897.6 -> 15,898, 31.5 % of all.
    notes = _notes("digits-mlp", "weight", "lp_norm", "global:sparsity=0.9", {"fc2": Limit(locked=True)})
    assert notes == (
        "Asked 90.0% of the weights that may go, reached 31.5% of all: 15,898 of 50,432 weights go.",
        "Locked, so not moved: fc2.",
    )


def test_channels_asked_and_weights_reached_are_both_given_with_what_is_fixed() -> None:
    # The hidden layers of three MLPs: half of 3 x 96 channels, each with 48 + 48 weights.
    notes = _notes("digits-vit", "out_channel", "lp_norm", "global:sparsity=0.5")
    assert notes[0] == (
        "Asked 50.0% of the channels that may go, reached 144 of 288 (50.0%); "
        "with them go 13,824 of 55,968 weights (24.7%)."
    )
    assert 144 * 96 == 13_824
    assert notes[1] == "Locked, so not moved: patch."
    # Query, key and value of three attentions, and the ten rows of the head.
    fixed = 3 * 6_912 + 480
    assert notes[2].startswith(f"{fixed:,} weights are in layers without a channel that may go: ")


def test_a_pattern_says_how_many_weights_a_group_loses() -> None:
    notes = _notes("digits-cnn", "n_of_m:n=1,m=4", "lp_norm", "global:sparsity=1.0")
    # 65,440 - 288 of the first layer, which has one input channel.
    assert notes[0].endswith(f"with them go {65_152 * 3 // 4:,} of 65,440 weights (74.7%).")
    assert "A group that goes loses 3 of its 4 weights." in notes
    assert any(
        note.startswith("288 weights are in layers without a group that may go: block1.conv1.") for note in notes
    )


def test_whole_units_are_named_where_a_share_of_them_is_none() -> None:
    # 30 % of 32 channels are 9.6 -> 10, of 64 are 19.2 -> 19: 48 of 160 again; 35 % are 11 + 22 + 22 = 55.
    notes = _notes("digits-cnn", "out_channel", "lp_norm", "uniform:sparsity=0.35")
    assert "Only whole channels go, so 55 of 160 were asked for." in notes
    assert notes[0].startswith("Asked 35.0% of the channels that may go, reached 55 of 160 (34.4%);")


def test_units_that_the_network_lacks_are_refused_where_something_is_to_go() -> None:
    model = models.load("digits-cnn")
    assert plan(model, PruneSpec("head", "lp_norm", "global")).n_pruned == 0
    for allocation in ("global:sparsity=0.5", "uniform:sparsity=0.1", "threshold:value=0.2"):
        with pytest.raises(ExplorerError, match=r"Not one head of this network can go\."):
            plan(model, PruneSpec("head", "lp_norm", allocation))


def test_the_command_refuses_heads_of_a_network_without_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "digits-cnn", "--granularity", "head", "--sparsity", "0.5"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Not one head of this network can go.")


def test_the_printed_shares_have_their_unit(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "digits-cnn", "--granularity", "out_channel", "--sparsity", "0.3"]) == 0
    rows = {line[:29].strip(): line[29:].split() for line in capsys.readouterr().out.splitlines() if "  " in line}
    assert rows["channels asked"] == ["30.0%"]
    assert rows["channels reached"] == ["30.0%", "48", "of", "160", "counted"]
    assert rows["sparsity reached"] == ["43.0%", "counted"]


def test_the_json_has_units_beside_the_share_of_weights(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--granularity", "out_channel", "--sparsity", "0.5"]
    assert cli.main(["evaluate", "digits-vit", *asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["units"] == {"unit": "channel", "n_pruned": 144, "n_may_go": 288}
    assert report["sparsity"] == pytest.approx(13_824 / 55_968)


def test_units_and_weights_of_a_plan_are_those_of_its_masks() -> None:
    ours: Plan = plan(models.load("digits-vit"), PruneSpec("out_channel", "lp_norm", "global:sparsity=0.5"))
    zeros = sum(int((~ours.masks[x.parameter]).sum()) for x in ours.layers.prunable if x.parameter in ours.masks)
    assert zeros == ours.n_pruned == 13_824
    assert ours.units == (144, 288)


def test_before_anything_is_asked_the_plan_says_how_much_can_go_at_most() -> None:
    # Of three hidden layers of 96 one neuron stays each: 3 x 95 x (48 + 48) weights.
    assert 3 * 95 * 96 == 27_360
    notes = _notes("digits-vit", "out_channel", "lp_norm", "uniform")
    assert notes[:2] == (
        "At most 27,360 of 55,968 weights (48.9%) can go with channels.",
        "Locked, so not moved: patch.",
    )
    assert "choose heads" in notes[2]
    units = {
        "digits-gru": ("hidden_unit",),
        "digits-resnet": ("out_channel",),
        "digits-vit": ("head", "depth", "layer"),
    }
    for address, unit in ((address, unit) for address, several in units.items() for unit in several):
        most = plan(models.load(address), PruneSpec(unit, "lp_norm", "uniform:sparsity=1.0"))  # type: ignore[arg-type]
        first = next(iter(_notes(address, unit, "lp_norm", "uniform")))
        assert first.startswith(f"At most {most.n_pruned:,} of {most.layers.n_prunable:,} weights"), (address, unit)
