"""The figure of the methods benchmark, from its own JSON: one panel a model and way, one line a criterion.

python -m benchmarks._methods_figure METHODS.json PATH.png
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

_WAYS = ("one_shot", "refreshed", "finetuned", "iterative", "distilled")
_TITLES = {"one_shot": "as pruned", "refreshed": "batch norm refreshed", "finetuned": "fine-tuned"}
_GREY = {"random": ("#a3a7b3", "--"), "lp_norm": ("#5b6270", "-")}
_HUES = ("#4f56c8", "#1b9e9a", "#b8558b", "#3b9bdc", "#8a6a16", "#c2500a", "#7a9e1b", "#8d5ac4", "#1668a8", "#b4873b",
         "#d0679d", "#4a7a6a")  # fmt: skip


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Write the figure (the ending of ``path`` says which kind of picture), on white."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [r for r in found["rows"] if r["unit"] == "weight" and r["way"] in _WAYS]
    models = list(found["dense"])
    ticks = sorted({r["ratio"] for r in rows})
    keys = [k for k in dict.fromkeys(r["criterion"] for r in rows) if k not in _GREY]
    figure, axes = plt.subplots(
        len(models), len(_WAYS), figsize=(13, 2.5 * len(models) + 0.6), sharex=True, sharey=True, squeeze=False
    )
    for i, model in enumerate(models):
        for j, way in enumerate(_WAYS):
            shown = [r for r in rows if r["model"] == model and r["way"] == way]
            _panel(axes[i][j], shown, keys, found["dense"][model], ticks)
            if i == 0:
                axes[i][j].set_title(_TITLES.get(way, way), fontsize=10)
        axes[i][0].set_ylabel(f"{model}\ntest accuracy, %", fontsize=9)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=8, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _panel(axes: Any, rows: list[Mapping[str, Any]], keys: list[str], dense: float, ticks: list[float]) -> None:
    for key in ("random", "lp_norm", *keys):
        mine = [r for r in rows if r["criterion"] == key]
        ratios = sorted({r["ratio"] for r in mine})
        if not ratios:
            continue
        by = [[100 * r["test_accuracy"] for r in mine if r["ratio"] == ratio] for ratio in ratios]
        colour, dash = _GREY.get(key) or (_HUES[keys.index(key) % len(_HUES)], "-")
        width = 2.0 if key in _GREY else 1.3
        axes.plot(ratios, [fmean(v) for v in by], dash, color=colour, linewidth=width, label=key, marker=".")
        axes.fill_between(ratios, [min(v) for v in by], [max(v) for v in by], color=colour, alpha=0.12, linewidth=0)
    axes.axhline(100 * dense, color="#1668a8", linewidth=0.8, linestyle=":")
    axes.set_xscale("log", base=2)
    if not rows:
        axes.text(0.5, 0.5, "no batch norm", transform=axes.transAxes, ha="center", fontsize=9, color="#6b7280")
    axes.set_xticks(ticks, [f"{t:g}x" for t in ticks], fontsize=8)
    axes.tick_params(axis="y", labelsize=8)
    axes.grid(color="#e4e5ea", linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
