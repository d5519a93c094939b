"""A file that changes on the disk while it is open: what was opened stays, and the page says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load, load_file, save_file
from streamlit.testing.v1 import AppTest

from explorer import models
from explorer.export.weights import pruned_file
from explorer.pruning.plan import plan
from explorer.types import LoadedModel
from explorer.ui.shell import cache, session
from tests.ui.pages import VISITOR, work_of

SAMPLE = Path(__file__).parents[2] / "sample_models" / "digits-mlp.safetensors"


def top_of_a_page() -> None:
    """What every page draws first, as far as it is about files."""
    import streamlit as st

    from explorer.ui.shell import opened_files, session

    work = session.workspace()
    st.session_state["shown"] = session.model(work)
    st.session_state["news"] = opened_files.is_news(work.source)
    opened_files.announce(work)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRUNING_EXPLORER_ROOT", str(tmp_path))
    monkeypatch.setattr(session, "owner", lambda: VISITOR)
    path = tmp_path / "mine.safetensors"
    path.write_bytes(SAMPLE.read_bytes())
    return path


@pytest.fixture
def at(mine: Path) -> AppTest:
    page = AppTest.from_function(top_of_a_page, default_timeout=300)
    page.query_params["model"], page.query_params["arch"] = str(mine), "digits-mlp"
    return page.run()


def write_other(path: Path) -> None:
    """Other weights of the same shapes, as a training run that goes on would write them."""
    save_file({name: tensor * 0.5 for name, tensor in load_file(SAMPLE).items()}, path)


def shown(at: AppTest) -> LoadedModel:
    model: LoadedModel = at.session_state["shown"]
    return model


def announced(at: AppTest) -> str:
    return "\n".join(str(warning.value) for warning in at.warning)


def test_a_changed_file_is_announced_and_what_was_opened_is_what_is_exported(at: AppTest, mine: Path) -> None:
    opened = shown(at)
    write_other(mine)
    at.run()

    assert "**mine.safetensors** has changed since it was opened." in announced(at).replace("\\", "")
    assert shown(at) is opened
    exported = load(pruned_file(shown(at), plan(shown(at), work_of(at).spec)))
    assert all(torch.equal(exported[name], tensor) for name, tensor in load_file(SAMPLE).items())


def test_a_change_is_news_once_so_that_no_page_draws_itself_for_ever(at: AppTest, mine: Path) -> None:
    write_other(mine)
    assert [at.run().session_state["news"] for _ in range(3)] == [True, False, False]


def test_the_button_opens_the_changed_file_with_the_same_request(at: AppTest, mine: Path) -> None:
    asked = work_of(at).spec
    write_other(mine)
    at.run()
    next(button for button in at.button if button.label == "Open it again").click().run()

    assert not announced(at)
    assert shown(at).digest == models.load(str(mine), arch="digits-mlp").digest
    assert work_of(at).spec == asked


def test_a_file_that_is_gone_leaves_what_was_opened(at: AppTest, mine: Path) -> None:
    opened = shown(at)
    mine.unlink()
    at.run()

    assert not at.exception
    assert "is not there any more" in announced(at)
    assert shown(at) is opened


def test_what_left_the_memory_is_not_replaced_by_the_changed_file_in_silence(at: AppTest, mine: Path) -> None:
    opened = shown(at)
    write_other(mine)
    cache.model.clear()
    at.run()

    assert at.exception
    assert shown(at) is opened


def test_a_file_that_did_not_change_is_not_mentioned(at: AppTest) -> None:
    assert not announced(at.run())
