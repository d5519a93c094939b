"""What the pruned model costs: every size, parameters and multiplications, each with its origin."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from explorer.export.sizes import at_rates, file_sizes, transfer
from explorer.metrics.macs import macs, theoretical_speedup, why_no_macs
from explorer.text.numbers import bytes_text, times
from explorer.types import Measurement
from explorer.ui.explore import removal
from explorer.ui.explore.view import View
from explorer.ui.shell import cache

_NAMES = {
    "dense_file": "Dense file",
    "dense_file_compressed": "Dense file, zipped",
    "csr": "CSR file",
    "bitmask": "Bitmask file",
    "n_of_m": "Packed n:m file",
    "removed": "File with units removed",
    "dense": "MACs, dense",
    "sparse": "MACs that touch kept weights",
    "compression_ratio": "Compression ratio",
    "total": "Parameters",
    "kept": "Parameters left",
    "nonzero": "Parameters not zero",
}
_UNTIMED = "Remove, prove and time it in the card below; units without a smaller form take as long as before."


def table(view: View) -> None:
    """All counted and measured costs; packing the dense file is done on request."""
    packed = st.toggle("Also zip the dense file", key="zip", help="Takes about a second for 30 MB.")
    rows = [
        {"what": _NAMES.get(name, name), "value": _text(m), "origin": m.origin, "note": m.note}
        for name, m in _measurements(view, packed)
    ]
    by_rate = transfer(view.planned.sizes)
    about = "The smallest of these files, without what the protocol adds."
    rows.append({"what": "Transfer", "value": at_rates(by_rate), "origin": "estimated", "note": about})
    if view.plan.n_pruned and removal.timed(view) is None:
        rows.append({"what": "Measured speed-up", "value": "not measured", "origin": "", "note": _UNTIMED})
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "what": st.column_config.TextColumn("What", width="medium"),
            "value": st.column_config.TextColumn("Value", width="small"),
            "origin": st.column_config.TextColumn("Origin", width="small"),
            "note": st.column_config.TextColumn("What it means", width="large"),
        },
    )
    no_macs = why_no_macs(view.model)
    if no_macs:
        st.caption(str(no_macs))
    st.caption(
        "MACs are multiplications for one input. Fewer of them is no measured speed: zeros alone change no time."
    )


def _measurements(view: View, packed: bool) -> Iterator[tuple[str, Measurement]]:
    table = cache.macs(view.model)
    yield from (file_sizes(view.model, view.plan, compress=True) if packed else view.planned.sizes).items()
    yield from view.planned.counts.items()
    for name, m in macs(view.model, view.plan, table).items():
        yield ("MACs, units removed" if name == "removed" else name), m
    speedup = theoretical_speedup(view.model, view.plan, table)
    if speedup is not None:
        yield "Theoretical speed-up", speedup
    timed = removal.timed(view)
    if timed is not None:
        yield "Measured speed-up", timed.ratio


def _text(m: Measurement) -> str:
    if m.unit == "bytes":
        return bytes_text(m.value)
    if m.unit == "x":
        return times(m.value)
    return f"{m.value:,.0f}"
