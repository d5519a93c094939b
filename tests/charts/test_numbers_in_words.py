"""Numbers in charts read by the same rule as everywhere: a share of 0.9996 is never drawn as all."""

from __future__ import annotations

import re
from pathlib import Path

from explorer.charts import recovery

CHARTS = Path(recovery.__file__).parent


def test_no_chart_has_the_browser_round_a_share() -> None:
    rounded = [
        f"{path.name}: {match}"
        for path in CHARTS.glob("*.py")
        for match in re.findall(r"%\{+(?:y|z|customdata)[^}:]*:[^}]*%\}+", path.read_text(encoding="utf-8"))
    ]
    assert rounded == []


def test_a_schedule_that_ends_just_short_of_all_says_so() -> None:
    (line,) = recovery.course({"gradual": [(0.0, 0.0), (1.0, 0.9996)]}).data
    assert line.customdata[-1] == ">99.9%"
