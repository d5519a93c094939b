"""A disk that takes no more, wherever something is written: a sentence, and what was there before stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

import explorer as ex
from explorer import export, models
from explorer.cli import REFUSED, main
from explorer.store.visits import Visit

resource = pytest.importorskip("resource", reason="limits on files exist on POSIX only")
PLENTY = {"most_each": 10**9, "most": 10**9}


@contextmanager
def full_after(n_bytes: int) -> Iterator[None]:
    """Within it no file grows beyond that size, in this process and those it starts."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_every_form_of_export_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    model = ex.load("digits-mlp")
    weights, channels = (
        ex.plan(model, ex.PruneSpec(granularity, "lp_norm", "uniform:sparsity=0.5"))
        for granularity in ("weight", "out_channel")
    )
    split = ex.load_data("digits", model=model).splits["tune"]
    forms: dict[str, Callable[[Path], object]] = {
        "weights.safetensors": lambda path: export.write_pruned(model, weights, path, force=True),
        "bitmask.safetensors": lambda path: export.write_bitmask(model, weights, path, force=True),
        "slim.safetensors": lambda path: export.write_slim(model, channels, path, split=split, force=True),
        "model.onnx": lambda path: export.write_onnx(model, weights, path, force=True),
        "script.py": lambda path: export.write_script(model, weights, path, force=True),
        "spec.json": lambda path: export.write_spec(model, weights, path, force=True),
    }
    for name, write in forms.items():
        folder = tmp_path / name
        folder.mkdir()
        target = folder / name
        target.write_text("old")
        with full_after(100), pytest.raises(ex.ExplorerError, match="could not be written"):
            write(target)
        assert (os.listdir(folder), target.read_text()) == ([name], "old"), name
        write(target)
        assert target.stat().st_size > 100, name


def test_an_upload_is_refused_in_a_sentence_and_the_next_one_opens() -> None:
    content = Path("sample_models/digits-mlp.safetensors").read_bytes()
    with full_after(10_000), pytest.raises(ex.ExplorerError, match="Temporary files could not be written"):
        models.open_upload(content, "w.safetensors")
    assert models.open_upload(content, "w.safetensors", arch="digits-mlp").module is not None


def test_what_is_saved_by_itself_stays_as_it_was_and_is_saved_again_later(tmp_path: Path) -> None:
    ann, content = Visit(tmp_path / "visits", "ann"), Random(0).randbytes(50_000)
    ann.write_history("1", "before")
    stored = ann.store("w.pt", content, None, **PLENTY)
    with full_after(1000):
        for write in (
            lambda: ann.write_history("1", "x" * 5000),
            lambda: ann.store("other.pt", content + b"more", None, **PLENTY),
        ):
            with pytest.raises(ex.ExplorerError, match="could not be written"):
                write()
        assert ann.store("w.pt", content, None, **PLENTY) == stored  # it is there already
    assert (ann.read(stored.digest), list(ann.histories())) == (content, ["before"])
    assert ann.files() == [stored]
    ann.write_history("1", "x" * 5000)
    assert list(ann.histories()) == ["x" * 5000]


def test_commands_measure_all_the_same_and_say_what_was_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "data"))
    command = ["evaluate", "digits-mlp", "--sparsity", "0.5", "--json"]
    assert main(command) == 0
    whole = capsys.readouterr().out
    for name in ("runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    with full_after(1000):
        status = main(command)
    out, err = capsys.readouterr()
    assert (status, out) == (0, whole)
    assert "not recorded" in err or "could not be" in err, err
    with full_after(1000):
        assert main(["scan", "digits-mlp", "--levels", "0.5", "--csv", str(tmp_path / "c.csv")]) in (0, REFUSED)
    assert "Traceback" not in capsys.readouterr().err
