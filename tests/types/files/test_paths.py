"""From an address to an open file: whatever is written, what opens lies in the allowed folder and is a regular file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.models import weight_file
from explorer.types.files import paths
from tests.data.pictures_on_disk import write_classes

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes are made as on POSIX")

INSIDE, OUTSIDE = b"inside", b"outside"
SPACES = [" ", "\t", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\xa0", "\u2003", "\u2028", "\u200b", "\ufeff"]
TRICKS = ["..", ".", "%2e%2e", "%20", "\u2024\u2024", "sub", "SUB", "link", "inner", "~", "~root", "\0", "\ud800"]
PIECES = [*TRICKS, "outside", *SPACES]
NAMES = ["in.pt", "IN.PT", "secret.pt", "file-link.pt", "pipe.pt", "device.pt", "loop.pt", "gone.pt", "sub", "link", ""]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``root`` and ``outside``, with links, a pipe and a device."""
    place = tmp_path_factory.mktemp("place").resolve()
    root = place / "root"
    for folder, content in ((root / "sub", INSIDE), (root, INSIDE), (place / "outside", OUTSIDE)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ("secret.pt" if content == OUTSIDE else "in.pt")).write_bytes(content)
    (root / "inner").symlink_to(root / "sub")
    (root / "link").symlink_to(place / "outside")
    (root / "file-link.pt").symlink_to(place / "outside" / "secret.pt")
    (root / "device.pt").symlink_to("/dev/zero")
    (root / "loop.pt").symlink_to(root / "loop.pt")
    os.mkfifo(root / "pipe.pt")
    write_classes(root / "pictures", {"a": 1, "b": 1})
    write_classes(place / "outside", {"canary": 1, "private": 1})
    return place


