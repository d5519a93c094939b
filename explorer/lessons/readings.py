"""What a lesson measures, each number with its origin and interval, and how it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from explorer.text.numbers import bytes_text, in_words, points, points_between, times
from explorer.types import Measurement
from explorer.types.aliases import JsonDict


@dataclass(frozen=True)
class Reading:
    """One number: what it is of (``label``), and where it stands on the axis of a curve (``x``, a share)."""

    label: str
    measurement: Measurement
    x: float | None = None

    @property
    def value(self) -> float:
        """The number itself."""
        return self.measurement.value

    @property
    def shown(self) -> tuple[float, float, float]:
        """The value and the ends of its interval as they are drawn: a drop is a change downwards."""
        m = self.measurement
        low, high = m.value if m.low is None else m.low, m.value if m.high is None else m.high
        return (-m.value, -high, -low) if m.name == "drop" else (m.value, low, high)

    @property
    def words(self) -> str:
        """The value with its interval: "98.2% (97.1 – 99.0%)", "1.2× (1.1 – 1.3×)", "−0.4 pt (−0.9 to 0.0 pt)"."""
        m = self.measurement
        if m.name == "drop":
            bounds = "" if m.low is None or m.high is None else points_between(-m.high, -m.low)
            return points(-m.value) + (f" ({bounds})" if bounds else "")
        if m.unit == "x":
            is_bounded = m.low is not None and m.high is not None
            return times(m.value) + (f" ({times(m.low or 0)} – {times(m.high or 0)})" if is_bounded else "")
        return bytes_text(m.value) if m.unit == "bytes" else in_words(m)

    def to_json(self) -> JsonDict:
        """JSON-able, without what is not there."""
        measurement = {name: value for name, value in asdict(self.measurement).items() if value not in (None, "")}
        return {"label": self.label, **({} if self.x is None else {"x": self.x}), **measurement}


def labelled(readings: Iterable[Reading], label: str) -> tuple[Reading, ...]:
    """The readings of one question: a single one is called by its ``label``, several keep their own names."""
    measured = tuple(readings)
    return (replace(measured[0], label=label),) if label and len(measured) == 1 else measured


def reading_of(readings: Sequence[Reading], label: str) -> Reading | None:
    """The reading of that name; None where there is none."""
    return next((reading for reading in readings if reading.label == label), None)
