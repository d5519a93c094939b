"""Commands for many machines: what a cluster is asked for, and what a shared folder holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from explorer.cli import main
from explorer.engine.backends.base import Piece, PieceJob
from explorer.engine.backends.queue import JobFolder, Queue
from tests.cli.asked import Capture, refusal, result

ABOUT = {"kind": "scan"}
PIECES = [Piece.of(ABOUT, {"number": n}) for n in range(3)]


def put(folder: Path) -> JobFolder:
    return Queue(folder).put(PIECES, PieceJob("sensitivity of mine", ABOUT, lambda pieces: iter(())))


def test_the_script_for_slurm_is_one_that_a_shell_can_read(capsys: Capture, tmp_path: Path) -> None:
    asked = ("--slurm", "--array", "16", "--cpus", "2", "--gpus", "1", "--time", "1-00:00:00", "--partition", "gpu,big")
    answer = result(capsys, "submit", str(tmp_path / "a folder"), *asked, "--write-only")
    script = Path(answer["script"])
    assert answer["submitted"] is False
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    directives = ("array=0-15", "cpus-per-task=2", "gpus-per-task=1", "time=1-00:00:00", "partition=gpu,big")
    assert {f"#SBATCH --{directive}" for directive in directives} <= set(lines)
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {lines[-1].removeprefix('exec ')}"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert words[1:5] == ["-m", "explorer", "worker", str(tmp_path / "a folder")]


def test_the_script_is_submitted_where_sbatch_is(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = tmp_path / "sbatch"
    sbatch.write_text('#!/bin/sh\necho "Submitted batch job 7 of $1"\n')
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    answer = result(capsys, "submit", str(tmp_path / "shared"), "--slurm", "--array", "2")
    assert answer["answer"] == f"Submitted batch job 7 of {answer['script']}."
    sbatch.write_text("#!/bin/sh\necho no such partition >&2\nexit 1\n")
    assert "sbatch refused the script. no such partition" in refusal(
        capsys, "submit", str(tmp_path / "shared"), "--slurm", "--array", "2"
    )


def test_what_would_change_the_script_is_refused(capsys: Capture, tmp_path: Path) -> None:
    for flag, text in (("--time", "1\n#SBATCH --x"), ("--partition", "a b"), ("--array", "0"), ("--time", "soon")):
        asked = ["submit", str(tmp_path / "shared"), "--slurm", "--array", "2", flag, text]
        assert refusal(capsys, *asked)
    assert refusal(capsys, "submit", f"{tmp_path}/a\nb", "--slurm", "--array", "2")
    assert not (tmp_path / "shared").exists()


def test_jobs_of_a_folder_are_listed_cancelled_and_removed(capsys: Capture, tmp_path: Path) -> None:
    job = put(tmp_path)
    for number in (1, 2, 3):
        job.claim(PIECES[0].key, number, {})
        job.end(PIECES[0].key, number, "failed", "It is too hot.")
    claim = job.claim(PIECES[1].key, 1, {})
    assert claim is not None
    row = result(capsys, "jobs", str(tmp_path))["jobs"][0]
    assert row["state"] == "running"
    assert (row["pieces"], row["done"], row["under_way"], row["set_aside"]) == (3, 0, 1, 1)
    job.finish(claim, [], {})
    assert main(["jobs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "sensitivity of mine" in out
    assert "1 of 3" in out
    assert "It is too hot." in out
    assert "is not over" in refusal(capsys, "jobs", str(tmp_path), "remove", job.name[:6])
    assert result(capsys, "jobs", str(tmp_path), "cancel", job.name[:6])["jobs"][0]["state"] == "cancelled"
    assert job.is_marked("cancelled")
    assert result(capsys, "jobs", str(tmp_path), "remove", job.name[:6])["jobs"] == []
    assert not job.path.exists()


def test_a_folder_or_a_job_that_is_not_there_is_refused(capsys: Capture, tmp_path: Path) -> None:
    assert "There is no such folder" in refusal(capsys, "worker", str(tmp_path / "none"))
    assert "There is no folder" in refusal(capsys, "jobs", str(tmp_path / "none"))
    assert "No job begins with" in refusal(capsys, "jobs", str(tmp_path), "cancel", "x")
    assert "No job was named" in refusal(capsys, "jobs", str(tmp_path), "cancel")
    assert "There is no back end" in refusal(capsys, "scan", "digits-mlp", "--backend", "cloud")
