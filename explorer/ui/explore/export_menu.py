"""What one takes away from the explore page: a link, code, files, and the final verdict."""

from __future__ import annotations

import json
import shlex
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from explorer.analysis.histogram_table import histogram_table
from explorer.analysis.parent import count_look_at_test, looks_at_test
from explorer.errors import ExplorerError
from explorer.export.naming import export_name
from explorer.export.packed import KINDS, packed_file
from explorer.export.script import script_text
from explorer.export.sizes import file_sizes
from explorer.export.weights import pruned_file
from explorer.metrics.base import evaluated_by
from explorer.text.delta import delta_with_ends, named
from explorer.text.numbers import bytes_text, interval, level
from explorer.text.spreadsheet import csv_text
from explorer.ui.explore.view import View
from explorer.ui.shell import cache, session
from explorer.workbench.code import python_lines

_PACKED = {
    "bitmask": "Packed: bitmask and values left",
    "csr": "Packed: CSR",
    "n_of_m": "Packed: n:m pattern",
    "removed": "Packed: units removed",
}


def buttons(view: View) -> None:
    """Link, code and export, side by side."""
    with st.popover("Link", icon=":material/link:", help="Restores model, data, setting and page."):
        st.code(_link(), language=None, wrap_lines=True)
        if view.work.source.model.startswith(session.UPLOAD):
            st.caption(
                "The uploaded file stays on this server for a day, for this browser. "
                "Others who open the link must upload it, too."
            )
    with st.popover("Code", icon=":material/code:", help="The same result from a notebook or a terminal."):
        st.code(_python(view), language="python")
        st.code(_shell(view), language="shell", wrap_lines=True)
    with st.popover("Export", icon=":material/download:"):
        st.caption("Pruned weights store their zeros: that file is as large as before. Packed ones are smaller.")
        for label, content, ending, icon in _files(view):
            name = f"{setting_stem(view)}{ending}"
            st.download_button(label, content, name, icon=icon, on_click="ignore", key=f"export_{ending}")


def _files(view: View) -> list[tuple[str, Any, str, str]]:
    """What can be taken away: label, content (made when the button is pressed), ending, icon."""
    model, plan = view.model, view.plan
    sizes = {kind: bytes_text(m.value) for kind, m in file_sizes(model, plan).items()}
    packed = [
        (f"{_PACKED[kind]}, {sizes[kind]}", partial(packed_file, model, plan, kind), kind)
        for kind in KINDS
        if kind in sizes
    ]
    return [
        (
            f"Pruned weights, {sizes['dense_file']}",
            lambda: pruned_file(model, plan),
            "-pruned.safetensors",
            ":material/save:",
        ),
        *((label, make, f"-{kind}.safetensors", ":material/compress:") for label, make, kind in packed),
        ("Script for plain torch", lambda: script_text(model, plan), "-prune.py", ":material/terminal:"),
        (
            "Histograms as a table",
            lambda: csv_text(histogram_table(view.scores, plan)),
            "-histograms.csv",
            ":material/bar_chart:",
        ),
        ("Request", json.dumps(view.work.spec.to_json(), indent=1), ".spec.json", ":material/tune:"),
    ]


def setting_stem(view: View) -> str:
    """The beginning of a file name that says what is in the file: model, unit, criterion, allocation, what went."""
    return export_name(view.model.address, settings=[view.work.spec], share=view.plan.pruned_share)


def _link() -> str:
    parts = urlsplit(st.context.url or "")
    query = urlencode(dict(st.query_params))
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def _python(view: View) -> str:
    source = view.work.source
    return python_lines(view.model, source.data or view.model.data or "none", view.work.spec, source)


def _shell(view: View) -> str:
    source = view.work.source
    words = ["python", "-m", "explorer", "evaluate", view.model.address]
    for name in ("arch", "data", "size", "samples", "mean", "std", "splits", "task"):
        value = getattr(source, name)
        words += [f"--{name}", str(value)] if value else []
    return shlex.join([*words, "--spec", f"{setting_stem(view)}.spec.json"])


def verdict(view: View) -> None:
    """The final verdict: one explicit look at the locked split, counted."""
    if view.dataset is None or view.why_not is not None:
        return
    with st.container(border=True, key="verdict_card"):
        st.header("Final verdict", anchor=False)
        if "test" not in view.dataset.splits:
            st.caption(view.dataset.why_no_split.get("test", "This data has no test split."))
            return
        n = len(view.dataset.splits["test"])
        seen = looks_at_test(view.model, view.dataset)
        st.caption(
            f"All drags look at the tune split. The {n:,} samples of the test split are locked; "
            f"looked at {seen} time{'' if seen == 1 else 's'} so far."
        )
        if st.button("Look at the test split", icon=":material/lock_open:"):
            _look(view)
        st.page_link("pages/check.py", label="Check this setting", icon=":material/verified:", width="content")
        last = st.session_state.get("verdict")
        if last and last[0] == (view.plan.digest, view.dataset.digest):
            st.markdown(last[1])


def _look(view: View) -> None:
    if view.dataset is None:
        return
    try:
        number = count_look_at_test(view.model, view.dataset)
    except ExplorerError as error:
        session.refusal(error)
        return
    with st.spinner("Measuring on the test split …"):
        split = view.dataset.splits["test"]
        evaluation = cache.evaluator(view.model, view.dataset, split, view.work.source.metric).final(view.plan)
    a, d = evaluation.accuracy, evaluation.drop
    ends = f" ({interval(a)})" if interval(a) else ""
    name = "accuracy" if evaluation.judged_by == "labels" else evaluated_by(evaluation.judged_by, a)
    change = f"{named(name)} {delta_with_ends(d)}"
    text = f"Test {name} **{level(a)}**{ends}, {change}. Measured on {a.n:,}; look number {number}."
    st.session_state["verdict"] = ((view.plan.digest, view.dataset.digest), text)
