"""The workspace in the address bar: a link restores model, data, request and page."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TypeAlias, get_args

from explorer.data.prefix import how_many
from explorer.data.request import square
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.pruning.spec import PruneSpec
from explorer.types.aliases import JsonObject
from explorer.workbench.events import Mode, Scale
from explorer.workbench.workspace import DEFAULT_MODEL, LessonPlace, Source, Workspace

Control: TypeAlias = bool | int | float | str | list[bool | int | float | str]
MODES, SCALES = get_args(Mode), get_args(Scale)
_MOST_CHOSEN = 100
_LONGEST = 20_000
_MOST_BYTES = 500_000
_LONGEST_STEP = 4
_LONGEST_SEAT = 64
_DENSE = "dense"


def encode(spec: PruneSpec) -> str:
    """A request as a short text for a link: what differs from the default, compressed."""
    default = PruneSpec().to_json()
    return _packed({part: value for part, value in spec.to_json().items() if value != default.get(part)})


def decode(text: str) -> PruneSpec:
    """The inverse of :func:`encode`; a link that was cut or made up is refused in a sentence."""
    if not text:
        return PruneSpec()
    try:
        return PruneSpec.from_json(_unpacked(text))
    except (ValueError, binascii.Error, zlib.error):
        raise ExplorerError(
            "The setting in this link cannot be read.",
            why="It was cut off or changed on the way.",
            fix="Ask for the whole link, or start from the dense model.",
        ) from None


def controls_of(parameters: Mapping[str, str]) -> dict[str, Control]:
    """What was chosen on the pages, by the name of its widget; whoever draws the widget checks the value.

    Nothing of a text that was cut or changed: the setting itself is in another part of the link.
    """
    return _values(parameters.get("controls", ""))


def _values(text: str) -> dict[str, Control]:
    try:
        chosen = json.loads(_unpacked(text) or "{}")
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        return {}
    return {name: value for name, value in chosen.items() if _is_control(value)} if isinstance(chosen, dict) else {}


def place_of(parameters: Mapping[str, str]) -> LessonPlace:
    """Where in a lesson a link leads to; whoever draws the lesson checks name, step and answers."""
    step = parameters.get("step", "")
    number = int(step) - 1 if step.isascii() and step.isdecimal() and len(step) < _LONGEST_STEP else 0
    hide = tuple(filter(None, parameters.get("hide", "").split(",")))[:_MOST_CHOSEN]
    return LessonPlace(parameters.get("lesson", ""), max(0, number), dict(_values(parameters.get("answers", ""))), hide)


def parameters_of_place(place: LessonPlace) -> dict[str, str]:
    """The inverse of :func:`place_of`; outside of a lesson only what is hidden."""
    if not place.lesson:
        return query({"hide": ",".join(place.hide)})
    answers = _packed(dict(sorted(place.answers.items())))
    step = str(place.step + 1) if place.step else ""
    return query({"lesson": place.lesson, "step": step, "answers": answers, "hide": ",".join(place.hide)})


def _is_control(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_CHOSEN and all(isinstance(one, bool | int | float | str) for one in value)
    return isinstance(value, bool | int | float | str)


def _packed(values: JsonObject) -> str:
    if not values:
        return ""
    packed = zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _unpacked(text: str) -> str:
    if not text:
        return ""
    if len(text) > _LONGEST:
        raise ValueError("a link of this length was not made here")
    unpacker = zlib.decompressobj()
    packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    plain = unpacker.decompress(packed, _MOST_BYTES)
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError("more than a link holds, or cut off")
    return plain.decode()


def restore(parameters: Mapping[str, str]) -> tuple[Workspace, tuple[ExplorerError, ...]]:
    """The workspace that a link's query parameters describe, and the refusals of what in them cannot be read.

    Links of every earlier version are read, too.
    """
    refusals = []
    arch, data, mean, std, splits, task, metric = (
        parameters.get(name) or None for name in ("arch", "data", "mean", "std", "splits", "task", "metric")
    )
    source = Source(parameters.get("model") or DEFAULT_MODEL, arch, data, mean=mean, std=std, splits=splits, task=task)
    source = replace(source, metric=metric if metric in METRICS.members else None)
    workspace = Workspace(source=source)
    mode = parameters.get("lines", "")
    workspace.mode = mode if mode in MODES else workspace.mode
    workspace.layer = parameters.get("layer", "")
    workspace.place = place_of(parameters)
    workspace.seat = parameters.get("seat", "")[:_LONGEST_SEAT]
    workspace.invitation = "" if workspace.seat else parameters.get("class", "")[:_LONGEST_SEAT]
    workspace.scale = parameters["scale"] if parameters.get("scale") in SCALES else workspace.scale
    try:
        workspace.source = replace(workspace.source, size=square(parameters.get("size", "")))
        workspace.source = replace(workspace.source, samples=how_many(parameters.get("samples", "")))
    except ExplorerError as refusal:
        refusals.append(refusal)
    try:
        workspace.spec = decode(parameters.get("spec", ""))
        workspace.setting_a = _setting_a(parameters.get("a", ""))
    except ExplorerError as refusal:
        refusals.append(refusal)
    return workspace, tuple(refusals)


def _setting_a(text: str) -> PruneSpec | None:
    """What is held as A: nothing, nothing pruned, or a setting."""
    if not text:
        return None
    return PruneSpec() if text == _DENSE else decode(text)


def parameters_of(workspace: Workspace, controls: JsonObject | None = None) -> dict[str, str]:
    """The query parameters from which :func:`restore` makes an equal workspace; what is as at the start is left out.

    ``controls``: what was chosen on the pages, for :func:`controls_of`.
    """
    parameters = query({**asdict(workspace.source), "spec": encode(workspace.spec), "layer": workspace.layer})
    if workspace.source == Source():
        parameters.pop("model", None)
    if workspace.mode != Workspace().mode:
        parameters["lines"] = workspace.mode
    if workspace.scale != Workspace().scale:
        parameters["scale"] = workspace.scale
    parameters |= parameters_of_place(workspace.place) | query({"seat": workspace.seat, "class": workspace.invitation})
    if workspace.setting_a is not None:
        parameters["a"] = encode(workspace.setting_a) or _DENSE
    if controls:
        parameters["controls"] = _packed(dict(sorted(controls.items())))
    return parameters


def query(values: JsonObject) -> dict[str, str]:
    """Query parameters without the empty ones."""
    return {name: str(value) for name, value in values.items() if value not in (None, "", ())}
