"""Files made to do harm: refused in plain words, nothing of theirs runs, nothing breaks."""

from __future__ import annotations

import builtins
import io
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from explorer import models
from explorer.errors import ExplorerError
from explorer.models import reader
from explorer.types.files.reading import launch
from tests.every import for_each
from tests.models.weights_on_disk import assert_plain, mlp_state, raw_safetensors


class Payload:
    """Unpickling this makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (builtins.open, (str(self.marker), "w"))


class Shell:
    """Unpickling this runs a command that makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (os.system, (f"touch '{self.marker}'",))


def saved(value: Any, legacy: bool = False) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def rezipped(content: bytes, method: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    """The same checkpoint with records added, perhaps compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", method) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
        top = old.namelist()[0].partition("/")[0]
        for name, data in more.items():
            new.writestr(f"{top}/{name.replace('__', '/')}", data)
    return out.getvalue()


def refused(content: bytes, arch: str | None = None) -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        models.open_upload(content, "w.pt", arch=arch)
    assert_plain(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("make", "place", "kind"),
    [
        (Payload, "alone", "zip"),
        (Payload, "alone", "legacy"),
        (Shell, "alone", "plain pickle"),
        (Shell, "beside the weights", "zip"),
        (Payload, "beside the weights", "legacy"),
        (Shell, "in a list", "zip"),
    ],
)
def test_a_payload_in_a_checkpoint_never_runs(
    make: Callable[[Path], Any], place: str, kind: str, tmp_path: Path
) -> None:
    marker = tmp_path / "markers" / "ran"
    marker.parent.mkdir()
    payload = make(marker)
    value = {"alone": payload, "beside the weights": {**mlp_state(), "x": payload}, "in a list": [[payload]]}[place]
    content = pickle.dumps(value) if kind == "plain pickle" else saved(value, legacy=kind == "legacy")
    error = refused(content, arch="digits-mlp")
    assert list(marker.parent.iterdir()) == []
    assert "w.pt cannot be opened" in error.what


def test_the_payloads_of_these_tests_are_live(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "a"))).close()
    pickle.loads(pickle.dumps(Shell(tmp_path / "b")))
    assert {p.name for p in tmp_path.iterdir()} == {"a", "b"}


def test_a_payload_by_path_never_runs_either(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(saved(Payload(tmp_path / "ran")))
    with pytest.raises(ExplorerError):
        models.load(str(tmp_path / "w.safetensors"), arch="digits-mlp")
    assert not (tmp_path / "ran").exists()


def test_a_sparse_tensor_with_indices_outside_its_shape_is_refused() -> None:
    bad = torch.sparse_coo_tensor(torch.tensor([[10**9]]), torch.ones(1), (10**9 + 1,))
    hidden = saved({"w": bad}).replace(struct.pack("<q", 10**9), struct.pack("<q", 2**40))
    assert_plain(refused(hidden))


def test_a_sparse_tensor_that_is_sound_opens_dense() -> None:
    dense = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    model = models.open_upload(saved({"w": dense.to_sparse()}), "w.pt")
    assert torch.equal(model.weights["w"], dense)
    assert "sparse" in " ".join(model.repairs)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_view_that_claims_more_numbers_than_the_file_holds_is_refused(legacy: bool) -> None:
    assert "claims" in refused(saved({"w": torch.zeros(1).expand(2**40)}, legacy)).why
    error = refused(saved({"w": torch.zeros(1).expand(1000)}, legacy))
    assert "claims" in error.why
    assert "contiguous()" in error.fix


def test_two_records_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = rezipped(saved(mlp_state()), **{"data.pkl": b"x"})
    assert "two records" in refused(doubled).why


def test_a_small_file_that_unpacks_to_much_is_refused() -> None:
    bomb = rezipped(saved({"w": torch.ones(2)}), zipfile.ZIP_DEFLATED, **{"data__9": bytes(128 * 2**20)})
    assert len(bomb) < 2**20
    assert "Unpacked" in refused(bomb).why


def test_an_honestly_compressed_checkpoint_opens() -> None:
    state = mlp_state()
    model = models.open_upload(rezipped(saved(state), zipfile.ZIP_DEFLATED), "w.pt", arch="digits-mlp")
    assert torch.equal(model.weights["fc1.weight"], state["fc1.weight"])


def test_asking_for_more_memory_than_a_file_may_take_is_refused() -> None:
    # protocol 2: builtins.bytearray(2**40)
    body = b"\x80\x02c__builtin__\nbytearray\n\x8a\x06" + (2**40).to_bytes(6, "little") + b"\x85R."
    content = saved({"w": torch.ones(2)})
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        names = old.namelist()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as new:
            for name in names:
                new.writestr(name, body if name.endswith("data.pkl") else old.read(name))
    assert_plain(refused(out.getvalue()))


@for_each("keep", [5, 2000, -1])
@for_each("kind", ["zip", "legacy", "safetensors"])
def test_a_file_that_was_cut_off_is_refused(kind: str, keep: int) -> None:
    content = save(mlp_state()) if kind == "safetensors" else saved(mlp_state(), legacy=kind == "legacy")
    assert "w.pt cannot be opened" in refused(content[:keep]).what


def test_flipped_bits_in_the_structure_are_refused_or_harmless() -> None:
    content = bytearray(save({"w": torch.ones(4)}))
    content[12] ^= 0xFF
    assert_plain(refused(bytes(content)))


SAFETENSORS = {
    "one name twice": raw_safetensors(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        bytes(4),
    ),
    "more than there is": raw_safetensors({"w": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}),
    "negative": raw_safetensors({"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
    "overlap": raw_safetensors(
        {
            "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        },
        bytes(4),
    ),
    "unknown type": raw_safetensors({"w": {"dtype": "Q7", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "deep": raw_safetensors("{" + '"a":[' * 100_000 + "]" * 100_000 + "}"),
    "no object": raw_safetensors("{]"),
    "huge header": (33 * 2**20).to_bytes(8, "little") + b"{" + bytes(34 * 2**20),
    "nothing": raw_safetensors("{}"),
}


@for_each("name", SAFETENSORS)
def test_a_safetensors_file_that_lies_is_refused(name: str) -> None:
    assert_plain(refused(SAFETENSORS[name]))


@for_each(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>" * 20, "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "LFS"),
        (b"\x1f\x8b\x08" + bytes(100), "gzip"),
        (b"\x93NUMPY\x01\x00" + bytes(100), "NumPy"),
        (b"hello world, these are no weights", "neither"),
    ],
)
def test_what_is_no_file_of_weights_is_called_by_its_name(content: bytes, word: str) -> None:
    assert word in refused(content).why


def test_arrays_are_pointed_to_the_data_address() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("x.npy", b"")
    assert "npz:PATH" in refused(out.getvalue()).fix


def test_names_in_a_refusal_cannot_colour_the_terminal() -> None:
    error = refused(saved({"\x1b[31mred\x1b[0m\n": torch.ones(2)}), arch="digits-mlp")
    assert "�[31mred" in error.why


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(ExplorerError, match="not a regular file"):
        models.load(str(tmp_path / "w.pt"))
    with pytest.raises(ExplorerError, match="not a regular file"):
        reader.read_file(tmp_path / "w.pt", "w.pt")


def test_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="is a folder"):
        models.load(str(tmp_path))
    with pytest.raises(ExplorerError, match="There is nothing"):
        models.load(str(tmp_path / "w.pt"))


def test_a_reader_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "START_SECONDS", 0.0)
    monkeypatch.setattr(launch, "waiting_seconds", lambda n: 0.01)
    with pytest.raises(ExplorerError, match="took longer"):
        models.open_upload(saved(mlp_state()), "w.pt")


@pytest.mark.skipif(shutil.which("false") is None, reason="this system has no program that only fails")
def test_a_reader_that_dies_is_a_refusal_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch.sys, "executable", shutil.which("false"))
    with pytest.raises(ExplorerError, match="broke the reader"):
        models.open_upload(saved(mlp_state()), "w.pt")


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    models.open_upload(saved(mlp_state()), "w.pt")
    refused(b"nothing")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_architecture_is_refused_before_the_file_is_read() -> None:
    with pytest.raises(ExplorerError, match="There is no architecture called 'resnet'"):
        models.open_upload(b"", "w.pt", arch="resnet")


def test_a_flipped_bit_in_a_weight_of_a_checkpoint_is_refused_by_the_sum_stored_with_it() -> None:
    value = torch.full((64,), 1.5)
    content = bytearray(saved({"w": value}))
    place = bytes(content).index(value.numpy().tobytes())
    content[place + 9] ^= 0x10
    assert "damaged" in refused(bytes(content)).why


def test_a_checkpoint_that_was_written_without_sums_opens() -> None:
    torch.serialization.set_crc32_options(False)
    try:
        content = saved(mlp_state())
    finally:
        torch.serialization.set_crc32_options(True)
    assert models.open_upload(content, "w.pt", arch="digits-mlp").module is not None


def test_a_packed_file_that_would_grow_beyond_bounds_is_refused_before_it_is_unpacked() -> None:
    n = 160 * 2**20
    parts = {"values": torch.zeros(0), "bits": torch.zeros(n // 8, dtype=torch.uint8), "shape": torch.tensor([n]).int()}
    about = {"kind": "bitmask", "version": 1, "packed": ["w"], "tied": {}, "inside": None}
    content = save({f"w.{name}": part for name, part in parts.items()}, {"explorer": json.dumps(about)})
    refusal = refused(content)
    assert "would take 640 MiB" in refusal.why
    assert "plain safetensors" in refusal.fix


def test_a_small_file_of_one_sparse_tensor_cannot_fill_the_memory() -> None:
    places, one = torch.zeros(2, 1, dtype=torch.long), torch.ones(1)
    assert "more memory" in refused(saved({"w": torch.sparse_coo_tensor(places, one, (2**15, 2**13))})).why
