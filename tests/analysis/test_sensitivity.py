"""The sensitivity scan against the plain loop, cell by cell; what it keeps, and what it makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer import data, models
from explorer.analysis.sensitivity.scan import Cell, ForgivingStore, Sensitivity, scan, scan_size
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.criteria.lp_norm import LpNorm
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score, why_no_units
from explorer.pruning.spec import Limit, PruneSpec
from explorer.store.database import Store
from explorer.types import LoadedModel, Plan, Scores, Split
from tests.analysis.scans import Counting, all_digits, dataset_of, finished, small, without_origin
from tests.engine import models as tiny
from tests.every import for_each

ROOT = Path(__file__).resolve().parents[2]
LEVELS = (0.3, 0.7, 0.95)


def only(model: LoadedModel, spec: PruneSpec, group: str, level: float, scores: Scores | None = None) -> Plan:
    """The plan that prunes one group alone, made by the general way of planning."""
    shares = {"key": "per_layer", "sparsity": 0.0, "shares": {group: level}}
    request = PruneSpec.from_json({**spec.to_json(), "allocation": shares})
    return plan(model, request.with_limit(group, Limit(locked=False)), scores)


def plain_loop(model: LoadedModel, split: Split, spec: PruneSpec, cell: Cell, scores: Scores | None = None) -> int:
    """Right answers of a pruned copy, run by torch alone."""
    module = masked(model, only(model, spec, cell.group, cell.level, scores)).module
    with torch.no_grad():
        found = torch.cat([module(part.clone()) for part in split.x.split(64)])
    return int((found.argmax(dim=1) == split.y).sum())


DIGITS = [name for name in models.samples() if name.startswith("digits")]
DATA_FREE = [member.key for member in CRITERIA if not member.needs]
LOOKING = ["movement:n_steps=8" if member.key == "movement" else member.key for member in CRITERIA if member.needs]


@pytest.mark.slow
@for_each("name", DIGITS)
@for_each("granularity", ["weight", "out_channel"])
@for_each("criterion", DATA_FREE)
def test_every_cell_counts_what_a_plain_loop_counts(name: str, granularity: str, criterion: str) -> None:
    model, samples = small(name)
    spec = PruneSpec(granularity, criterion)
    cells = finished(model, samples, spec, levels=LEVELS)
    assert len(cells) == scan_size(model, spec, levels=LEVELS)
    split = samples.splits["tune"]
    for cell in cells:
        assert round(cell.accuracy.value * cell.n) == plain_loop(model, split, spec, cell)
        assert cell.n == cell.total == 150


@pytest.mark.slow
@for_each("name", DIGITS)
@for_each("criterion", LOOKING)
def test_so_it_does_under_criteria_that_look_at_data(name: str, criterion: str) -> None:
    model, samples = small(name)
    fit = data.load(model.data, model=model).splits["fit"]
    seen = replace(samples, splits={**samples.splits, "fit": Split("fit", fit.x[:32], fit.y[:32])})
    for granularity in ("weight", "out_channel"):
        spec = PruneSpec(granularity, criterion)
        scores = score(model, spec, seen)
        cells = finished(model, seen, spec, levels=(0.7,), scores=scores)
        assert cells or why_no_units(scores)
        for cell in cells:
            assert round(cell.accuracy.value * cell.n) == plain_loop(model, seen.splits["tune"], spec, cell, scores)


@for_each("name", list(tiny.MODELS))
def test_every_kind_of_network_is_scanned_exactly(name: str) -> None:
    model = tiny.load(name)
    split = tiny.split(model, 200)
    cells = finished(model, dataset_of(split), levels=(0.4, 0.8))
    assert cells
    for cell in cells:
        assert round(cell.accuracy.value * 200) == plain_loop(model, split, PruneSpec(), cell)


def test_what_a_criterion_makes_up_for_a_cut_is_in_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    model, samples = small("digits-cnn")
    without = finished(model, samples, levels=(0.7,))

    def updates(_self: LpNorm, model: LoadedModel, masks: dict[str, Tensor], _evidence: object) -> dict[str, Tensor]:
        return {name: 3 * model.weights[name] for name in masks}

    monkeypatch.setattr(LpNorm, "updates", updates)
    found = finished(model, samples, levels=(0.7,))
    for cell in found:
        assert round(cell.accuracy.value * cell.n) == plain_loop(model, samples.splits["tune"], PruneSpec(), cell)
    assert found != without


def test_without_labels_cells_are_judged_by_agreement() -> None:
    model = tiny.load("mlp")
    split = tiny.split(model, 100, labelled=False)
    cells = finished(model, dataset_of(split), levels=(0.5,))
    assert {cell.judged_by for cell in cells} == {"agreement"}
    assert all(cell.loss is None for cell in cells)
    assert all(cell.accuracy.name == "agreement" for cell in cells)


def test_the_order_of_layers_and_levels_changes_nothing() -> None:
    model, samples = small("digits-cnn")
    forward = {(c.group, c.level): c for c in finished(model, samples, levels=(0.2, 0.8))}
    names = list(dict.fromkeys(group for group, _ in forward))
    backward: dict[tuple[str, float], Cell] = {}
    for name in reversed(names):
        for level in (0.8, 0.2):
            (cell,) = finished(model, samples, levels=(level,), layers=[name])
            backward[cell.group, cell.level] = cell
    assert backward == forward


def test_a_scan_leaves_model_and_samples_as_they_were() -> None:
    model, samples = small("digits-resnet")
    before = {name: weight.clone() for name, weight in model.module.state_dict().items()}
    x = samples.splits["tune"].x.clone()
    finished(model, samples, PruneSpec("out_channel"), levels=(0.5,))
    assert all(torch.equal(before[name], weight) for name, weight in model.module.state_dict().items())
    assert torch.equal(samples.splits["tune"].x, x)


@pytest.mark.parametrize("limit", [1, 300_000])
def test_little_memory_changes_no_number(limit: int) -> None:
    model, samples = small("digits-resnet")
    split = samples.splits["tune"]
    wanted = finished(model, samples, levels=(0.5, 0.9))
    scarce = Evaluator(model, split, memory_limit=limit, threads=1)
    assert finished(model, samples, levels=(0.5, 0.9), evaluator=scarce) == wanted


def test_a_scan_that_was_stopped_goes_on_where_it_ended(tmp_path: Path) -> None:
    model, samples = small("digits-cnn")
    wanted = finished(model, samples, levels=LEVELS)
    keep = Store(tmp_path)
    running = scan(model, samples, levels=LEVELS, keep=keep)
    first = list(islice((cell for cell in running if cell.complete), 4))
    running.close()
    again = finished(model, samples, levels=LEVELS, keep=keep)
    assert not any(cell.from_store for cell in first)
    assert sum(cell.from_store for cell in again) == 4
    key = lambda cell: (cell.group, cell.level)  # noqa: E731
    assert sorted(map(without_origin, again), key=key) == sorted(wanted, key=key)


def test_more_levels_run_only_what_is_missing(tmp_path: Path) -> None:
    model, samples = small("digits-mlp")
    keep = Store(tmp_path)
    few = finished(model, samples, levels=(0.5,), keep=keep)
    more = finished(model, samples, levels=(0.5, 0.9), keep=keep)
    assert [c.from_store for c in sorted(more, key=lambda c: c.level)] == [True] * len(few) + [False] * len(few)
    other = finished(model, samples, PruneSpec("weight", "random"), levels=(0.5,), keep=keep)
    assert not any(cell.from_store for cell in other)


def test_kept_cells_that_cannot_be_read_are_measured_again(tmp_path: Path) -> None:
    model, samples = small("digits-mlp")
    keep = Store(tmp_path)
    wanted = finished(model, samples, levels=(0.5,), keep=keep)

    class Damaged(Store):
        def cells(self, scan_key: str) -> dict[tuple[str, float], dict[str, Any]]:
            first, second, _ = (kept := super().cells(scan_key))
            return kept | {first: {"group": "a"}, second: kept[first]}

    again = finished(model, samples, levels=(0.5,), keep=Damaged(tmp_path))
    assert sum(cell.from_store for cell in again) == 1
    assert {without_origin(cell) for cell in again} == set(wanted)


def test_another_version_of_the_software_measures_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, samples = small("digits-mlp")
    keep = Store(tmp_path)
    finished(model, samples, levels=(0.5,), keep=keep)
    monkeypatch.setattr(torch, "__version__", "99.0")
    assert not any(cell.from_store for cell in finished(model, samples, levels=(0.5,), keep=keep))


@pytest.mark.parametrize(
    ("name", "said"), [("stubborn", "The whole model for each cell: "), ("branching", "As one piece: part")]
)
def test_what_cannot_be_taken_apart_is_named_in_each_cell(name: str, said: str) -> None:
    model = tiny.load(name)
    found = Sensitivity.of(scan(model, dataset_of(tiny.split(model, 60)), levels=(0.5,)))
    assert all(cell.how.startswith(said) for cell in found.cells)
    assert found.audit.startswith(said)
    assert not finished(*small("digits-mlp"), levels=(0.5,))[0].how


SCANNING = """
import sys
import threading
from pathlib import Path
from tests.analysis.scans import small
from explorer.analysis.sensitivity import scan
from explorer.store.database import Store
class Slow(Store):
    def record_cell(self, *told):
        super().record_cell(*told)
        self.n = getattr(self, "n", 0) + 1
        print("kept", flush=True)
        if self.n == 3:
            threading.Event().wait()
