"""Columns of tables for what was measured and how it changed: in per cent and points, or in the metric's own unit."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.text.delta import in_unit, named, worse_is_up
from explorer.text.numbers import change_bare, percent, points_bare, valued
from explorer.types import Measurement
from explorer.types.aliases import JsonDict
from explorer.types.results import FIRST_NAMES
from explorer.ui.widgets.table import Texts

_COLUMN = st.column_config


def columns(first: Measurement, drop: Measurement, *, on: str = "") -> JsonDict:
    """``accuracy`` and ``change`` of a metric that was chosen; nothing where it is the task's own first one."""
    if first.name in FIRST_NAMES:
        return {}
    unit, name = in_unit(drop), first.name.replace("_", " ")
    worse = "positive" if worse_is_up(drop) else "negative"
    about = f"Pruned minus dense on the same samples: {worse} is worse."
    return {
        "accuracy": _COLUMN.NumberColumn(name[0].upper() + name[1:], width=80, help=on or None),
        "change": _COLUMN.NumberColumn(f"{named(name)}, {unit}" if unit else named(name), width=100, help=about),
    }


def texts(first: Measurement, drop: Measurement) -> Texts:
    """How the numbers of both read, and of ``predicted`` changes."""
    change = points_bare if drop.unit == "fraction" else change_bare
    value = percent if first.unit == "fraction" else partial(valued, unit=first.unit)
    return {"accuracy": value, "change": change, "predicted": change}
