"""This visitor's workspace: made from the link, kept in the session, written back to the link."""

from __future__ import annotations

import hashlib
import logging
import uuid
from dataclasses import replace
from pathlib import Path

import streamlit as st

from explorer import models
from explorer.analysis.parent import parent_of
from explorer.errors import ExplorerError
from explorer.models.lineage import lineage_of
from explorer.pruning.scoring import why_no_units
from explorer.pruning.shortfall import check_units
from explorer.pruning.spec import PruneSpec
from explorer.store.folder import data_folder
from explorer.store.visits import Visit, sweep
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel, Scores
from explorer.types.files import paths
from explorer.ui.serving.visitors import PRESENT, cookie_name, verified
from explorer.ui.shell import cache, opened_files
from explorer.ui.widgets import persistent_widget
from explorer.workbench import history, links
from explorer.workbench.quotas import Quotas
from explorer.workbench.workspace import Source, Workspace

UPLOAD = "upload:"
_HELD, _TAB, _WRITTEN = "uploads", "_tab", "_history_written"
_INSTEAD = "Magnitude is used instead."


def workspace() -> Workspace:
    """The one workspace of this session, restored from the link on the first run."""
    if "workspace" not in st.session_state:
        st.session_state["workspace"] = _restored()
    work: Workspace = st.session_state["workspace"]
    return work


def visitor() -> str | None:
    """The name in a cookie that the server signed for this address and browser; None without one."""
    context = st.context
    return verified(context.cookies.get(cookie_name()), context.ip_address, context.headers.get("user-agent"))


def owner() -> str:
    """A name for this visitor in the queue of background work; the same one after a reload of the page.

    Without a cookie it is the tab's.
    """
    return visitor() or str(st.session_state.setdefault("owner", uuid.uuid4().hex))


def visit() -> Visit | None:
    """Where this visitor's files and histories are; None for one who could not be told again."""
    name = visitor()
    return None if name is None else Visit(data_folder() / "visits", name)


def wait_for_a_place() -> None:
    """Draw nothing but a sentence while as many visitors as this server takes came before this one."""
    most = Quotas.here().visitors
    if not PRESENT.has_place(owner(), most):
        why = f"It takes {most} visitors at once."
        refusal(ExplorerError("This server is full.", why=why, fix="Load the page again in a while."))
        st.stop()


def _restored() -> Workspace:
    work, refusals = links.restore(st.query_params)
    for refusal_of_link in refusals:
        notify(refusal_of_link)
    persistent_widget.bring(links.controls_of(st.query_params))
    sweep(data_folder() / "visits")
    mine = visit()
    if mine is not None:
        any(history.restore(work, text) for text in mine.histories())
    return work


def scores(model: LoadedModel, on: Dataset | None) -> Scores:
    """The scores of the present request; magnitude takes the place of a criterion that has nothing to look at.

    A request for units that the network lacks becomes one for nothing.
    """
    scores_now = _ranked(model, on)
    work = workspace()
    try:
        check_units(work.spec, scores_now)
    except ExplorerError as error:
        notify(error)
        work.set(replace(work.spec, allocation=type(work.spec.allocation)(), limits=(), then=None))
    return scores_now


def _ranked(model: LoadedModel, on: Dataset | None) -> Scores:
    work = workspace()
    usual = PruneSpec().criterion
    try:
        ranked = cache.scores(model, work.spec, on)
        why = why_no_units(ranked) if work.spec.criterion.key != usual.key else None
        if why is None:
            return ranked
        unit = work.spec.granularity.label.lower()
        notify(ExplorerError(f"{work.spec.criterion.label} ranks none of these {unit}.", why=why, fix=_INSTEAD))
    except ExplorerError as error:
        notify(error)
    work.set(replace(work.spec, criterion=usual))
    return cache.scores(model, work.spec, on)


def write_link(work: Workspace) -> None:
    """Keep the address bar in step, so that copying it is sharing the work; and what undo needs after a reload."""
    parameters = links.parameters_of(work, persistent_widget.for_link())
    if dict(st.query_params) != parameters:
        st.query_params.from_dict(parameters)
    _keep_history(work)


def _keep_history(work: Workspace) -> None:
    state = (work.source, work.spec, work.history)
    if not work.settled or st.session_state.get(_WRITTEN) == state or not (work.can_undo or work.can_redo):
        return
    st.session_state[_WRITTEN] = state
    mine = visit()
    try:
        if mine is not None:
            mine.write_history(st.session_state.setdefault(_TAB, uuid.uuid4().hex), history.to_text(work))
    except ExplorerError:
        logging.getLogger(__name__).exception("What undo needs after a reload could not be written.")


def notify(error: ExplorerError) -> None:
    """Show a refusal with the next drawing of the page, wherever it came up."""
    logging.getLogger(__name__).info("Refused: %s", error, exc_info=error)
    st.session_state.setdefault("notices", []).append(error)


def show_notices() -> None:
    """Draw the refusals that came up since the last run, once each.

    Their place is always there: what comes and goes must not move the parts below, which would be made anew.
    """
    place = st.empty()
    notices = st.session_state.pop("notices", [])
    if notices:
        with place.container():
            for error in notices:
                refusal(error)


