"""A killed run goes on to the same bits; what is damaged is not believed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explorer.recovery.checkpoints import Checkpoints, make_room, progress_from, progress_json
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import Recovered, RecoveryProgress
from explorer.recovery.steps import Finetune, Gradual, Prune
from explorer.types import Measurement
from tests.recovery.tiny import flowers, half, two

ROOT = Path(__file__).resolve().parents[2]
LONG = Recipe(
    (
        Prune(half(0.5)),
        Finetune(epochs=6, batch_size=64, learning_rate=2e-3, shift=1.0),
        Gradual(epochs=12, batch_size=64, learning_rate=2e-3, shift=1.0, spec=half(0.9)),
    ),
    seed=3,
)
WORK = """
import sys
from explorer.recovery.recipe import recover
for told in recover("digits-mlp", sys.argv[1], "digits", checkpoints=sys.argv[2]):
    sys.stdout.write(f"{told.key} {told.epoch}\\n")
    sys.stdout.flush()
"""


def ended(recipe: Recipe, folder: Path | None = None) -> tuple[Recovered, list[RecoveryProgress]]:
    told = list(recover("digits-mlp", recipe, "digits", checkpoints=folder))
    assert told[-1].recovered is not None
    return told[-1].recovered, [p for p in told if p.complete]


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[Recovered, list[RecoveryProgress]]:
    return ended(LONG)


@pytest.mark.parametrize(
    "at", ["gradual 3", *(pytest.param(at, marks=pytest.mark.slow) for at in ("finetune 4", "gradual 10"))]
)
def test_a_run_that_was_killed_goes_on_to_the_same_bits(
    at: str, uninterrupted: tuple[Recovered, list[RecoveryProgress]], tmp_path: Path
) -> None:
    import json

    command = [sys.executable, "-c", WORK, json.dumps(LONG.to_json()), str(tmp_path)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert child.stdout is not None
    seen = next((line for line in child.stdout if line.strip() == at), None)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert seen is not None
    began = time.process_time()
    found, told = ended(LONG, tmp_path)
    assert time.process_time() > began
    whole, story = uninterrupted
    assert told == story
    assert found.model.digest == whole.model.digest
    assert found.state.mask_digest == whole.state.mask_digest
    assert found.tuned == whole.tuned
    assert dict(found.protocol) == dict(whole.protocol)


def test_what_was_finished_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.recovery.training import Trainer

    first, story = ended(LONG, tmp_path)

    def never(self: Trainer) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(Trainer, "run_epoch", never)
    again, told = ended(LONG, tmp_path)
    assert told == story
    assert again.model.digest == first.model.digest


def test_each_recipe_model_and_data_set_has_a_folder_of_its_own(tmp_path: Path) -> None:
    short = Recipe((Finetune(epochs=1, batch_size=16),))
    for recipe, n in ((short, 60), (Recipe(short.steps, seed=1), 60), (short, 30)):
        list(recover(two(), recipe, flowers(n), checkpoints=tmp_path))
    folders = sorted(p for p in tmp_path.iterdir())
    assert len(folders) == 3
    assert all({p.name for p in f.iterdir()} == {"about.json", "000-finetune.safetensors"} for f in folders)


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "text"])
def test_a_damaged_checkpoint_is_not_believed(harm: str, tmp_path: Path) -> None:
    recipe = Recipe((Finetune(epochs=2, batch_size=16),))
    *_, first = recover(two(), recipe, flowers(), checkpoints=tmp_path)
    file = next(tmp_path.rglob("*.safetensors"))
    content = bytearray(file.read_bytes())
    if harm == "flip":
        content[-5] ^= 1
    file.write_bytes({"cut": content[:-40], "flip": content, "empty": b"", "text": b"hello" * 99}[harm])
    folder = Checkpoints(file.parent)
    assert folder.load(file.stem) is None
    *_, again = recover(two(), recipe, flowers(), checkpoints=tmp_path)
    assert again.recovered is not None
    assert first.recovered is not None
    assert again.recovered.model.digest == first.recovered.model.digest
    assert folder.load(file.stem) is not None


def test_a_checkpoint_of_another_beginning_is_not_gone_on_from(tmp_path: Path) -> None:
    recipe = Recipe((Prune(half(0.5)), Finetune(epochs=1, batch_size=16)))
    *_, first = recover(two(), recipe, flowers(), checkpoints=tmp_path)
    file = next(tmp_path.rglob("*.safetensors"))
    saved = Checkpoints(file.parent).load(file.stem)
    assert saved is not None
    Checkpoints(file.parent).save(file.stem, saved.tensors, {**saved.about, "start": "elsewhere"})
    *_, again = recover(two(), recipe, flowers(), checkpoints=tmp_path)
    assert again == first


def test_a_line_of_the_story_comes_back_from_its_json() -> None:
    accuracy = Measurement("accuracy", 0.5, "fraction", "measured", 0.4, 0.6, 100)
    told = RecoveryProgress(
        1, "finetune", 3, 2, 5, 0.4, 0.1, 1e-3, accuracy, None, accuracy, 0.8, 0, "abc", notes=("x",)
    )
    assert progress_from(progress_json(told)) == told


def test_nothing_is_written_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    list(recover(two(), Recipe((Finetune(epochs=1, batch_size=16),)), flowers()))
    assert list(tmp_path.iterdir()) == []


def left_behind(root: Path, name: str, days: float, n_bytes: int = 1000) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "about.json").write_text("{}")
    (folder / "000-finetune.safetensors").write_bytes(b"0" * n_bytes)
    moment = time.time() - days * 86_400
    for file in folder.iterdir():
        os.utime(file, (moment, moment))
    return folder


def test_what_was_left_longest_makes_room_and_what_may_still_run_stays(tmp_path: Path) -> None:
    old, older, fresh = (
        left_behind(tmp_path, name, days) for name, days in (("a" * 16, 2), ("b" * 16, 9), ("c" * 16, 0.1))
    )
    assert make_room(tmp_path, most=3 * 1002) == 0
    assert make_room(tmp_path, most=2 * 1002) == 1002
    assert (old.is_dir(), older.is_dir(), fresh.is_dir()) == (True, False, True)
    assert make_room(tmp_path, most=0) == 1002
    assert (old.is_dir(), fresh.is_dir()) == (False, True)


def test_only_folders_of_recipes_are_removed(tmp_path: Path) -> None:
    own = left_behind(tmp_path, "my thesis", 400)
    (tmp_path / ("d" * 16)).mkdir()
    assert make_room(tmp_path, most=0) == 0
    assert own.is_dir()
    assert (tmp_path / ("d" * 16)).is_dir()
    assert make_room(tmp_path / "absent", most=0) == 0


def test_a_recipe_that_made_room_is_done_again_from_the_start(tmp_path: Path) -> None:
    recipe = Recipe((Prune(half()), Finetune(epochs=2)))
    first = [p.recovered for p in recover(two(), recipe, flowers(), checkpoints=tmp_path)][-1]
    make_room(tmp_path, most=0, spare_days=-1.0)
    assert not list(tmp_path.iterdir())
    again = [p.recovered for p in recover(two(), recipe, flowers(), checkpoints=tmp_path)][-1]
    assert first is not None
    assert again is not None
    assert again.model.digest == first.model.digest
