"""What lessons can measure. A new one: a file here (or a class in one) and one line below."""

from __future__ import annotations

from explorer.lessons.measures.accuracy import AccuracyReached, Alone, PerClass, UnderNoise
from explorer.lessons.measures.base import Measure
from explorer.lessons.measures.costs import Files, Speed, TheoreticalSpeed
from explorer.lessons.measures.counted import Compression, EnergyBelow, LayerShares, Left, ShareBelow
from explorer.lessons.measures.trained import Ticket, Trained
from explorer.params import Registry

MEMBERS: tuple[type[Measure], ...] = (
    ShareBelow,
    EnergyBelow,
    LayerShares,
    Left,
    Compression,
    AccuracyReached,
    Alone,
    PerClass,
    UnderNoise,
    Files,
    Speed,
    TheoreticalSpeed,
    Trained,
    Ticket,
)
MEASURES: Registry[Measure] = Registry("measure", MEMBERS)
