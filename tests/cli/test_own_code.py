"""The user's own code on the command line: its prints stay out of the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SOURCE = """
import os, subprocess
import torch
print("imported")
class Talks(torch.nn.Module):
    input_shape = (4,)
    def __init__(self):
        super().__init__()
        self.out = torch.nn.Linear(4, 2)
        os.system("echo from below")
    def forward(self, x):
        print("forward")
        return self.out(x)
"""


def test_standard_output_holds_one_json_object_whatever_the_code_prints(tmp_path: Path) -> None:
    (tmp_path / "talking.py").write_text(SOURCE)
    command = ["evaluate", "talking:Talks", "--trust-code", "--data", "none", "--sparsity", "0.5", "--json"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    ended = subprocess.run(
        [sys.executable, "-m", "explorer", *command, "--code-timeout", "300"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["metrics"]["agreement"]["n"] == 512
    for line in ("imported", "from below", "forward"):
        assert line in ended.stderr
