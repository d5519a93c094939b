"""What was measured of this model on this data before, by any run on this machine: listed, and put on the chart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.analysis.comparison.comparison import Comparison
from explorer.analysis.comparison.naming import in_words_of
from explorer.analysis.comparison.protocol import in_words
from explorer.analysis.comparison.seeds import curves_of, kind_of
from explorer.store.records import PointRecord
from explorer.types import Dataset, LoadedModel, TradeOff, TradeOffPoint
from explorer.ui.shell import recording, session
from explorer.ui.widgets.persistent_widget import remembered, value

_KEPT, _KIND, _SHOW = "_earlier_kept", "earlier_kind", "earlier_show"
_ALL = "all"
_SEED = re.compile(r", seed=\d+")


@dataclass(frozen=True)
class Kept:
    """The records as they were when the visitor came: rows do not move while new points are kept."""

    of: tuple[str, str, str | None]
    records: tuple[PointRecord, ...]

    def beside(self, comparison: Comparison) -> tuple[PointRecord, ...]:
        """Those that the comparison does not measure anyway."""
        measured = {kind_of(method.spec.to_json()) for method in comparison.compared}
        return tuple(r for r in self.records if r.point.protocol or kind_of(r.point.spec) not in measured)


def arrive() -> None:
    """Look the records up anew for a visitor who comes from another page; for one who stays, rows stay in place."""
    # Streamlit forgets the state of widgets that the page before did not draw.
    if _SHOW not in st.session_state:
        st.session_state.pop(_KEPT, None)


def shown(model: LoadedModel, dataset: Dataset, comparison: Comparison) -> tuple[TradeOff, ...]:
    """The chosen records as curves for the chart: together is what differs in level and seed alone."""
    listed = _listed(_kept(model, dataset).beside(comparison))
    if not value(_SHOW, True):
        return ()
    return curves_of([record.point for record in recording.chosen(listed, _key(listed))], _label)


def draw(model: LoadedModel, dataset: Dataset, comparison: Comparison) -> TradeOffPoint | None:
    """The table; returns the point whose setting is to be opened."""
    records = _kept(model, dataset).beside(comparison)
    if not records:
        return None
    with st.container(border=True, key="earlier_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="earlier_head"):
            st.header(f"Measured before ({len(records):,})", anchor=False, width="stretch")
            _kinds(records)
            st.checkbox(
                "Show on the chart",
                key=_SHOW,
                help="The chosen rows stand beside the curves above.",
                on_change=remembered(_SHOW, True),
            )
            place = st.container(width="content")
        listed = _listed(records)
        chosen = recording.table(listed, _key(listed))
        opened = place.button(
            "Open on Explore",
            icon=":material/tune:",
            key="earlier_open",
            disabled=len(chosen) != 1,
            help="Takes this row's setting to the explore page." if len(chosen) == 1 else "Choose one row first.",
        )
        st.caption("By any run on this machine, recovered and searched models too. Chosen rows join the chart.")
    return chosen[0].point if opened and len(chosen) == 1 else None


def _kept(model: LoadedModel, dataset: Dataset) -> Kept:
    of = (model.digest, dataset.digest, session.workspace().source.metric)
    stored: Kept | None = st.session_state.get(_KEPT)
    if stored is None or stored.of != of:
        stored = st.session_state[_KEPT] = Kept(of, tuple(recording.earlier(model, dataset)))
    return stored


def _kinds(records: Sequence[PointRecord]) -> None:
    """Where the points come from, if from several places."""
    kinds = _kinds_of(records)
    if len(kinds) < 3:
        return
    st.segmented_control(
        "From",
        kinds,
        key=_KIND,
        format_func=lambda kind: recording.KINDS.get(kind, kind),
        label_visibility="collapsed",
        wrap=True,
        required=True,
        on_change=remembered(_KIND, _ALL, kinds),
    )


def _kinds_of(records: Sequence[PointRecord]) -> list[str]:
    return [_ALL, *dict.fromkeys(record.kind for record in records)]


def _listed(records: Sequence[PointRecord]) -> list[PointRecord]:
    kind = value(_KIND, _ALL, _kinds_of(records))
    return [record for record in records if kind in (_ALL, record.kind)]


def _key(listed: Sequence[PointRecord]) -> str:
    """Rows are chosen by their place: another list is another table."""
    digest = hashlib.sha256(str([record.id for record in listed]).encode()).hexdigest()
    return f"earlier_points_{digest[:12]}"


def _label(point: TradeOffPoint) -> str:
    done = in_words(point.protocol) if point.protocol else "before"
    # A curve may hold several seeds: the name of its first point says only one.
    setting = in_words_of(point.spec) or point.label
    return f"{_SEED.sub('', setting)}, {done}"
