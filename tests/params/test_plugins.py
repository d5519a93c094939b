"""Another package brings members: they are offered as ours are; one that does not fit is left out and says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT

ENTRIES = """[explorer.plugins]
criterion.largest = shelf.criterion:Largest
metric.unsure = shelf.metric:Unsure
criterion.wanda = shelf.criterion:Largest
criterion.broken = shelf.absent:Nothing
criterion.unfit = shelf.metric:Unsure
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package, as ``pip install --target`` leaves it."""
    folder = tmp_path_factory.mktemp("site")
    package, about = folder / "shelf", folder / "shelf-1.2.dist-info"
    package.mkdir()
    about.mkdir()
    (package / "__init__.py").touch()
    for name in ("criterion", "metric"):
        (package / f"{name}.py").write_text((ROOT / f"tests/contributed/{name}.py").read_text())
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    return folder


def ran(site: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
    return subprocess.run(
        [sys.executable, *command], cwd=site, env=environment, capture_output=True, text=True, check=False
    )


def test_members_of_another_package_are_offered_measured_and_named_in_what_is_recorded(site: Path) -> None:
    done = ran(site, "-m", "explorer", "evaluate", "digits-mlp", "--criterion", "largest:offset=2", "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["spec"]["criterion"] == {"key": "largest", "offset": 2.0}
    assert "unsure" in content["metrics"]
    shown = ran(site, "-m", "explorer", "evaluate", "--help").stdout
    assert "largest" in shown
    assert "unsure" in shown
    recorded = "from explorer.store.records import versions; print(versions()['explorer_version'])"
    assert ran(site, "-c", recorded).stdout.strip().endswith(" + shelf 1.2")


def test_a_member_that_does_not_fit_is_left_out_and_says_why(site: Path) -> None:
    code = "from explorer.pruning.criteria import CRITERIA; print(*CRITERIA.members)\n"
    listed = ran(site, "-c", code).stdout.split()
    assert "largest" in listed
    assert not {"broken", "unfit"} & set(listed)
    assert listed.count("wanda") == 1
    for key, reason in (("broken", "No module named 'shelf.absent'"), ("unfit", "It is no Criterion")):
        done = ran(site, "-m", "explorer", "evaluate", "digits-mlp", "--criterion", key)
        assert done.returncode == 2
        assert reason in done.stderr
        assert "Traceback" not in done.stderr
