"""The activations of a layer on the Weights page, as a visitor finds them; run without a browser."""

from __future__ import annotations

from typing import Any

import explorer as ex
from explorer.tasks.layer_activations import LayerActivationsRequest
from explorer.text.numbers import percent
from tests.ui.pages import Open, html, jobs_of, link, rows_of, spoken

HALF = ex.PruneSpec(allocation="global:sparsity=0.5")  # type: ignore[arg-type]


def test_the_page_counts_what_python_counts_and_shows_maps_and_the_pictures_that_excite_a_channel(
    visit: Open, downloads: dict[str, Any]
) -> None:
    at = visit("weights", model="digits-cnn", spec=link(allocation="global:sparsity=0.5"))
    assert jobs_of(LayerActivationsRequest) == []  # nothing runs before it is asked for
    at.toggle(key="activations_shown").set_value(True).run()
    (job,) = jobs_of(LayerActivationsRequest)
    assert job.wait(120)
    at.run()
    assert not at.exception
    counted = ex.activations("digits-cnn", HALF)["block1.conv1"]
    assert counted.pruned is not None
    shares = [f"**{percent(spread.zero_share)}**" for spread in (counted.dense, counted.pruned)]
    assert f"Zero: dense {shares[0]}, pruned {shares[1]}." in spoken(at)
    assert "first 256 samples of the fit split, after relu" in spoken(at)
    at.selectbox(key="activation_channel").select("5").run()
    page = html(at)
    assert all(f"sample {sample}" in page for sample in counted.dense.samples[5].tolist())
    assert "With the present setting" in spoken(at)
    rows = rows_of(downloads["All channels"]())
    assert rows[5]["dense_zeros"] == str(int(counted.dense.zeros[5]))


def test_a_layer_whose_outputs_are_not_seen_says_why(visit: Open) -> None:
    at = visit("weights", model="digits-gru")
    at.toggle(key="activations_shown").set_value(True).run()
    (job,) = jobs_of(LayerActivationsRequest)
    assert job.wait(120)
    assert "none of its outputs are seen" in spoken(at.run())
