"""The process that runs a written ONNX file: ``python -m explorer.models.from_onnx.rerun FOLDER``.

Reads model.onnx, inputs.safetensors and request.json; leaves outputs.safetensors and report.json. It ends with status 0
whether or not that went well.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from explorer.models.from_onnx.judge import Judge

_AT_ONCE = 256


def main(folder: str) -> int:
    """Run what is in the folder."""
    torch.set_num_threads(1)
    place = Path(folder)
    report: dict[str, str] = {}
    try:
        _run(place)
    except Exception as error:  # noqa: BLE001  onnx and its runtime raise anything for what they do not take
        first = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
        report = {"why": f"{type(error).__name__}: {first}."}
    (place / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return 0


def _run(place: Path) -> None:
    import onnx

    request = json.loads((place / "request.json").read_text(encoding="utf-8"))
    onnx.checker.check_model(str(place / "model.onnx"))
    stored = load_file(place / "inputs.safetensors")
    inputs = {name: stored[f"x{i}"] for i, name in enumerate(request["inputs"])}
    judge = Judge(place / "model.onnx", request["output"], request["batch"])
    n = len(next(iter(inputs.values())))
    each = request["batch"] or _AT_ONCE
    each = max(each, each * (_AT_ONCE // each))
    parts = [judge.answers({name: x[i : i + each] for name, x in inputs.items()}) for i in range(0, n, each)]
    save_file({"y": torch.cat(parts).contiguous()}, place / "outputs.safetensors")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
