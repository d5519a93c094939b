"""Times of two models, measured in pairs. Nothing here asserts how fast anything is, only which of two is slower."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.metrics.latency import Latency, _Times, batched, latency, median_interval, refined, sentence
from explorer.types import Measurement
from explorer.types.inputs import tensors_of

X = torch.zeros(1, 3)
SPEEDUP = Measurement("theoretical_speedup", 4.0, "x", "counted")


class Recorder(nn.Module):
    """Writes down when it was called and with what, and may sleep."""

    def __init__(self, name: str, diary: list[str], seconds: float = 0.0) -> None:
        super().__init__()
        self.name, self.diary, self.seconds, self.shapes = name, diary, seconds, set[tuple[int, ...]]()

    def forward(self, x: Tensor) -> Tensor:
        self.diary.append(self.name)
        self.shapes.add(tuple(x.shape))
        time.sleep(self.seconds)
        return x


def two(slow: float = 0.0) -> tuple[Recorder, Recorder, list[str]]:
    diary: list[str] = []
    return Recorder("dense", diary, slow), Recorder("pruned", diary), diary


def known(ratio: float, low: float | None, high: float | None) -> Latency:
    dense = Measurement("dense", 2.0, "milliseconds", "measured", 1.9, 2.1)
    pruned = Measurement("pruned", 1.0, "milliseconds", "measured", 0.9, 1.1)
    return Latency(
        dense, pruned, Measurement("latency_ratio", ratio, "x", "measured", low, high), 30, 30, 1, 2, "torch", "here"
    )


def test_a_dense_model_that_sleeps_is_the_slower_one_and_the_ratio_says_so() -> None:
    dense, pruned, _ = two(slow=0.02)
    found = latency(dense, pruned, X, pairs=8, warmup=1)
    assert found.dense.value >= 20.0
    assert found.dense.value > found.pruned.value
    assert found.ratio.value > 1.0


def test_a_ratio_is_settled_when_its_interval_leaves_out_1() -> None:
    assert known(2.0, 1.9, 2.1).settled
    assert known(0.5, 0.4, 0.6).settled
    assert not known(1.05, 0.9, 1.2).settled
    assert not known(2.0, None, None).settled


def test_the_two_models_take_turns_pair_by_pair_in_changing_order() -> None:
    dense, pruned, diary = two()
    list(refined(dense, pruned, X, pairs=20, warmup=3))
    pairs = [tuple(diary[i : i + 2]) for i in range(0, len(diary), 2)]
    assert all(set(pair) == {"dense", "pruned"} for pair in pairs)
    assert len(set(pairs)) == 2
    # 3 to warm up, 20 measured, and one untimed before each of the 3 later rounds of 5.
    assert len(pairs) == 3 + 20 + 3


def test_what_is_known_so_far_is_told_as_the_pairs_come_in() -> None:
    dense, pruned, _ = two()
    steps = list(refined(dense, pruned, X, pairs=12, warmup=1))
    assert [step.n for step in steps] == [5, 10, 12]
    assert [step.complete for step in steps] == [False, False, True]


def test_pairs_that_the_system_interrupted_are_left_out_of_the_ratio_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Pairs 0..11 take 2 against 1 ms; in every third the system cuts in and the dense one takes 90.
    taken = iter([_Times(90.0 if i % 3 == 0 else 2.0, 1.0, i % 3 == 0) for i in range(12)])
    monkeypatch.setattr("explorer.metrics.latency._one_pair", lambda runs, order: next(taken))
    dense, pruned, _ = two()
    found = latency(dense, pruned, X, pairs=12)
    assert (found.interrupted, found.n, found.ratio.n) == (4, 12, 8)
    assert (found.ratio.value, found.ratio.low, found.ratio.high) == (2.0, 2.0, 2.0)
    # The medians are of the same eight pairs: 2 ms over 1 ms is the ratio that stands beside them.
    assert (found.dense.value, found.dense.high, found.dense.n) == (2.0, 2.0, 8)
    text = sentence(None, found)
    assert "the 8 of 12 pairs that nothing interrupted" in text
    assert "95 % interval 2× to 2×" in text
    assert "medians of the same pairs: 2 ms dense, 1 ms pruned" in text


def test_where_nearly_every_pair_was_interrupted_all_count_and_the_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = iter([_Times(3.0, 1.0, i > 0) for i in range(10)])
    monkeypatch.setattr("explorer.metrics.latency._one_pair", lambda runs, order: next(taken))
    dense, pruned, _ = two()
    found = latency(dense, pruned, X, pairs=10)
    assert (found.interrupted, found.ratio.n) == (9, 10)
    assert "a busy machine, 9 pairs were interrupted" in sentence(None, found)


def test_when_time_runs_out_it_says_how_many_pairs_there_are() -> None:
    dense, pruned, _ = two()
    found = latency(dense, pruned, X, pairs=50, warmup=1, seconds=0.0)
    assert (found.n, found.total, found.complete) == (5, 50, False)


def test_the_median_lies_between_the_percentiles_and_everything_has_its_origin() -> None:
    dense, pruned, _ = two()
    found = latency(dense, pruned, X, pairs=10, batch=4, warmup=1, threads=1)
    for m in (found.dense, found.pruned):
        assert m.low is not None
        assert m.high is not None
        assert m.low <= m.value <= m.high
        assert (m.unit, m.origin, m.batch_size) == ("milliseconds", "measured", 4)
        assert 5 <= m.n <= 10  # pairs that the machine interrupted are left out
        assert m.machine
        assert m.date
    assert (found.batch, found.threads, found.runtime) == (4, 1, "torch")


def test_the_batch_that_was_asked_for_is_what_the_models_get() -> None:
    dense, pruned, _ = two()
    latency(dense, pruned, torch.zeros(7, 3), batch=4, pairs=1, warmup=1)
    assert dense.shapes == pruned.shapes == {(4, 3)}


def test_a_batch_repeats_the_first_of_each_input() -> None:
    a, b = tensors_of(batched((torch.arange(6.0).reshape(3, 2), torch.ones(1, 1)), 2)).values()
    assert a.tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert b.shape == (2, 1)


def test_the_number_of_threads_is_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    dense, pruned, _ = two()
    latency(dense, pruned, X, pairs=2, warmup=1, threads=before + 1)
    assert torch.get_num_threads() == before


def test_the_interval_of_a_median_is_that_of_the_sign_test() -> None:
    # Tables of the sign test at 5 %: ranks 10 and 21 of 30, 2 and 9 of 10, 1 and 6 of 6.
    assert median_interval([float(v) for v in range(1, 31)]) == (10.0, 21.0)
    assert median_interval([float(v) for v in range(10, 0, -1)]) == (2.0, 9.0)
    assert median_interval([float(v) for v in range(1, 7)]) == (1.0, 6.0)
    assert median_interval([5.0] * 5) is None


def test_the_median_lies_in_its_interval_with_95_percent_or_more_and_no_narrower_one_does_that() -> None:
    for n in range(6, 60):
        ends = median_interval([float(v) for v in range(1, n + 1)])
        assert ends is not None
        low = int(ends.low)
        chance = [sum(math.comb(n, k) for k in range(first, n - first + 1)) / 2**n for first in (low, low + 1)]
        assert chance[0] >= 0.95 > chance[1]


@pytest.mark.parametrize(
    ("given", "named"), [({"batch": 0}, "batch"), ({"pairs": 0}, "pairs"), ({"threads": -1}, "threads")]
)
def test_senseless_numbers_are_refused(given: dict[str, int], named: str) -> None:
    dense, pruned, _ = two()
    with pytest.raises(ExplorerError, match=named):
        latency(dense, pruned, X, **given)  # type: ignore[arg-type]


def test_a_model_that_takes_no_such_batch_says_so() -> None:
    class OneOnly(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.reshape(1, 3)

    with pytest.raises(ExplorerError, match="batch of 2"):
        latency(OneOnly(), OneOnly(), X, batch=2)


def test_a_counted_speed_up_is_never_said_without_the_measured_one_or_that_there_is_none() -> None:
    assert sentence(SPEEDUP, None).endswith("no time was measured.")
    assert "faster" not in sentence(SPEEDUP, None)
    both = sentence(SPEEDUP, known(2.0, 1.9, 2.1))
    assert "Theoretical speed-up 4×, counted" in both
    assert "Measured: 2× faster (95 % interval 1.9× to 2.1×" in both
    assert sentence(None, None) == "No time was measured."


def test_a_ratio_that_may_be_one_is_called_no_difference_and_one_below_is_called_slower() -> None:
    assert "no difference in time beyond doubt" in sentence(SPEEDUP, known(1.05, 0.97, 1.2))
    slower = sentence(SPEEDUP, known(0.5, 0.4, 0.6))
    assert "2× slower" in slower
    assert "faster" not in slower
    assert "too few pairs" in sentence(SPEEDUP, known(2.0, None, None))


def test_the_json_holds_milliseconds_percentiles_ratio_batch_threads_and_machine() -> None:
    found = replace(known(2.0, 1.9, 2.1), batch=8).to_json()
    assert found["dense"] == {"ms": 2.0, "p10": 1.9, "p90": 2.1}
    assert (found["origin"], found["batch"], found["threads"], found["machine"]) == ("measured", 8, 2, "here")
    assert found["ratio"]["value"] == 2.0


def test_onnx_files_are_timed_in_onnx_runtime_from_bytes_and_from_disk(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    ends = [helper.make_tensor_value_info(name, kind, ["batch", 3]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "small", ends[:1], ends[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "small.onnx"
    onnx.save(made, path)
    found = latency(path.read_bytes(), path, X, batch=2, pairs=3, warmup=1, runtime="onnx")
    assert (found.runtime, found.n, found.batch) == ("onnx", 3, 2)


def test_a_torch_module_is_no_onnx_file_and_a_file_no_module() -> None:
    dense, pruned, _ = two()
    with pytest.raises(ExplorerError, match="Export both models to ONNX"):
        latency(dense, pruned, X, runtime="onnx")
    with pytest.raises(ExplorerError, match="not a file"):
        latency(b"", b"", X)
