"""The table of sources in the docs, from what ``benchmarks.doors`` printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SOURCES = {
    "module": "a module at hand",
    "bundled": "a bundled model",
    "own_file": "a file, with its architecture",
    "own_factory": "a factory (`--trust-code`)",
    "hf_folder": "a folder of transformers",
    "timm": "a file, with `timm:`",
    "torchvision": "a file, with `torchvision:`",
    "onnx": "an ONNX file",
}


def table(result: Mapping[str, Any]) -> str:
    """One line of Markdown a source."""
    lines = [
        "| source | parameters | opens in | first estimate | memory | how it runs | reuse |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, row in result["doors"].items():
        name = _SOURCES[key]
        if "not_measured" in row:
            lines.append(f"| {name} | not measured: {row['not_measured']} | | | | | |")
            continue
        seconds = f"{row['seconds_to_open']:.1f} s | {row['seconds_to_first_estimate']:.1f} s"
        cells = f"{row['parameters']:,} | {seconds} | {row['memory_mb']:,} MB | {row['rung']} | {row['reuse']}x"
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)
