"""What is open and what it is evaluated on: two buttons at the top of every page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import models
from explorer.data.given import why_no_data
from explorer.errors import ExplorerError
from explorer.models.libraries.networks import library_of
from explorer.store.visits import StoredFile
from explorer.text.names import clean_markdown, file_name, model_name
from explorer.text.numbers import bytes_text
from explorer.types import Dataset, LoadedModel
from explorer.ui.serving.uploads import UPLOADS
from explorer.ui.shell import cache, data_chooser, metric_chooser, opened_files, running, session
from explorer.workbench.quotas import Quotas
from explorer.workbench.workspace import Workspace

_SHUT = "_menu_to_shut"
_OWN = "an upload or a file"
_MOST_FITS = 3
_NO_ARCH = "none: open the weights only"


def model_picker(work: Workspace, model: LoadedModel | None) -> None:
    """Choose a bundled model, upload a checkpoint, or open one by path where the server allows it."""
    name = work.source.model
    if model is not None and name.startswith(session.UPLOAD):
        name = model.address
    with _menu("model_menu", f"Model **{clean_markdown(model_name(name), 40)}**", ":material/network_node:"):
        samples = models.samples()
        chosen = st.selectbox(
            "Bundled models",
            samples,
            index=samples.index(work.source.model) if work.source.model in samples else None,
            placeholder=_OWN,
            help="Trained on real handwritten digits, or on text, wider than they need to be.",
        )
        if chosen and chosen != work.source.model and chosen != st.session_state.get("_chosen_before"):
            st.session_state["_chosen_before"] = chosen
            _choose(work, "model_menu", model=chosen)
        st.session_state["_chosen_before"] = chosen
        _own_file(work)
        _stored_files(work)
        if model is not None:
            _about(model)


_ADDRESSES = (
    "Of a file, or of a folder with `config.json` (transformers); `run.ckpt#ema` is one set of weights in a file,"
    " `net.onnx#logits` one output."
)


def _own_file(work: Workspace) -> None:
    names = [_NO_ARCH, *models.ARCHITECTURES.members]
    with st.form("own_file", border=False):
        st.markdown("**Your own checkpoint**")
        asked = work.source.arch or ""
        names += [asked] if library_of(asked) or asked.startswith("output:") else []
        arch = st.selectbox(
            "Architecture",
            names,
            index=names.index(work.source.arch) if work.source.arch in names else 0,
            help="The network that the weights were saved from; one such as `timm:resnet18` may be typed."
            " Without one, histograms and thresholds still work. An ONNX file needs none; `output:NAME` says which of"
            " several outputs is measured.",
            accept_new_options=True,
        )
        file = st.file_uploader(
            "File",
            type=["safetensors", "pt", "pth", "th", "bin", "ckpt", "pt2", "onnx"],
            help="Read in a process of its own, without running code from it. Nothing leaves this machine.",
        )
        path = st.text_input("or a path on the server", "", help=_ADDRESSES) if session.roots() else ""
        if not st.form_submit_button("Open", icon=":material/folder_open:"):
            return
        named = None if arch == _NO_ARCH else arch
        if file is not None:
            _choose(work, "model_menu", model=session.hold_upload(file.name, file.getvalue()), arch=named)
        elif path.strip():
            _choose(work, "model_menu", model=path.strip(), arch=named)
        elif (refusal := UPLOADS.refusal(session.owner())) is not None:
            session.refusal(refusal)
        else:
            st.warning("Choose a file first.")


def _stored_files(work: Workspace) -> None:
    """This visitor's files on the server: to open again, or to remove."""
    mine = session.visit()
    files = mine.files() if mine is not None else []
    if mine is None or not files:
        return
    st.markdown("**Your files on this server**")
    n_mb, most = sum(file.n_bytes for file in files) / 1e6, Quotas.here().upload_mb_each
    st.caption(f"{n_mb:,.1f} of {most:,} MB. Each stays for a day after its last use; where it is full, the oldest go.")
    with st.container(horizontal=True, vertical_alignment="bottom", key="stored_files"):
        file = st.selectbox("File", files, format_func=_stored_name, key="stored_file", label_visibility="collapsed")
        if st.button("Open again", key="stored_open"):
            _choose(work, "model_menu", model=f"{session.UPLOAD}{file.digest}", arch=file.arch)
        if st.button("Remove all", key="stored_remove", help="The one that is open stays until another is opened."):
            session.forget_files(work)
            st.rerun()


def _stored_name(file: StoredFile) -> str:
    return f"{file_name(file.name)} ({bytes_text(file.n_bytes)})"