@pytest.fixture
def place(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, in a server that opens what lies in ``root``; whose home is ``outside``."""
    monkeypatch.chdir(built / "root")
    monkeypatch.setenv("HOME", str(built / "outside"))
    monkeypatch.setenv(paths.ROOT_VARIABLE, str(built / "root"))
    return built


def addresses(place: Path, ends: list[str]) -> st.SearchStrategy[str]:
    """Ways to write a path, most of them with a trick in it."""
    folders = [f"{place}/", f"{place / 'root'}/", f"{place}/outside/"]
    starts = ["", "./", "//", *folders, "../", "../outside/", "link/", "~/"]
    spaces = st.text(st.sampled_from(SPACES), max_size=2)
    middle = st.lists(st.sampled_from(PIECES), max_size=3).map(lambda parts: "".join(f"{part}/" for part in parts))
    return st.builds(
        lambda before, start, between, end, after: f"{before}{start}{between}{end}{after}",
        spaces, st.sampled_from(starts), middle, st.sampled_from(ends), spaces,
    )  # fmt: skip


def is_allowed_file(text: str, root: Path) -> bool:
    """What the operating system says, in its own words."""
    try:
        path = os.path.realpath(os.path.expanduser(text.strip()))
        return bool(text.strip()) and path.startswith(f"{root}{os.sep}") and os.path.isfile(path)
    except (OSError, ValueError):
        return False


@pytest.fixture
def mutated(place: Path) -> st.SearchStrategy[str]:
    return addresses(place, NAMES)


quick = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(quick, max_examples=1000)
@given(st.data())
def test_an_address_opens_exactly_where_its_real_path_is_a_regular_file_in_the_folder(
    place: Path, mutated: st.SearchStrategy[str], draw: st.DataObject
) -> None:
    address = draw.draw(mutated)
    try:
        with paths.opened(address) as source:
            content, path = source.file.read(), source.path
    except ExplorerError:
        assert not is_allowed_file(address, place / "root"), address
    else:
        assert is_allowed_file(address, place / "root"), address
        assert (content, path.name) == (INSIDE, "in.pt")


@settings(quick, max_examples=300)
@given(st.data())
def test_a_model_is_read_from_nowhere_but_the_folder(
    place: Path, mutated: st.SearchStrategy[str], draw: st.DataObject
) -> None:
    address = draw.draw(mutated)

    def read(path: Path, *rest: object) -> None:
        assert path.read_bytes() == INSIDE, address
        raise ExplorerError("It was read.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weight_file, "read_file", read)
        with pytest.raises(ExplorerError):
            models.load(address)


@settings(quick, max_examples=200)
@given(st.data())
def test_data_are_read_from_nowhere_but_the_folder(place: Path, draw: st.DataObject) -> None:
    kind = draw.draw(st.sampled_from(["folder", " folder", "npz"]))
    address = f"{kind}:{draw.draw(addresses(place, ['', 'pictures', 'outside']))}"
    try:
        dataset = data.load(address)
    except ExplorerError:
        return
    assert dataset.classes == ("a", "b"), address


def test_what_the_tricks_aim_at_is_there_and_opens_where_every_path_may(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(paths.ROOT_VARIABLE)
    for address in (" ../outside/secret.pt", "link/secret.pt\t", "file-link.pt", "~/secret.pt"):
        with paths.opened(address) as source:
            assert source.file.read() == OUTSIDE
    assert data.load("folder:../outside ").classes == ("canary", "private")


def test_pipes_devices_and_folders_are_refused_without_waiting_also_where_every_path_may_be_opened(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(paths.ROOT_VARIABLE)
    for address, why in (("pipe.pt", "not a regular"), ("device.pt", "not a regular"), ("sub", "is a folder")):
        with pytest.raises(ExplorerError, match=why), paths.opened(address):
            pass


def test_whether_something_lies_outside_is_not_told(place: Path) -> None:
    refusals = set()
    for address in ("../outside/secret.pt", "../outside/absent.pt", "link/absent.pt", "~/absent.pt", "/dev/zero"):
        with pytest.raises(ExplorerError) as caught:
            models.load(address, arch="digits-mlp") if address.endswith(".pt") else data.load(f"npz:{address}")
        refusals.add(str(caught.value))
    assert len(refusals) == 1
    assert "outside the folder that the server allows" in refusals.pop()


def test_a_server_that_allows_no_folder_opens_no_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(paths.ROOT_VARIABLE)
    paths.serve()
    for address in ("in.pt", "sub/in.pt", f"{place}/outside/secret.pt"):
        with pytest.raises(ExplorerError, match="opens no files by path"):
            models.load(address)
        with pytest.raises(ExplorerError, match="opens no files by path"):
            data.load(f"npz:{address}")


def test_a_folder_that_became_a_link_after_the_check_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path.resolve() / "root"
    for folder, content in ((root / "sub", INSIDE), (tmp_path / "outside", OUTSIDE)):
        folder.mkdir(parents=True)
        (folder / "w.pt").write_bytes(content)
    monkeypatch.setenv(paths.ROOT_VARIABLE, str(root))
    stepwise = paths._stepwise

    def swapped(*args: object) -> int:
        (root / "sub").rename(root / "before")
        (root / "sub").symlink_to(tmp_path / "outside")
        return stepwise(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(paths, "_stepwise", swapped)
    with pytest.raises(ExplorerError, match=r"w\.pt' could not be opened"), paths.opened(root / "sub" / "w.pt"):
        pass


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux names what is open")
def test_another_process_reads_the_file_that_was_checked_whatever_lies_at_its_path_by_then(tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(INSIDE)
    with paths.opened(tmp_path / "w.pt") as source:
        (tmp_path / "w.pt").unlink()
        (tmp_path / "w.pt").write_bytes(OUTSIDE)
        assert source.elsewhere.read_bytes() == INSIDE


def test_a_link_to_a_class_that_lies_elsewhere_is_refused(built: Path, tmp_path: Path) -> None:
    write_classes(tmp_path / "data", {"a": 1, "b": 1})
    (tmp_path / "data" / "c").symlink_to(built / "outside" / "canary")
    with pytest.raises(ExplorerError, match="'c' is not a file or folder inside 'data'"):
        data.load(f"folder:{tmp_path / 'data'}")
