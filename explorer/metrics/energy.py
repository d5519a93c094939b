"""What one forward pass costs in energy: estimated from counts, and measured where the machine has a meter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, Refusal
from explorer.metrics.origin import machine, today
from explorer.types import Measurement

PICOJOULE = 1e-12
POWERCAP = Path("/sys/class/powercap")
ASSUMPTIONS = (
    "A 45 nm chip and 32-bit floats: 3.7 pJ for a multiplication, 0.9 pJ for an addition, 640 pJ for a word from "
    "main memory, 5 pJ for a word from on-chip memory (Horowitz 2014; Han et al. 2015). Every weight comes from main "
    "memory once per batch, every activation from on-chip memory. Today's chips need less: compare, do not add up."
)
_METER = "The whole processor package, with everything else that it did meanwhile."


@dataclass(frozen=True)
class Costs:
    """Picojoules for 32-bit words.

    Source: Horowitz 2014, Computing's energy problem, doi:10.1109/ISSCC.2014.6757323 (45 nm, 0.9 V); the words from
    memory as in Han et al. 2015, arXiv:1506.02626, figure 1, which takes them from there.
    """

    multiply: float = 3.7
    add: float = 0.9
    main_memory_word: float = 640.0
    on_chip_word: float = 5.0


def estimated(
    macs: float, weight_bytes: float, moved_bytes: float, *, batch: int = 1, costs: Costs | None = None
) -> Measurement:
    """Joules of one pass over ``batch`` inputs, estimated; see ``ASSUMPTIONS``.

    ``macs``: of one input. ``weight_bytes``: of all weights, read once. ``moved_bytes``: activations that the whole
    pass reads and writes (``memory.traffic``). Dense kernels multiply zeros too: for a masked model give the
    dense MACs, for a sliced one those left.
    """
    c = costs or Costs()
    picojoules = (
        macs * batch * (c.multiply + c.add) + weight_bytes / 4 * c.main_memory_word + moved_bytes / 4 * c.on_chip_word
    )
    return Measurement("energy", picojoules * PICOJOULE, "joules", "estimated", batch_size=batch, note=ASSUMPTIONS)


def watt_hours(per_call: Measurement, n: int = 1000) -> float:
    """Watt-hours for ``n`` inputs, of what one call on ``batch_size`` of them uses in joules.

    Example:
        >>> watt_hours(Measurement("energy", 36.0, "joules", "measured", batch_size=10))
        1.0
    """
    return per_call.value / (per_call.batch_size or 1) * n / 3600


def why_not_measured(powercap: Path = POWERCAP) -> Refusal | None:
    """The reason in a sentence why this machine's energy cannot be measured, or None when it can."""
    domains = _packages(powercap)
    if not domains:
        return Refusal("This machine shows no energy meter (RAPL); tools that use a rated power instead only estimate.")
    if not all(_readable(domain / "energy_uj") for domain in domains):
        return Refusal("The energy meter (RAPL) of this machine may be read by its administrator alone.")
    return None


def measured(
    run: Callable[[], Any], *, batch: int = 1, calls: int = 10, seconds: float = 1.0, powercap: Path = POWERCAP
) -> Measurement:
    """Joules of one call of ``run``, by the processor's own meter, over at least ``calls`` calls and ``seconds``.

    Raises ExplorerError where there is no meter (``why_not_measured``).
    """
    why_not = why_not_measured(powercap)
    if why_not:
        raise ExplorerError("Energy cannot be measured here.", why=why_not, fix="Use the estimate.")
    meters = [_Meter(domain) for domain in _packages(powercap)]
    run()
    for meter in meters:
        meter.read()
    used, n, began = 0, 0, time.perf_counter()
    while n < calls or time.perf_counter() - began < seconds:
        run()
        n += 1
        # Read after every call: the counters wrap around, some of them within a minute.
        used += sum(meter.read() for meter in meters)
    joules = used * 1e-6 / n
    return Measurement(
        "energy", joules, "joules", "measured", n=n, batch_size=batch, machine=machine(), date=today(), note=_METER
    )


class _Meter:
    """One processor package's counter of microjoules."""

    def __init__(self, domain: Path) -> None:
        self._counter = domain / "energy_uj"
        self._range = int((domain / "max_energy_range_uj").read_text())
        self._last = int(self._counter.read_text())

    def read(self) -> int:
        """Microjoules since the last reading."""
        now = int(self._counter.read_text())
        used = now - self._last
        self._last = now
        return used if used >= 0 else used + self._range


def _packages(powercap: Path) -> list[Path]:
    """The folders of whole processor packages; their parts are inside the same numbers."""
    packages = []
    for name in sorted(powercap.glob("*rapl:*/name")):
        if name.parent.name.startswith("intel-rapl-mmio"):
            continue  # the same packages once more
        if _readable(name) and name.read_text().strip().startswith("package"):
            packages.append(name.parent)
    return packages


def _readable(path: Path) -> bool:
    try:
        path.read_text()
    except OSError:
        return False
    return True
