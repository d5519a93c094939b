"""File names say what is in the file."""

from __future__ import annotations

import re

import explorer as ex
from explorer.export.naming import export_name


def test_a_file_name_holds_model_units_criterion_allocation_share_and_contents() -> None:
    spec = ex.PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.5")

    assert export_name("runs/net.v2.pt", "pruned", settings=[spec], share=0.4772) == (
        "net-v2-out_channel-lp_norm-p-1-uniform-47-7pct-pruned"
    )


def test_settings_that_are_compared_name_each_part_once() -> None:
    methods = [ex.PruneSpec(criterion=key, allocation=a) for key in ("lp_norm", "taylor") for a in ("global", "erk")]

    assert (
        export_name("digits-mlp", "tradeoff", settings=methods)
        == "digits-mlp-weight-lp_norm-taylor-global-erk-tradeoff"
    )


def test_a_file_name_is_safe_and_short_whatever_the_model_is_called() -> None:
    name = export_name("../../%s\x00/" + "x" * 500 + "; rm -rf", "one shot, 80%: 2 × 3 epochs", "recovered")

    assert re.fullmatch(r"[\w-]{1,150}", name)
    assert name.endswith("-one-shot-80-2-3-epochs-recovered")