model, samples = small("digits-cnn")
list(scan(model, samples, levels=(0.3, 0.7, 0.95), keep=Slow(Path(sys.argv[1]))))
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_scan_killed_in_its_middle_and_started_again_gives_the_same_table(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", SCANNING, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    for _ in range(3):
        assert child.stdout.readline() == b"kept\n"
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    model, samples = small("digits-cnn")
    again = Sensitivity.of(scan(model, samples, levels=LEVELS, keep=Store(tmp_path)))
    fresh = Sensitivity.of(scan(model, samples, levels=LEVELS))
    assert sum(cell.from_store for cell in again.cells) == 3
    assert {(c.group, c.level): without_origin(c) for c in again.cells} == {(c.group, c.level): c for c in fresh.cells}


def test_a_scan_stops_at_once_when_its_reader_does(tmp_path: Path) -> None:
    model, samples = small("digits-resnet")
    store = Counting(tmp_path)
    running = scan(model, samples, keep=store)
    next(running)
    running.close()
    assert list(running) == []
    assert store.n_cells <= 1


def test_a_group_that_costs_too_much_is_left_and_the_others_go_on() -> None:
    model, samples = small("digits-cnn")
    whole = Sensitivity.of(scan(model, samples, levels=LEVELS))
    bound = sorted(cell.drop.value for cell in whole.cells)[len(whole.cells) // 2]
    short = Sensitivity.of(scan(model, samples, levels=LEVELS, max_drop=bound))
    assert set(short.cells) < set(whole.cells)
    for group in whole.groups:
        kept = short.curve(group)
        assert kept == whole.curve(group)[: len(kept)]
        assert all(cell.drop.value <= bound for cell in kept[:-1])
        assert len(kept) == len(LEVELS) or kept[-1].drop.value > bound


def test_the_first_samples_alone_can_be_scanned() -> None:
    model, samples = small("digits-mlp")
    cells = finished(model, samples, levels=(0.9,), n_samples=64)
    first = dataset_of(Split("tune", samples.splits["tune"].x[:64], samples.splits["tune"].y[:64]))
    assert cells == finished(model, first, levels=(0.9,))
    assert {cell.n for cell in cells} == {64}


def test_a_level_that_takes_nothing_costs_nothing_and_one_channel_always_stays() -> None:
    model, samples = small("digits-cnn")
    cells = Sensitivity.of(scan(model, samples, PruneSpec("out_channel"), levels=(0.0, 1.0)))
    for group in cells.groups:
        none, all_ = cells.curve(group)
        assert (none.n_pruned, none.drop.value) == (0, 0.0)
        assert all_.n_pruned == all_.n_units - 1


def test_refusals_say_what_to_do() -> None:
    model, samples = small("digits-mlp", 10)
    with pytest.raises(ExplorerError, match=r"'nowhere' cannot be scanned"):
        scan(model, samples, layers=["nowhere"])
    with pytest.raises(ExplorerError, match="from 0 to 1"):
        scan(model, samples, levels=(50,))
    with pytest.raises(ExplorerError, match="no mode 'guess'"):
        scan(model, samples, mode="guess")  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="cannot be run"):
        scan(replace(model, module=None), samples)
    with pytest.raises(ExplorerError, match="no test split"):
        scan(model, samples, split="test")


def test_a_verified_scan_counts_what_an_exact_one_counts_and_says_how_it_knows() -> None:
    model, samples = all_digits("digits-cnn")
    levels, layers = (0.6, 0.9), ["block1.conv1", "block2.conv1"]
    exact = Sensitivity.of(scan(model, samples, levels=levels, layers=layers))
    found = Sensitivity.of(scan(model, samples, levels=levels, layers=layers, mode="verified"))
    assert [c.accuracy.value for c in found.cells] == [c.accuracy.value for c in exact.cells]
    assert {cell.mode for cell in found.cells} == {"verified"}
    fast = not found.cells[0].how
    assert ("audited cells" in found.audit) if fast else ("float32" in found.audit)


def test_estimates_say_how_far_they_may_be_off_and_stop_at_one_point() -> None:
    model, samples = all_digits("digits-mlp")
    exact = Sensitivity.of(scan(model, samples, levels=(0.5, 0.9)))
    steps = list(scan(model, samples, levels=(0.5, 0.9), mode="estimate", seed=4))
    found = Sensitivity.of(steps)
    assert found.complete
    assert {cell.drop.origin for cell in found.cells} == {"estimated"}
    for cell in found.cells:
        assert cell.drop.high - cell.drop.low <= 0.02 + 1e-9
        assert cell.dense_accuracy == pytest.approx(exact.dense_accuracy)
        assert f"of {cell.total:,} samples" in cell.drop.note
    inside = [c.drop.low <= exact.cell(c.group, c.level).drop.value <= c.drop.high for c in found.cells]
    assert sum(inside) >= len(inside) - 1
    assert min(cell.n for cell in found.cells) < 1797
    by_cell: dict[tuple[str, float], list[int]] = {}
    for cell in steps:
        by_cell.setdefault((cell.group, cell.level), []).append(cell.n)
    assert all(ns == sorted(ns) for ns in by_cell.values())


def test_estimates_hold_the_value_of_the_whole_set_in_95_of_100_draws() -> None:
    model, samples = all_digits("digits-mlp")
    how = {"levels": (0.8,), "layers": ["fc1", "fc2"]}
    exact = Sensitivity.of(scan(model, samples, **how))
    evaluator = Evaluator(model, samples.splits["tune"])
    n_held = n_drawn = 0
    for seed in range(25):
        for cell in finished(model, samples, **how, mode="estimate", seed=seed, evaluator=evaluator):
            n_held += cell.drop.low <= exact.cell(cell.group, cell.level).drop.value <= cell.drop.high
            n_drawn += 1
    assert n_held >= 0.9 * n_drawn  # 95 % within the luck of 50 draws


def test_without_labels_an_estimate_is_of_the_agreement() -> None:
    model = tiny.load("mlp")
    split = tiny.split(model, 900, labelled=False)
    found = Sensitivity.of(scan(model, dataset_of(split), levels=(0.5,), mode="estimate"))
    exact = Sensitivity.of(scan(model, dataset_of(split), levels=(0.5,)))
    for cell in found.cells:
        assert (cell.judged_by, cell.loss) == ("agreement", None)
        assert abs(cell.accuracy.value - exact.cell(cell.group, 0.5).accuracy.value) <= 0.02


def test_what_the_kept_cells_are_of_is_kept_with_them(tmp_path: Path) -> None:
    model, samples = small("digits-mlp")
    store = Store(tmp_path)
    spec = PruneSpec("weight", "random:seed=3")
    finished(model, samples, spec, levels=(0.5,), layers=["fc1"], mode="estimate", seed=7, keep=store)
    (kept,) = store.scans()
    found = {
        "model_address": "digits-mlp",
        "model_digest": model.digest,
        "data_digest": samples.digest,
        "split": "tune",
        "n": 150,
        "criterion": {"key": "random", "seed": 3},
        "granularity": {"key": "weight"},
        "mode": "estimate",
        "seed": 7,
        "device": "cpu",
        "torch_version": str(torch.__version__),
    }
    assert {name: kept.about[name] for name in found} == found
    assert {"explorer_version", "python_version"} <= set(kept.about)
    assert (kept.n_cells, kept.n_groups) == (1, 1)
    ((_, cell),) = store.cells(kept.scan_key).items()
    assert cell["drop"]["machine"]
    assert cell["drop"]["date"]


def test_a_place_that_fails_costs_no_cell_and_is_told_once() -> None:
    class Failing:
        def cells(self, scan_key: str) -> dict[tuple[str, float], dict[str, Any]]:
            return {}

        def record_scan(self, *_: object) -> None:
            raise ExplorerError("The disk is full.")

        def record_cell(self, *_: object) -> None:
            raise ExplorerError("The disk is full.")

    told: list[ExplorerError] = []
    model, samples = small("digits-mlp")
    found = finished(model, samples, levels=(0.5, 0.9), keep=ForgivingStore(Failing(), told.append))
    assert found == finished(model, samples, levels=(0.5, 0.9))
    assert [str(error) for error in told] == ["The disk is full."]
    with pytest.raises(ExplorerError, match="disk is full"):
        finished(model, samples, levels=(0.5,), keep=Failing())
