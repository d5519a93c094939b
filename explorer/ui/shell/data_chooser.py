"""Which data a model is evaluated on: the sources with what each needs, and what is wrong beside its field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import ExplorerError
from explorer.types.aliases import JsonDict
from explorer.types.tasks import STATED_TASKS
from explorer.ui.shell import session
from explorer.workbench.workspace import Source

_PICTURES, _ARRAYS = ("size", "mean", "std", "splits"), ("splits", "task")


@dataclass(frozen=True)
class Kind:
    """One source on the screen: what it is called, what its place is, and the fields that it has."""

    label: str
    place: str = ""
    fields: tuple[str, ...] = ()
    about: str = ""


KINDS: dict[str, Kind] = {
    "digits": Kind("Handwritten digits"),
    "topics": Kind("Documentation text"),
    "folder": Kind("A folder of images", "A folder, or a ZIP file of one, with a folder for each class.", _PICTURES),
    "npz": Kind("An .npz file", "Arrays x and y, or x_fit, y_fit, x_tune, ...", (*_PICTURES[1:], "task")),
    "csv": Kind("A CSV table", "One row a sample; FILE#COLUMN names the target, else y or the last is.", _ARRAYS),
    "text": Kind("Texts", "A UTF-8 text or a folder of them; one folder per class for classifiers.", ("splits",)),
    "hf": Kind("A datasets folder", "What save_to_disk of the datasets library has made.", _ARRAYS),
    "none": Kind(
        "No data", about="The pruned model is compared with the dense one on generated inputs: agreement, not accuracy."
    ),
}
"""The sources of ``explorer.data``, in the order of the screen."""


@dataclass
class RefusalPlaces:
    """Where a refusal is drawn: below the field that it is about."""

    below: dict[str, DeltaGenerator] = field(default_factory=dict)

    def after(self, name: str) -> None:
        """The place below the field that was just drawn."""
        self.below[name] = st.empty()

    def refuse(self, error: ExplorerError) -> None:
        """Draw a refusal below its field; below the path where it names none."""
        name = next((name for name in self.below if error.what.startswith((f"{name} ", f"{name}="))), "")
        place = self.below.get(name) or self.below.get("path")
        if place is None:
            session.refusal(error)
            return
        with place.container():
            session.refusal(error)


def draw(source: Source, usual: str) -> tuple[JsonDict, RefusalPlaces]:
    """The choice and its fields; gives the changes of the source that were chosen, and where refusals go."""
    key, _, at = (source.data or usual).partition(":")
    kinds = [name for name, kind in KINDS.items() if not kind.place or session.roots()]
    chosen = st.selectbox(
        "Data", kinds, index=kinds.index(key) if key in kinds else 0, format_func=lambda name: KINDS[name].label
    )
    kind, places = KINDS[chosen], RefusalPlaces()
    if kind.about:
        st.caption(kind.about)
    changes: JsonDict = {"data": chosen, **dict.fromkeys(("size", "mean", "std", "splits", "task", "metric"))}
    if not kind.place:
        places.after("path")
        changes["samples"] = _samples(source) if chosen != "none" else None
        return changes, places
    path = st.text_input("Path", at if chosen == key else "", help=kind.place, placeholder=kind.place)
    places.after("path")
    changes["data"] = f"{chosen}:{path.strip()}"
    for name in kind.fields:
        changes[name] = _FIELDS[name](source)
        places.after(name)
    changes["samples"] = _samples(source)
    return changes, places


def _samples(source: Source) -> int | None:
    text = "The first of a stratified order, of tune and of test each: a fair part, for a first look at large data."
    return int(st.number_input("At most so many samples (0: all)", 0, None, source.samples or 0, help=text)) or None


def _size(source: Source) -> int | None:
    return int(st.number_input("Size in pixels (0: the model's)", 0, 4096, source.size or 0)) or None


def _mean(source: Source) -> str | None:
    return st.text_input("Mean", source.mean or "", placeholder="the model's own, else 0").strip() or None


def _std(source: Source) -> str | None:
    return st.text_input("Standard deviation", source.std or "", placeholder="the model's own, else 1").strip() or None


def _splits(source: Source) -> str | None:
    text = st.text_input(
        "Divide into fit/tune/test",
        source.splits or "",
        placeholder="0.5/0.25/0.25",
        help="Without this, data that are not divided are all used for tuning.",
    )
    return text.strip() or None


def _task(source: Source) -> str | None:
    tasks = (None, *(task for task in STATED_TASKS if task != "custom"))
    at = tasks.index(source.task) if source.task in tasks else 0
    return st.selectbox("Labels are", tasks, index=at, format_func=lambda name: name or "guessed from the data")


_FIELDS: dict[str, Callable[[Source], int | str | None]] = {
    "size": _size,
    "mean": _mean,
    "std": _std,
    "splits": _splits,
    "task": _task,
}