def refusal(error: ExplorerError) -> None:
    """One refusal on the page: what, why, what to do."""
    what, why, fix = clean_markdown(error.what, 300), clean_markdown(error.why, 500), clean_markdown(error.fix, 400)
    st.error(f"**{what}** {why} {fix}", icon=":material/block:")


def roots() -> list[Path]:
    """The folders whose files may be opened by path; none when the server does not allow it."""
    return paths.allowed_folders() or []


def allowed(address: str) -> None:
    """Refuse a model's address that names code, or a path that may not be opened, with the reason.

    Files are checked again where they are opened; nothing rests on this look at the text.
    """
    address = address.strip()
    if not address or address.startswith(UPLOAD) or address in models.samples():
        return
    if ":" in address and not Path(address).drive:
        raise ExplorerError("This kind of address is not opened from the screen.", fix="Use the command line for it.")
    if any(mark in address for mark in ("/", "\\", "~", ".")):
        paths.real(paths.with_part(address)[0])


def hold_upload(name: str, content: bytes) -> str:
    """Hold an uploaded file's bytes for :func:`choose`; returns its address."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    held = st.session_state.get(_HELD, {})
    in_use = workspace().source.model.removeprefix(UPLOAD)
    st.session_state[_HELD] = {d: held[d] for d in (in_use,) if d in held} | {digest: (name, content)}
    return f"{UPLOAD}{digest}"


def model(work: Workspace) -> LoadedModel:
    """The open model. Raises ExplorerError when it cannot be opened."""
    address = work.source.model
    if not address.startswith(UPLOAD):
        if not opened_files.is_gone(address):
            allowed(address)
        return cache.model(address, work.source.arch, opened_files.stamp(address))
    digest = address.removeprefix(UPLOAD)
    held = st.session_state.get(_HELD, {})
    if digest in held:
        name, content = held[digest]
        return cache.upload(digest, work.source.arch, name, lambda: content)
    mine = visit()
    file = mine.find(digest) if mine is not None else None
    if mine is None or file is None:
        raise ExplorerError(
            "The uploaded file of this link is not on this server.",
            why="Files stay for a day after their last use, for the browser that brought them.",
            fix="Upload the file again, or choose another model.",
        )
    return cache.upload(digest, work.source.arch, file.name, lambda: mine.read(digest))


def _keep_upload(source: Source, opened: LoadedModel) -> None:
    """Put a file that could be opened on the disk, where the next reload of the page finds it."""
    digest, mine = source.model.removeprefix(UPLOAD), visit()
    held = st.session_state.get(_HELD, {})
    if mine is None or digest not in held:
        return
    quotas = Quotas.here()
    try:
        most_each, most = quotas.upload_mb_each * 1_000_000, quotas.upload_mb * 1_000_000
        name, content = held[digest]
        mine.store(name, content, source.arch, most_each=most_each, most=most, model=opened.digest)
    except ExplorerError as error:
        notify(error)  # the tab goes on holding it
    else:
        st.session_state[_HELD] = {d: file for d, file in held.items() if d != digest}


def parent(of: LoadedModel) -> LoadedModel | None:
    """The dense model that this one was made from, where it is known, at hand and may be opened here.

    None where nothing is known of one. Raises ExplorerError where it is not at hand.
    """
    try:
        return parent_of(of, load=lambda address, arch: cache.model(address, arch, cache.stamp(address)))
    except ExplorerError:
        lineage, mine = lineage_of(of), visit()
        files = mine.files() if mine is not None and lineage is not None else []
        stored = next((file for file in files if lineage is not None and file.model == lineage.digest), None)
        if mine is None or stored is None:
            raise
        return cache.upload(stored.digest, stored.arch, stored.name, lambda: mine.read(stored.digest))


def forget_files(work: Workspace) -> None:
    """Remove this visitor's files; this tab holds on to the one that is open."""
    mine, digest = visit(), work.source.model.removeprefix(UPLOAD)
    file = mine.find(digest) if mine is not None else None
    if mine is not None and file is not None:
        hold_upload(file.name, mine.read(digest))
    if mine is not None:
        mine.forget()


def dataset(work: Workspace, of: LoadedModel) -> Dataset:
    """The data the model is evaluated on. Raises ExplorerError when it cannot be opened."""
    place = (work.source.data or of.data or "none").partition(":")[2]
    return cache.dataset(work.source, of, opened_files.stamp(place) if place else cache.NOTHING)


def choose(work: Workspace, **changes: str | int | None) -> None:
    """Open another model or other data; a new model brings its own data and no options.

    Raises ExplorerError when it cannot be opened; the present work then stays.
    """
    source = Source(**changes) if "model" in changes else replace(work.source, **changes)  # type: ignore[arg-type]
    candidate = Workspace(source=source)
    before = opened_files.take_present(source)
    try:
        opened = model(candidate)
        if opened.module is not None:
            dataset(candidate, opened)
    except ExplorerError:
        opened_files.put_back(before)
        raise
    work.open(source)
    if source.model.startswith(UPLOAD):
        _keep_upload(source, opened)
