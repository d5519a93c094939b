"""The quantize page without a browser: what it says before, during and after, and where something is not possible."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.export.onnx_process import why_no_onnx
from explorer.pruning.spec import PruneSpec
from explorer.ui.shell import cache
from explorer.workbench.links import encode
from tests.ui.pages import VISITOR, Open, rows_of, spoken


def pressed(at: AppTest, key: str) -> AppTest:
    """The page after a button, once everything that it began has ended."""
    next(b for b in at.button if b.key == key).click().run()
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), f"{job.title} did not end"
    return at.run()


def test_before_anything_is_measured_the_page_says_what_would_be(visit: Open) -> None:
    at = visit("quantize", model="digits-mlp")
    assert not at.exception
    said = spoken(at)
    assert "each share pruned, in float32 and in 8-bit integers" in said
    assert "values near zero are left out" in said
    assert "Measures prune, quantize; quantize, prune; and prune, tune, quantize" in said


def test_a_file_without_an_architecture_has_no_grid(visit: Open, own_file: str) -> None:
    at = visit("quantize", model=own_file)
    assert not at.exception
    assert "No grid without a measurement" in spoken(at)
    assert not [b for b in at.button if b.key == "grid_start"]


def test_a_measured_grid_is_a_table_files_and_kept_points(visit: Open, downloads: dict[str, Any]) -> None:
    at = visit("quantize", model="digits-mlp")
    at.selectbox(key="grid_bits").set_value(4).run()
    pressed(at, "grid_start")
    assert not at.exception
    assert "8 points measured." in spoken(at)
    rows = rows_of(downloads["CSV"])
    assert [(r["asked"], r["format"], r["bits"]) for r in rows[:2]] == [("0.0", "float32", "32"), ("0.0", "int8", "4")]
    assert len(json.loads(downloads["JSON"])) == len(rows) == 8
    assert "True" in {r["on_front"] for r in rows}
    kinds = [record.kind for record in cache.store().points(limit=100)]
    assert kinds.count("quantize") == 8


def test_a_grid_of_whole_channels_counts_removed_units(visit: Open, downloads: dict[str, Any]) -> None:
    at = visit("quantize", model="digits-mlp", spec=encode(PruneSpec("out_channel")))
    pressed(at, "grid_start")
    assert not at.exception
    assert {row["size"]["name"] for row in json.loads(downloads["JSON"])} >= {"removed", "int8_removed"}


def test_the_orders_end_in_one_advice(visit: Open) -> None:
    at = pressed(visit("quantize", model="digits-mlp"), "order")
    assert not at.exception
    assert "measured on the same 450 samples: prune, quantize" in spoken(at).replace("\\", "")


def test_skipped_activations_end_in_a_sentence_also_of_the_pruned_network(visit: Open) -> None:
    at = visit("quantize", model="digits-mlp", spec=encode(PruneSpec("weight", "lp_norm", "global:sparsity=0.5")))
    pressed(at, "skip_start")
    assert "50.3% are zero anyway." in spoken(at)
    at.toggle(key="skip_pruned").set_value(True).run()
    pressed(at, "skip_start")
    assert not at.exception
    assert "50.3% are zero anyway." not in spoken(at)
    assert "are zero anyway." in spoken(at)


def test_without_data_to_train_on_nothing_is_tuned_and_the_page_says_why(visit: Open) -> None:
    at = visit("quantize", model="digits-mlp", data="none")
    assert not at.exception
    assert spoken(at).replace("\\", "").count("Recovery needs real data.") == 2
    assert not [b for b in at.button if b.key == "order"]
    pressed(at, "grid_start")
    assert "8 points measured." in spoken(at)


@pytest.mark.skipif(why_no_onnx() is not None, reason="onnx is not installed")
def test_what_onnx_runtime_cannot_quantize_says_so_beside_the_points_that_there_are(visit: Open) -> None:
    at = visit("quantize", model="digits-gru")
    at.toggle(key="grid_runtime").set_value(True).run()
    pressed(at, "grid_start")
    assert not at.exception
    said = spoken(at).replace("\\", "")
    assert "16 points measured." in said
    assert "ONNX Runtime has no static int8 form of GRU: 98.4% of the weights would stay float." in said


def test_the_switch_on_explore_measures_the_setting_in_whole_numbers(visit: Open) -> None:
    at = visit(model="digits-mlp", spec=encode(PruneSpec("weight", "lp_norm", "global:sparsity=0.5")))
    at.toggle(key="int8_on").set_value(True).run()
    for _ in range(20):
        if "8-bit weights" in spoken(at) and "measured on 450" in spoken(at):
            break
        at.run()
    assert not at.exception
    said = spoken(at)
    assert "**97.8%**" in said
    assert "**35.8 kB**" in said


@pytest.mark.slow
@pytest.mark.skipif(why_no_onnx() is not None, reason="onnx is not installed")
def test_the_setting_on_explore_can_be_taken_away_as_a_real_int8_file(visit: Open, downloads: dict[str, Any]) -> None:
    at = visit(model="digits-mlp", spec=encode(PruneSpec("weight", "lp_norm", "global:sparsity=0.5")))
    at.toggle(key="int8_on").set_value(True).run()
    assert not at.exception
    assert 50_000 < len(downloads["int8, static"]()) < 70_000
    at = visit(model="digits-gru")
    at.toggle(key="int8_on").set_value(True).run()
    assert "no static int8 form of GRU" in spoken(at)


def test_a_language_model_shows_its_memory_when_served_and_others_do_not(visit: Open) -> None:
    at = visit("quantize", model="topics-gpt")
    assert not at.exception
    (table,) = [frame.value for frame in at.dataframe if "cache" in frame.value.columns]
    assert list(table["bits"]) == ["32", "8", "4"]
    assert set(table["cache"]) == {"8.39 MB"}  # 4,096 tokens of 1,024 numbers of 16 bits
    at.selectbox(key="serving_batch").set_value(16).run()
    (table,) = [frame.value for frame in at.dataframe if "cache" in frame.value.columns]
    assert set(table["cache"]) == {"134 MB"}
    assert "Memory when served" not in [header.value for header in visit("quantize", model="digits-mlp").header]
