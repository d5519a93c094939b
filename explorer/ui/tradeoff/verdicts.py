"""The verdict of the trade-off page: what is better than the controls, by how much, and for what that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from explorer.analysis.comparison.verdict import METHOD, Verdict, compared, telling
from explorer.errors import ExplorerError
from explorer.pruning.controls import MAGNITUDE, NAMES, RANDOM
from explorer.store.looks import looks
from explorer.text.names import model_name, plain
from explorer.types import Dataset, LoadedModel, TradeOff
from explorer.ui.tradeoff.methods import Way
from explorer.ui.widgets.persistent_widget import remembered

_AT = "verdict_at"
_IN_SIGHT = 3


@dataclass(frozen=True)
class Rival:
    """A way with its curve and its verdicts against chance and, where that is another way, plain magnitude."""

    way: Way
    curve: TradeOff
    against_chance: tuple[Verdict, ...]
    against_magnitude: tuple[Verdict, ...]

    def at(self, ratio: float) -> list[Verdict]:
        """Its verdicts at one level, chance first."""
        return [v for v in (*self.against_chance, *self.against_magnitude) if v.at == ratio]


def draw(model: LoadedModel, dataset: Dataset, ways: Sequence[Way], curves: Sequence[TradeOff], budget: float) -> None:
    """One line on the best way at one level, the other ways below it, and how far the claim reaches."""
    rivals = rivals_of(ways, curves)
    levels = sorted({v.at for rival in rivals for v in rival.against_chance})
    with st.container(horizontal=True, vertical_alignment="center", key="verdict_head"):
        place = st.container(width="stretch")
        at = _at(levels, _furthest(rivals, budget)) if levels else None
    ranked = _ranked(rivals, at) if at is not None else []
    if not ranked or at is None:
        place.markdown("**No verdict yet**: a way and its control must be measured at one size.")
    else:
        place.markdown(f"**{sentence(ranked[0], at)}**")
        for rival in ranked[1 : 1 + _IN_SIGHT]:
            st.markdown(sentence(rival, at))
        rest = ranked[1 + _IN_SIGHT :]
        if rest:
            with st.popover(f"{len(rest)} more", key="verdict_more"):
                for rival in rest:
                    st.markdown(sentence(rival, at))
    st.caption(plain(scope(model, dataset, ranked[0].at(at)[0] if ranked and at is not None else None), 600))


def rivals_of(ways: Sequence[Way], curves: Sequence[TradeOff]) -> list[Rival]:
    """Every way that is no control, against the controls of its unit."""
    named = [(way, replace(curve, label=way.full)) for way, curve in zip(ways, curves, strict=True)]
    found = []
    for way, curve in named:
        if way.is_control:
            continue
        beside = [(w, c) for w, c in named if w.unit == way.unit]
        chance = next((c for w, c in beside if w.is_control and w.spec.criterion.key == RANDOM), None)
        magnitudes = (c for w, c in beside if w is not way and _is_magnitude(w))
        plain_magnitude = next((replace(c, label=NAMES[MAGNITUDE]) for c in magnitudes), None)
        found.append(
            Rival(
                way,
                curve,
                compared(curve, chance) if chance else (),
                compared(curve, plain_magnitude) if plain_magnitude and way.criterion_key != MAGNITUDE else (),
            )
        )
    return found


def sentence(rival: Rival, at: float) -> str:
    """What is known of a way at a level, against chance and against magnitude, ready for the screen."""
    said = [v.sentence for v in rival.at(at)]
    if len(said) > 1:
        said[1] = f"it{said[1].removeprefix(rival.curve.label)}"
    return " ".join(plain(f"{text[:1].upper()}{text[1:]}.", 200) for text in said)


def scope(model: LoadedModel, dataset: Dataset, found: Verdict | None) -> str:
    """How far the claim reaches: model, data, samples, seeds, how its interval was made, and looks at test."""
    n = len(dataset.splits["tune"])
    samples = (
        f"tune samples of {model_name(dataset.address)}" if dataset.splits["tune"].y is not None else "generated inputs"
    )
    parts = [f"On {model_name(model.address)}, {n:,} {samples}, and on no other model or data."]
    if found is not None:
        seeds = found.second_seeds
        parts.append(f"{METHOD} ({seeds} seed{'s' if seeds != 1 else ''} of the control).")
    return " ".join([*parts, _looks(model, dataset)])


def _looks(model: LoadedModel, dataset: Dataset) -> str:
    if "test" not in dataset.splits:
        return "There is no test split."
    try:
        n = looks(model.digest, dataset.digest)
    except ExplorerError:
        return "How often the test split was looked at cannot be read."
    times = "once" if n == 1 else f"{n:,} times"
    return f"The locked test split was looked at {times} so far; this page never looks at it."


def _at(levels: Sequence[float], furthest: float | None) -> float:
    """The level that the verdict is about: chosen by the visitor, else the furthest within the budget."""
    at: float = st.selectbox(
        "Verdict at",
        levels,
        key=_AT,
        format_func=lambda ratio: f"at {ratio:g}×",
        label_visibility="collapsed",
        width=110,
        help="The compression that was asked for. At first the furthest within the budget of accuracy.",
        on_change=remembered(_AT, furthest if furthest in levels else levels[0], levels),
    )
    return at


def _furthest(rivals: Sequence[Rival], budget: float) -> float | None:
    found = [telling(rival.curve, rival.against_chance, budget) for rival in rivals]
    return max((v.at for v in found if v is not None), default=None)


def _ranked(rivals: Sequence[Rival], at: float) -> list[Rival]:
    """Those with a verdict at this level, the most accurate first."""
    there = [rival for rival in rivals if any(v.at == at for v in rival.against_chance)]
    return sorted(there, key=lambda rival: -next(v.difference for v in rival.against_chance if v.at == at))


def _is_magnitude(way: Way) -> bool:
    return way.criterion_key == MAGNITUDE and way.spec.allocation.key == "global"