def _menu(key: str, label: str, icon: str) -> AbstractContextManager[object]:
    """A button that opens; shut once what was chosen in it is open."""
    if st.session_state.get(_SHUT) == key:
        del st.session_state[_SHUT]
        st.session_state[key] = False
    return st.popover(label, icon=icon, key=key, on_change="rerun")


def _choose(
    work: Workspace, menu: str, refuse: Callable[[ExplorerError], None] = session.refusal, **changes: str | int | None
) -> None:
    """Open it, shut the menu and draw the page anew, or say here, where the hand is, why not."""
    try:
        session.choose(work, **changes)
    except ExplorerError as error:
        refuse(error)
    else:
        st.session_state[_SHUT] = menu
        st.rerun()


def _about(model: LoadedModel) -> None:
    st.divider()
    st.caption(f"{model.n_parameters:,} parameters · digest {model.digest}")
    for repair in model.repairs:
        st.caption(f":material/build: {clean_markdown(repair, 300)}")


def data_picker(work: Workspace, model: LoadedModel, dataset: Dataset | None) -> None:
    """Choose what the model is evaluated on."""
    n = len(dataset.splits["tune"]) if dataset is not None and "tune" in dataset.splits else 0
    what = "generated inputs" if dataset is not None and dataset.address == "none" else "inputs"
    what = "images" if dataset is not None and dataset.images else what
    by = "" if work.source.metric is None else f" by **{clean_markdown(work.source.metric.replace('_', ' '))}**"
    with _menu("data_menu", f"Evaluated on **tune · {n:,} {what}**{by}", ":material/fact_check:"):
        changes, places = data_chooser.draw(work.source, model.data or "none")
        if st.button("Use this data", icon=":material/check:"):
            _choose(work, "data_menu", places.refuse, **changes)
        metric_chooser.draw(work, model, dataset)
        if dataset is not None:
            _splits(dataset)
            for finding in dataset.findings:
                st.caption(f":material/info: {clean_markdown(f'{finding.what} {finding.evidence}', 400)}")
            _runs_as(model, dataset)


def _runs_as(model: LoadedModel, dataset: Dataset) -> None:
    """How the model was taken apart, once it was; a whole model runs anew for every change."""
    if model.module is None or "tune" not in dataset.splits:
        return
    path = cache.evaluator(model, dataset, dataset.splits["tune"]).path_so_far
    if path is not None:
        st.caption(f"**Runs as** {clean_markdown(path, 300)}")


def _splits(dataset: Dataset) -> None:
    st.divider()
    use = {"fit": "training and calibration", "tune": "every drag, sweep and scan", "test": "locked: the final verdict"}
    for name, words in use.items():
        n = len(dataset.splits[name]) if name in dataset.splits else 0  # type: ignore[index]
        why = f" {clean_markdown(dataset.why_no_split.get(name, ''), 300)}" if not n else ""
        st.caption(f"**{name}** {n:,} samples: {words}.{why}")


def top_line(work: Workspace, question: str) -> tuple[LoadedModel | None, Dataset | None, DeltaGenerator]:
    """Draw both buttons and the page's question; returns what is open, and the place for the running work.

    A refusal leaves the page usable.
    """
    model: LoadedModel | None = None
    dataset: Dataset | None = None
    refused: list[ExplorerError] = []
    try:
        model = session.model(work)
        dataset = session.dataset(work, model) if model.module is not None else None
        metric_chooser.checked(work, model, dataset)
    except ExplorerError as error:
        refused.append(error)
    with st.container(key="top_line", horizontal=True, vertical_alignment="center"):
        model_picker(work, model)
        if model is not None and model.module is not None:
            data_picker(work, model, dataset)
        place = running.reserve()
        st.title(question, anchor=False, width="content")
    session.show_notices()
    opened_files.announce(work)
    for refusal in refused:
        session.refusal(refusal)
    if model is not None and model.why_not_runnable:
        _weights_only(work, model)
    elif model is not None and not work.source.data and why_no_data(model):
        st.info(f"{clean_markdown(why_no_data(model), 300)} Choose the data above.", icon=":material/fact_check:")
    return model, dataset, place


def _weights_only(work: Workspace, model: LoadedModel) -> None:
    """Why such a file cannot run, and the architectures that its weights fit, one click away."""
    why = clean_markdown(model.why_not_runnable or "", 400)
    st.info(f"Weights only. {why} Architectures are under Model, above.", icon=":material/visibility:")
    fits = [name for name in model.meta.get("fits", ()) if name in models.ARCHITECTURES.members or library_of(name)]
    if fits:
        with st.container(horizontal=True, key="fits_head"):
            for name in fits[:_MOST_FITS]:
                if st.button(f"Open as {name}", icon=":material/network_node:", key=f"fits_{name}"):
                    _choose(work, "model_menu", model=work.source.model, arch=name)
