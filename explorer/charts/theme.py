"""The colours of every chart, light and dark, told apart by colour-blind people too.

Blue and orange carry good and bad, never green and red; curves differ in marker and dash as well as in hue.
Source: after Okabe & Ito 2008, "Color universal design" (jfly.uni-koeln.de/color), shifted to the app's indigo.
"""

from __future__ import annotations

from dataclasses import dataclass

# Plotly draws "inherit" in its own font, so the family is named; `dataclasses.replace` gives another.
FONT = '"Source Sans", "Source Sans Pro", system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'
Stops = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Theme:
    """What the builders ask for. Colours are "#rrggbb"; ``background`` is what lies behind the transparent chart."""

    text: str
    muted: str
    grid: str
    background: str
    accent: str
    second: str
    control: str
    pruned: str
    now: str
    good: str
    bad: str
    curves: tuple[str, ...]
    sequential: Stops
    diverging: Stops
    band: float = 0.13
    font: str = FONT

    @classmethod
    def light(cls) -> Theme:
        return _LIGHT

    @classmethod
    def dark(cls) -> Theme:
        return _DARK

    def translucent(self, colour: str, opacity: float) -> str:
        """ "#rrggbb" as "rgba(...)"."""
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity:g})"


_LIGHT = Theme(
    text="#1d2129",
    muted="#6b7280",
    grid="#e4e5ea",
    background="#ffffff",
    accent="#4f56c8",
    second="#1b9e9a",
    control="#a3a7b3",
    pruned="#d1d3d9",
    now="#e8890c",
    good="#1668a8",
    bad="#c2500a",
    curves=("#4f56c8", "#1b9e9a", "#b8558b", "#3b9bdc", "#8a6a16", "#5b6270"),
    sequential=((0.0, "#f3f4fb"), (0.25, "#c9ccf0"), (0.5, "#8d92df"), (0.75, "#5a60cb"), (1.0, "#2c3188")),
    diverging=((0.0, "#b4540a"), (0.25, "#eaa45c"), (0.5, "#f7f7f9"), (0.75, "#7fa8d8"), (1.0, "#124f8c")),
)
_DARK = Theme(
    text="#eceef3",
    muted="#98a0ae",
    grid="#2a2e38",
    background="#171a21",
    accent="#8f95ff",
    second="#4fd1c5",
    control="#666d7c",
    pruned="#434853",
    now="#ffb454",
    good="#6cb6ff",
    bad="#ff9d5c",
    curves=("#8f95ff", "#4fd1c5", "#f09ac8", "#6fc1f7", "#d9c06a", "#b6bcc9"),
    sequential=((0.0, "#1f2330"), (0.25, "#363a70"), (0.5, "#5a60c0"), (0.75, "#8f95ff"), (1.0, "#dfe1ff")),
    diverging=((0.0, "#ffb066"), (0.25, "#9c5f24"), (0.5, "#20242d"), (0.75, "#2f6aa6"), (1.0, "#86c5ff")),
    band=0.22,
)
