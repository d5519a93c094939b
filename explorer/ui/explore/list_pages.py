"""A long list of groups in pages: the search, the order and the pager above the histograms."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.types import PruningGroup
from explorer.ui.widgets.persistent_widget import put, remembered, value
from explorer.workbench.paging import ORDERS, Order, Page, is_long, page_of

SCOPE = "on this page"
_LABELS: dict[Order, str] = {"model": "model order", "size": "largest first"}


def chosen(groups: Sequence[PruningGroup]) -> tuple[tuple[PruningGroup, ...], str]:
    """The groups to show, and in words what part of all of them they are; nothing is drawn where all are shown."""
    with st.container(key="list_pages"):  # a place that stays, whatever the list
        if not is_long(groups):
            return tuple(groups), ""
        page = _page(groups)
        st.caption(_in_words(page, len(groups)))
    return page.groups, SCOPE


def present(groups: Sequence[PruningGroup]) -> tuple[PruningGroup, ...]:
    """The groups that :func:`chosen` shows now; draws nothing."""
    if not is_long(groups):
        return tuple(groups)
    order: Order = value("list_order", ORDERS[0], ORDERS)
    return page_of(groups, query=value("list_query", ""), order=order, number=value("list_number", 1)).groups


def _in_words(page: Page, n: int) -> str:
    shown = f"{page.first:,} to {page.first + len(page.groups) - 1:,} of {page.n_matching:,}" if page.groups else "No"
    matching = "" if page.n_matching == n else f" that match, of {n:,} in all"
    return f"{shown} layers{matching}. Presets and lines that move together reach the other pages, too."


def _page(groups: Sequence[PruningGroup]) -> Page:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.text_input("Find a layer", key="list_query", on_change=remembered("list_query", ""))
        changed = remembered("list_order", ORDERS[0], ORDERS)
        order: Order = st.selectbox(
            "Order", list(ORDERS), format_func=lambda key: _LABELS[key], key="list_order", on_change=changed, width=160
        )
        page = page_of(groups, query=query, order=order, number=value("list_number", 1))
        put("list_number", page.number)
        label = f"Page (of {page.n_pages:,})"
        changed = remembered("list_number", 1)
        st.number_input(label, 1, page.n_pages, key="list_number", on_change=changed, width=150)
    return page
