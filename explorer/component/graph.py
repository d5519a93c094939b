"""The network as a graph that is looked at: zoomed, searched, and a box of it chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.errors import ExplorerError
from explorer.params.numerals import short
from explorer.types.aliases import JsonDict

Role = Literal["", "scored", "consumes"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node: its ``label``, a line ``about`` it, whether it is lit, and ``words`` for a screen reader."""

    name: str
    label: str
    about: str = ""
    role: Role = ""
    is_joint: bool = False
    words: str = ""


def graph_part(
    boxes: Sequence[Box],
    sizes: Mapping[str, Point],
    places: Mapping[str, Point],
    paths: Sequence[Sequence[Point]],
    *,
    chosen: str = "",
    words: str = "",
    file: str = "network.svg",
) -> JsonDict:
    """What the module is told. ``sizes`` and ``places``: width and height, and the middle, of each box in pixels.

    ``words`` says to a screen reader what is drawn; ``file`` is the name under which the picture is saved.
    """
    nodes = [
        {
            "name": box.name,
            "label": box.label,
            "about": box.about,
            "role": box.role,
            "joint": box.is_joint,
            "words": box.words or box.label,
            "at": [round(x, 1) for x in places[box.name]],
            "size": [round(x, 1) for x in sizes[box.name]],
        }
        for box in boxes
    ]
    lines = [[round(x, 1) for point in path for x in point] for path in paths]
    return {"nodes": nodes, "lines": lines, "chosen": chosen, "words": words, "file": file}


def parse_node(value: object, names: Collection[str]) -> str | None:
    """The name of the box that was chosen; None where none was. Raises ExplorerError for what is no box."""
    if value is None:
        return None
    if not isinstance(value, str) or value not in names:
        raise ExplorerError(
            "The graph sent something that is none of its boxes.",
            why=f"It was {short(value, 60)}.",
            fix="Reload the page.",
        )
    return value
