"""What every page shares: what is open, and the line at the top that changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from explorer.store import log_file
from explorer.types import Dataset, LoadedModel
from explorer.types.files import paths
from explorer.ui.shell import cache, hiding, page_watch, parent_line, pickers, running, session, theme
from explorer.ui.shell.menu import Page


@dataclass(frozen=True)
class Opened:
    """The open model and data; None where a refusal is on the screen instead."""

    model: LoadedModel | None
    dataset: Dataset | None


_ASSETS = Path(__file__).parents[1] / "assets"


def mark() -> str:
    """The browser tab's picture: a file of ours, since named icons are fetched from elsewhere."""
    return (_ASSETS / "mark.svg").read_text(encoding="utf-8")


def draw(page: Page, addresses: Sequence[str]) -> DeltaGenerator:
    """The shared top of a page; call it once a run, before the page. ``addresses`` are those of all pages.

    Returns the place that :func:`finish` fills.
    """
    paths.serve()
    log_file.start()
    # Drawing needs little arithmetic: more threads would only fight those that measure.
    torch.set_num_threads(1)
    theme.style()
    st.logo(_ASSETS / f"wordmark-{'dark' if theme.is_dark() else 'light'}.svg", size="large")
    session.wait_for_a_place()
    work = session.workspace()
    hiding.style()
    session.write_link(work)
    page_watch.draw(addresses)
    model, dataset, place = pickers.top_line(work, page.question)
    parent_line.draw(model, dataset)
    cache.spare_collector()
    st.session_state["_opened"] = Opened(model, dataset)
    return place


def opened() -> Opened:
    """What :func:`draw` opened in this run."""
    address_and_data: Opened = st.session_state["_opened"]
    return address_and_data


def finish(place: DeltaGenerator) -> None:
    """What is drawn once the page has been: the work it began, in its place in the header."""
    running.show(place)
