"""A slim model run where nothing of this project is: a fresh, isolated Python with torch and safetensors.

The few lines that rebuild it are :data:`SNIPPET`; they are the ones that ``slim`` shows.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.types.files.reading.scratch import scratch
from explorer.types.stopping import POLL, check

SNIPPET = """\
import json, pydoc, torch
from safetensors.torch import load_file

arch, tensors = json.load(open("OUT.arch.json")), load_file("OUT.safetensors")
tensors |= {name: tensors[first] for name, first in arch["tied"].items()}
layers = {path: getattr(torch.nn, made["type"])(**made["args"]).eval() for path, made in arch["layers"].items()}
for path, layer in layers.items():
    layer.load_state_dict({n[len(path) + 1 :]: t for n, t in tensors.items() if n.startswith(path + ".")})
kinds = {"node": lambda n: env[n], "tuple": tuple, "dict": dict, "slice": lambda ends: slice(*ends), "float": float,
         "torch": lambda n: getattr(torch, n), "device": torch.device, "ellipsis": lambda _: ...}
env = {s["name"]: tensors[s["target"]] for s in arch["steps"] if s["op"] == "tensor"}

def value(v):
    v = [value(item) for item in v] if isinstance(v, list) else v
    return next(kinds[kind](value(of)) for kind, of in v.items()) if isinstance(v, dict) else v

def model(*inputs):
    env.update(zip([s["name"] for s in arch["steps"] if s["op"] == "input"], inputs))
    for s in (s for s in arch["steps"] if s["op"] in ("layer", "call")):
        made_by = layers[s["target"]] if s["op"] == "layer" else pydoc.locate(s["target"])
        env[s["name"]] = made_by(*value(s["args"]), **{name: value(v) for name, v in s["kwargs"].items()})
    return value(arch["output"])
"""

_HARNESS = """
from safetensors.torch import save_file

def leaves(v):
    if isinstance(v, torch.Tensor):
        return [v]
    inner = list(v.values()) if isinstance(v, dict) else v if isinstance(v, (tuple, list)) else []
    return [leaf for item in inner for leaf in leaves(item)]

torch.set_grad_enabled(False)
torch.set_num_threads(1)
inputs, found = load_file("inputs.safetensors"), []
given = [inputs[name] for name in sorted(inputs)]
for start in range(0, len(given[0]), 256):
    found += leaves(model(*(x[start : start + 256] for x in given)))
save_file({f"{i:06d}": t.contiguous().clone() for i, t in enumerate(found)}, "outputs.safetensors")
"""

# All that a Python with torch needs: nothing of the user's settings reaches the clean process.
_PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV")
_SECONDS = 300.0


def run_clean(weights: bytes, arch: str, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The outputs of a slim model for a batch of inputs, 256 at a time, every tensor of each output in order.

    The process has an empty folder of its own and starts with ``python -I``. ExplorerError with the
    last line it said when it fails.
    """
    with scratch() as folder:
        (folder / "OUT.safetensors").write_bytes(weights)
        (folder / "OUT.arch.json").write_text(arch, encoding="utf-8")
        (folder / "run.py").write_text(SNIPPET + _HARNESS, encoding="utf-8")
        save_file({f"x{i}": x.contiguous() for i, x in enumerate(inputs)}, folder / "inputs.safetensors")
        ended = in_folder([sys.executable, "-I", "run.py"], folder, {})
        try:
            outputs = load((folder / "outputs.safetensors").read_bytes())
        except (OSError, SafetensorError):
            logging.getLogger(__name__).exception("The slim model does not run in a clean process: %s", ended)
            last_line = (ended.strip().splitlines() or ["it ended without a word"])[-1][:200]
            why = f"In a clean process it does not run: {last_line.rstrip('.')}."
            raise ExplorerError("The slim model was not written.", why=why, fix="Keep the masked form.") from None
    return [outputs[name] for name in sorted(outputs)]


def in_folder(command: Sequence[str], folder: Path, more: Mapping[str, str]) -> str:
    """Run a process of ours with little around it; what it said on standard error."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "TMPDIR": str(folder), "TEMP": str(folder), "HOME": str(folder), **more}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            last_words = _last_words(process)
        except BaseException:  # whoever stops us stops it as well
            process.kill()
            raise
    if last_words is None:
        return f"it took longer than {_SECONDS:.0f} s"
    return last_words if last_words.strip() or process.returncode == 0 else f"it ended with status {process.returncode}"


def _last_words(process: subprocess.Popen[bytes]) -> str | None:
    """All that it says on standard error until it ends; None, and it is gone, where it takes too long."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        check()
        try:
            return process.communicate(timeout=POLL)[1].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    return None
