"""What was measured of this model on this data before, by any run on this machine: listed, and put on the chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.analysis.protocol import in_words
from explorer.analysis.seeds import curves_of
from explorer.store.records import PointRecord
from explorer.types import Dataset, LoadedModel, TradeOff, TradeOffPoint
from explorer.ui import kept

_KEPT, _KIND, _SHOW = "_earlier_kept", "earlier_kind", "earlier_show"
_KINDS = {"drag": "Explore", "sweep": "sweeps", "evaluate": "evaluate", "recover": "recovered", "search": "searched"}
_ALL = "all"


@dataclass(frozen=True)
class Kept:
    """The records as they were when the visitor came: rows do not move while new points are kept."""

    of: tuple[str, str]
    records: tuple[PointRecord, ...]
    visit: int


def arrive() -> None:
    """Look the records up anew for a visitor who comes from another page; for one who stays, rows stay in place."""
    known: Kept | None = st.session_state.get(_KEPT)
    # Streamlit forgets the state of widgets that the page before did not draw.
    if known is not None and _SHOW not in st.session_state:
        st.session_state[_KEPT] = Kept(("", ""), (), known.visit)


def shown(model: LoadedModel, dataset: Dataset) -> tuple[TradeOff, ...]:
    """The chosen records as curves for the chart: together is what differs in level and seed alone."""
    found = _kept(model, dataset)
    if not st.session_state.get(f"_{_SHOW}", True):
        return ()
    return curves_of([record.point() for record in kept.chosen(_listed(found), _key(found))], _label)


def draw(model: LoadedModel, dataset: Dataset) -> TradeOffPoint | None:
    """The table; returns the point whose setting is to be opened."""
    found = _kept(model, dataset)
    if not found.records:
        return None
    with st.container(border=True, key="earlier_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="earlier_head"):
            st.markdown(f"**Measured before** ({len(found.records):,})", width="stretch")
            _kinds(found)
            st.session_state[_SHOW] = bool(st.session_state.get(f"_{_SHOW}", True))
            st.checkbox(
                "Show on the chart",
                key=_SHOW,
                help="The chosen rows stand beside the curves above.",
                on_change=lambda: st.session_state.update({f"_{_SHOW}": st.session_state[_SHOW]}),
            )
            place = st.container(width="content")
        chosen = kept.table(_listed(found), _key(found))
        opened = place.button(
            "Open on Explore",
            icon=":material/tune:",
            key="earlier_open",
            disabled=len(chosen) != 1,
            help="Takes this row's setting to the explore page." if len(chosen) == 1 else "Choose one row first.",
        )
        st.caption("Recovered and searched models are kept here too. Choose rows to compare them with the curves.")
    return chosen[0].point() if opened and len(chosen) == 1 else None


def _kept(model: LoadedModel, dataset: Dataset) -> Kept:
    of = (model.digest, dataset.digest)
    known: Kept | None = st.session_state.get(_KEPT)
    if known is None or known.of != of:
        visit = known.visit + 1 if known is not None else 0
        known = st.session_state[_KEPT] = Kept(of, tuple(kept.earlier(model, dataset)), visit)
    return known


def _kinds(found: Kept) -> None:
    """Where the points come from, if from several places."""
    kinds = list(dict.fromkeys(record.kind for record in found.records))
    if len(kinds) < 2:
        return
    st.session_state[_KIND] = _kind(found)
    st.segmented_control(
        "From",
        [_ALL, *kinds],
        key=_KIND,
        format_func=lambda kind: _KINDS.get(kind, kind),
        label_visibility="collapsed",
        wrap=True,
        on_change=lambda: st.session_state.update({f"_{_KIND}": st.session_state[_KIND] or _ALL}),
    )


def _kind(found: Kept) -> str:
    kind = str(st.session_state.get(f"_{_KIND}", _ALL))
    return kind if any(record.kind == kind for record in found.records) else _ALL


def _listed(found: Kept) -> Sequence[PointRecord]:
    kind = _kind(found)
    return [record for record in found.records if kind in (_ALL, record.kind)]


def _key(found: Kept) -> str:
    """Rows are chosen by their place: another list is another table."""
    return f"earlier_points_{found.visit}_{_kind(found)}"


def _label(point: TradeOffPoint) -> str:
    done = f", {in_words(point.protocol)}" if point.protocol else ", before"
    return f"{point.label}{done}"
