"""Energy: the estimate against a sum by hand, the meter against a folder that plays one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.metrics.energy import ASSUMPTIONS, Costs, estimated, measured, why_not_measured


def meter(root: Path, name: str = "intel-rapl:0", *, label: str = "package-0", at: int = 0, wraps: int = 10**9) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n")
    (folder / "energy_uj").write_text(f"{at}\n")
    (folder / "max_energy_range_uj").write_text(f"{wraps}\n")
    return folder / "energy_uj"


def uses(counter: Path, microjoules: int, wraps: int = 10**9) -> Callable[[], None]:
    def run() -> None:
        counter.write_text(str((int(counter.read_text()) + microjoules) % wraps))

    return run


def test_the_estimate_is_the_sum_of_multiplications_additions_and_words_moved() -> None:
    # 1000 MACs at 3.7 + 0.9 pJ, 50 weights at 640 pJ, 20 words on the chip at 5 pJ.
    found = estimated(1000, 200, 80)
    assert found.value == pytest.approx((4600 + 32_000 + 100) * 1e-12)
    assert (found.unit, found.origin, found.note) == ("joules", "estimated", ASSUMPTIONS)


def test_a_batch_multiplies_the_work_and_reads_the_weights_once() -> None:
    # moved_bytes is of the whole pass already.
    assert estimated(1000, 200, 320, batch=4).value == pytest.approx((4 * 4600 + 32_000 + 400) * 1e-12)


def test_other_constants_may_be_given() -> None:
    assert estimated(10, 0, 0, costs=Costs(multiply=1.0, add=0.0)).value == pytest.approx(10e-12)


def test_the_assumptions_name_their_sources() -> None:
    assert "45 nm" in ASSUMPTIONS
    assert "Horowitz 2014" in ASSUMPTIONS


def test_the_meter_gives_joules_for_each_call(tmp_path: Path) -> None:
    counter = meter(tmp_path, at=12_345)
    found = measured(uses(counter, 250), calls=8, seconds=0, batch=2, powercap=tmp_path)
    assert found.value == pytest.approx(250e-6)
    assert (found.origin, found.unit, found.n, found.batch_size) == ("measured", "joules", 8, 2)
    assert found.machine


def test_a_counter_that_wraps_around_loses_nothing(tmp_path: Path) -> None:
    counter = meter(tmp_path, at=900, wraps=1000)
    found = measured(uses(counter, 300, wraps=1000), calls=10, seconds=0, powercap=tmp_path)
    assert found.value == pytest.approx(300e-6)


def test_packages_are_added_and_their_parts_and_doubles_are_not(tmp_path: Path) -> None:
    first = meter(tmp_path)
    second = meter(tmp_path, "intel-rapl:1", label="package-1")
    part = meter(tmp_path, "intel-rapl:0:0", label="core")
    double = meter(tmp_path, "intel-rapl-mmio:0")
    steps = [uses(counter, 100) for counter in (first, second, part, double)]
    found = measured(lambda: [step() for step in steps], calls=5, seconds=0, powercap=tmp_path)
    assert found.value == pytest.approx(200e-6)


def test_without_a_meter_it_says_why_and_measures_nothing(tmp_path: Path) -> None:
    assert "no energy meter" in str(why_not_measured(tmp_path))
    with pytest.raises(ExplorerError, match="Use the estimate"):
        measured(lambda: None, powercap=tmp_path)


def test_a_meter_for_administrators_alone_says_so(tmp_path: Path) -> None:
    counter = meter(tmp_path)
    counter.unlink()
    counter.mkdir()  # reading it fails, for an administrator too
    assert "administrator" in str(why_not_measured(tmp_path))
