"""The charts of activations draw what was counted."""

from __future__ import annotations

import math

import torch

import explorer as ex
from explorer.analysis.layer_activations.maps import ActivationMaps
from explorer.charts.layer_activations import activation_histogram, activation_maps, channel_ridgeline, ridge_order

HALF = ex.PruneSpec(allocation="global:sparsity=0.9")  # type: ignore[arg-type]


def test_the_histogram_holds_every_value_that_is_not_zero_and_the_legend_the_share_of_those_that_are() -> None:
    layer = ex.activations("digits-mlp", HALF, n_samples=50)["fc1"]
    assert layer.pruned is not None
    for channel in (None, 7):
        dense, pruned = activation_histogram(layer, channel).data
        for trace, spread in ((dense, layer.dense), (pruned, layer.pruned)):
            zeros, n = spread.zeros.sum(), spread.n * spread.n_channels
            if channel is not None:
                zeros, n = spread.zeros[channel], spread.n
            assert sum(trace.y) == n - int(zeros)
            assert f"{100 * float(zeros) / n:.1f}% zero" in trace.name


def test_the_ridges_are_the_channels_with_most_zeros_and_the_rest_is_counted_in_words() -> None:
    layer = ex.activations("digits-mlp", HALF, n_samples=50)["fc1"]
    assert layer.pruned is not None
    order = ridge_order(layer)
    zeros = layer.pruned.zeros.tolist()
    assert len(order) == 24
    assert min(zeros[c] for c in order) >= max(zeros[c] for c in range(256) if c not in order)
    figure = channel_ridgeline(layer)
    assert figure.layout.yaxis.ticktext[0].startswith(f"{order[0]} · ")
    assert "The 24 of 256 channels with most zeros." in figure.layout.annotations[0].text


def test_each_tile_of_the_maps_is_the_map_of_its_channel() -> None:
    values = torch.arange(5 * 2 * 3, dtype=torch.float32).reshape(5, 2, 3)
    trace = activation_maps(ActivationMaps("conv", "relu", 0, values)).data[0]
    at = {
        words: z
        for row, places in zip(trace.z, trace.customdata, strict=True)
        for z, words in zip(row, places, strict=True)
    }
    assert all(
        at[f"channel {c}, {y}, {x}"] == float(values[c, y, x]) for c in range(5) for y in range(2) for x in range(3)
    )
    assert at[""] is None or math.isnan(at[""])
    flat = activation_maps(ActivationMaps("fc", "", 0, torch.tensor([1.0, -2.0]))).data[0]
    assert {w: z for row, p in zip(flat.z, flat.customdata, strict=True) for z, w in zip(row, p, strict=True) if w} == {
        "channel 0": 1.0,
        "channel 1": -2.0,
    }
