"""The figure of the README, drawn from what ``benchmarks.scan`` printed.

python -m benchmarks.scan > scan.json && python -m benchmarks._figure scan.json docs/scan.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

INK = "#7d8590"  # reads on white and on black
COLOURS = {"exact": "#3b82c4", "verified": "#2a9d8f", "estimate": "#d98032"}
NAMES = {"resnet20": "ResNet-20, CIFAR-10", "digits-cnn": "digits-cnn, digits"}
Bar = tuple[str, str, float, str]  # model, mode, ratio, what stands beside it


def draw(result: Mapping[str, Any], path: Path) -> None:
    """One bar a model and mode: how many times less processor time than Distiller's loop took; svg or png."""
    bars = list(_bars(result))
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "scan", "font.family": "sans-serif", "font.size": 10}):
        figure = Figure(figsize=(7.6, 0.55 + 0.36 * len(bars)), layout="constrained")
        axes = figure.subplots()
        most = max(ratio for _, _, ratio, _ in bars)
        for place, (_, mode, ratio, beside) in enumerate(bars):
            axes.barh(place, ratio, height=0.62, color=COLOURS[mode])
            axes.text(ratio + most / 100, place, beside, va="center", color=INK, fontsize=9)
        axes.axvline(1, color=INK, linewidth=1, linestyle=(0, (3, 3)))
        axes.set_yticks(range(len(bars)), [f"{model}: {mode}" for model, mode, _, _ in bars])
        axes.invert_yaxis()
        axes.set_xlim(0, 2.1 * most)
        axes.set_xlabel("times less processor time than Distiller's loop (dashed: as much)", color=INK)
        axes.tick_params(colors=INK, length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(f"{result['machine']}, {result['date']}", color=INK, fontsize=8, loc="left")
        figure.savefig(path, transparent=True, dpi=160, metadata={"Date": None} if path.suffix == ".svg" else None)


def _bars(result: Mapping[str, Any]) -> Iterator[Bar]:
    for name, ratios in sorted(result["ratios"].items(), reverse=True):
        for mode, ratio in ratios.items():
            yield NAMES.get(name, name), mode, ratio, f"{ratio:.1f}x  {_said(result['models'][name], mode)}"


def _said(found: Mapping[str, Any], mode: str) -> str:
    if mode == "estimate":
        part = found["estimate"]
        return f"±1 point, {part['coverage']:.1%} of {part['cells']:,} intervals hold"
    part = found["equality"][mode]
    return f"{part['equal']} of {part['of']} cells as in the loop"


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
