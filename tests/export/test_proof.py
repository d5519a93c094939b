"""The proof turns red when it should, and red means that there is no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, fx

from explorer import models
from explorer.errors import ExplorerError
from explorer.export import onnx_process as onnx_module
from explorer.export import proof as proof_module
from explorer.export.onnx_model import write_onnx
from explorer.export.proof import prove
from explorer.export.slim import proven, slim_file, write_slim
from explorer.pruning.plan import plan
from explorer.pruning.slicing import sliced
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Plan
from tests.export.made import CHANNELS

ROOT = Path(__file__).resolve().parents[2]
HALF = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")


def resnet() -> tuple[LoadedModel, Plan]:
    model = models.load("digits-resnet")
    return model, plan(model, CHANNELS)


@pytest.mark.slow
def test_a_smaller_network_that_computes_something_else_is_red_and_no_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(model: LoadedModel, ours: Plan) -> Any:
        pruned = sliced(model, ours)
        with torch.no_grad():
            pruned.module.get_parameter("head.fc.weight").mul_(1.01)
        return pruned

    monkeypatch.setattr("explorer.export.slim.sliced", wrong)
    model, ours = resnet()
    with pytest.raises(ExplorerError, match="could not be proven.*does not answer like the masked one"):
        write_slim(model, ours, tmp_path / "out.safetensors")
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_a_file_that_answers_differently_when_reopened_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    real = proof_module.run_clean

    def lossy(*args: Any) -> list[Tensor]:
        return [y.roll(1, dims=1) for y in real(*args)]

    monkeypatch.setattr(proof_module, "run_clean", lossy)
    model, ours = resnet()
    with pytest.raises(ExplorerError, match="reopened in a clean process it does not answer"):
        slim_file(model, ours)


@pytest.mark.slow
def test_a_description_that_does_not_run_is_red_and_says_why() -> None:
    model, ours = resnet()
    made = proven(model, ours)
    steps = [s for s in made.document["steps"] if s["target"] != "head.fc"]
    assert isinstance(made.module, fx.GraphModule)
    proof = prove(model, ours, made.module, {**made.document, "steps": steps}, made.tensors)
    assert proof.failed is not None
    assert proof.failed.name == "same_outputs_reopened"
    assert "KeyError" in proof.failed.sentence


def test_without_onnx_the_rest_is_proven_and_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(onnx_module, "_NEEDED", {"no_such_onnx": "x"})
    model, ours = resnet()
    made = proven(model, ours)
    assert made.proof.ok
    assert made.proof.checks[-1].ok is None
    assert "not installed" in made.proof.checks[-1].sentence
    with pytest.raises(ExplorerError, match="requirements-export"):
        write_onnx(model, plan(model, HALF), tmp_path / "o.onnx")
    assert os.listdir(tmp_path) == []


WRITE = """
    import sys, time, torch
    from pathlib import Path
    from explorer import models
    from explorer.export import files, slim
    from explorer.pruning.plan import plan
    from explorer.pruning.spec import PruneSpec
    import explorer.export.proof as proof
    from explorer.errors import Refusal
    proof.run_clean = lambda weights, arch, inputs: [slim_out(inputs)]
    proof.why_no_onnx = lambda: Refusal("not now.")
    model = models.load("digits-mlp")
    ours = plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))
    small = slim.sliced(model, ours).module
    def slim_out(inputs):
        return small(inputs[0])
"""


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", textwrap.dedent(WRITE) + textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_leaves_the_old_files_and_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("old")
    (tmp_path / "out.arch.json").write_text("old too")
    code = """
        import resource
        from explorer.errors import ExplorerError
        made = slim.proven(model, ours)
        content = slim.packed(model, ours, made)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            files.put({Path(sys.argv[1]): content, Path(sys.argv[1]).with_suffix(".arch.json"): b"{}"})
        except ExplorerError as error:
            sys.exit(str(error))
    """
    said, error = (process := started(code, str(out))).communicate(timeout=300)
    assert process.returncode == 1, said
    assert error.startswith(f"{out} could not be written. ")
    assert "Traceback" not in error
    assert (out.read_text(), (tmp_path / "out.arch.json").read_text()) == ("old", "old too")
    assert sorted(os.listdir(tmp_path)) == ["out.arch.json", "out.safetensors"]


def test_a_kill_in_the_middle_of_writing_leaves_the_old_files(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("old")
    code = """
        real = Path.read_bytes
        def slow(path):
            if path.name.endswith(".part"):
                print("writing", flush=True)
                time.sleep(60)
            return real(path)
        Path.read_bytes = slow
        slim.write_slim(model, ours, sys.argv[1], force=True)
    """
    process = started(code, str(out))
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=300)
    assert out.read_text() == "old"
    assert not (tmp_path / "out.arch.json").exists()
