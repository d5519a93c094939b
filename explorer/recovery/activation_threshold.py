"""Pruning that depends on the input: activations near zero are skipped while the network runs.

After each ReLU, GELU or the like, values whose magnitude lies below the layer's threshold become zero; a kernel that
knows zeros need not multiply them. Weights stay as they are. Nothing is faster by that alone: the share that is
skipped is what a sparse kernel could use.

Source: Kurtz et al. 2020, "Inducing and exploiting activation sparsity for fast inference on deep neural networks",
ICML (a threshold in place of ReLU's zero); Liu et al. 2024, arXiv:2408.14690 (TEAL: one share of small magnitudes for
every layer, thresholds from quantiles on a few samples, no training).
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError, Refusal
from explorer.metrics.origin import machine, today
from explorer.pruning.apply import masked, private_shell
from explorer.pruning.running import fitting
from explorer.recovery.state import measured_module
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.inputs import Inputs, call
from explorer.types.operators import OPERATORS, functions
from explorer.types.stopping import check

SHARES = (0.0, 0.3, 0.5, 0.7, 0.9)
N_CALIBRATION = 256
_MOST_VALUES = 1 << 20
_BATCH = 64
_ACTIVATIONS = functions(op for op in OPERATORS if op.activation)
_IN_PLACE = functions(op for op in OPERATORS if op.activation and op.in_place)
Change = Callable[[str, Tensor], Tensor | None]


@dataclass(frozen=True)
class ActivationPoint:
    """One level of skipping. ``asked`` is the share of each layer's activations, by magnitude, that should go.

    ``thresholds`` and ``layers`` (share skipped) are by activation, in the order they are computed. ``skipped`` is
    the share of all activations that were zero, those that the network made zero by itself included; of the dense
    network that is ``already_zero``. Both are counted while the tune samples run.
    """

    asked: float
    thresholds: Mapping[str, float]
    layers: Mapping[str, float]
    skipped: Measurement
    already_zero: Measurement
    evaluation: Evaluation = field(compare=False, repr=False)
    complete: bool = field(default=True, compare=False)

    @property
    def accuracy(self) -> Measurement:
        """Of the skipping network, on all samples."""
        return self.evaluation.accuracy

    @property
    def drop(self) -> Measurement:
        """Dense minus skipping, paired."""
        return self.evaluation.drop


class _Watching(TorchFunctionMode):
    """Hands every activation to ``change``, with the path of the module it is in and a number where that repeats."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.inside: list[str] = []
        self._change = change
        self._seen: Counter[str] = Counter()

    def __torch_function__(
        self, func: Any, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        check()
        out = func(*args, **(kwargs or {}))
        if func not in _ACTIVATIONS or not isinstance(out, Tensor):
            return out
        path = self.inside[-1] if self.inside else ""
        self._seen[path] += 1
        n = self._seen[path]
        changed = self._change((path or "network") + (f" #{n}" if n > 1 else ""), out)
        if changed is None:
            return out
        in_place = func in _IN_PLACE or (kwargs or {}).get("inplace") or (len(args) > 1 and args[-1] is True)
        return out.copy_(changed) if in_place else changed


class Watched(nn.Module):
    """A private copy of a network that shows its activations to ``change`` and computes on with what comes back."""

    def __init__(self, network: nn.Module, change: Change) -> None:
        super().__init__()
        self.network = private_shell(network)
        self._change = change
        self._now: _Watching | None = None
        for path, module in self.network.named_modules():
            module.register_forward_pre_hook(self._entering(path))
            module.register_forward_hook(self._leaving, always_call=True)

    def forward(self, *inputs: Tensor, **named: Tensor) -> GraphValue:
        """What the network makes of these inputs."""
        self._now = _Watching(self._change)
        with self._now:
            return self.network(*inputs, **named)

    def _entering(self, path: str) -> Callable[..., None]:
        def enter(module: nn.Module, args: object) -> None:
            if self._now is not None:
                self._now.inside.append(path)

        return enter

    def _leaving(self, module: nn.Module, args: object, out: object) -> None:
        if self._now is not None:
            self._now.inside.pop()


class _Skipper:
    """Zeroes what lies below the thresholds, and counts zeros."""

    def __init__(self, thresholds: Mapping[str, float]) -> None:
        self._thresholds = thresholds
        self.zeros: Counter[str] = Counter()
        self.total: Counter[str] = Counter()

    def __call__(self, name: str, out: Tensor) -> Tensor | None:
        threshold = self._thresholds.get(name, 0.0)
        changed = out.masked_fill(out.abs() < threshold, 0) if threshold > 0 else None
        seen = out if changed is None else changed
        self.total[name] += seen.numel()
        self.zeros[name] += seen.numel() - int(torch.count_nonzero(seen))
        return changed


def magnitudes(network: nn.Module, x: Inputs) -> dict[str, Tensor]:
    """Sorted magnitudes of each activation over the samples ``x``; of many, a million at even distances."""
    by_name: dict[str, list[Tensor]] = {}
    most = max(1, _MOST_VALUES // math.ceil(len(x) / _BATCH))

    def note(name: str, out: Tensor) -> None:
        flat = out.detach().abs().flatten().float().cpu()
        by_name.setdefault(name, []).append(flat[:: max(1, math.ceil(len(flat) / most))])

    watched = Watched(network, note).eval()
    with torch.inference_mode():
        for start in range(0, len(x), _BATCH):
            call(watched, fitting(x[start : start + _BATCH], network))
    return {name: torch.cat(parts).sort().values for name, parts in by_name.items()}


def threshold_for(ranked: Tensor, share: float) -> float:
    """The value that ``share`` of the sorted magnitudes lie below: 0 for a share of 0, infinite for 1."""
    if share <= 0.0:
        return 0.0
    return math.inf if share >= 1.0 else float(ranked[int(share * len(ranked))])


def why_not(model: LoadedModel) -> Refusal | None:
    """Why no activations can be skipped, in a sentence; None where they can."""
    if model.module is None or model.example is None:
        return Refusal(model.why_not_runnable or "The model cannot be run.")
    seen: list[str] = []
    watched = Watched(model.module, lambda name, out: seen.append(name)).eval()
    with torch.inference_mode():
        call(watched, model.example)
    if seen:
        return None
    return Refusal("It has no ReLU, GELU or similar activation of its own (gates of recurrent layers stay).")


def skipping(
    model: LoadedModel,
    data: Dataset,
    *,
    shares: Sequence[float] = SHARES,
    plan: Plan | None = None,
    evaluator: Evaluator | None = None,
    device: str = "cpu",
) -> Iterator[ActivationPoint]:
    """Measure each of ``shares`` (0 to 1) on the tune split, point after point; the caller may stop any time.

    Thresholds are quantiles of each layer's magnitudes on the first 256 samples of the fit split, of the network
    pruned as ``plan`` says. ``evaluator`` is one of the dense model on tune, made for ``device`` unless given;
    everything runs where it does. Raises ExplorerError where nothing can be skipped or there is no fit or tune split.
    """
    for share in shares:
        if not 0.0 <= share <= 1.0:
            raise ExplorerError(f"A share of {share:g} is not possible.", fix="Give shares from 0 to 1.")
    why = why_not(model)
    if why is not None or model.module is None:
        raise ExplorerError("No activations can be skipped here.", why=why, fix="Prune weights instead.")
    fit, tune = split_of(data, "fit"), split_of(data, "tune")
    judge = evaluator or Evaluator(model, tune, device=device)
    network = model.module if plan is None else masked(model, plan).module
    network = network if judge.device == "cpu" else copy.deepcopy(network).to(judge.device)
    return _points(network, fit.x[:N_CALIBRATION], tuple(shares), judge)


def _points(network: nn.Module, x: Inputs, shares: tuple[float, ...], judge: Evaluator) -> Iterator[ActivationPoint]:
    ranked = magnitudes(network, x)
    dense, _ = _run(network, {}, judge)
    for share in shares:
        thresholds = {name: threshold_for(values, share) for name, values in ranked.items()}
        skipper, evaluation = _run(network, thresholds, judge)
        layers = {name: skipper.zeros[name] / max(1, skipper.total[name]) for name in ranked}
        yield ActivationPoint(
            share, thresholds, layers, _zero("skipped", skipper, judge), _zero("already_zero", dense, judge), evaluation
        )


def _run(network: nn.Module, thresholds: Mapping[str, float], judge: Evaluator) -> tuple[_Skipper, Evaluation]:
    skipper = _Skipper(thresholds)
    evaluation = measured_module(Watched(network, skipper).eval(), judge)
    return skipper, evaluation


def _zero(name: str, skipper: _Skipper, judge: Evaluator) -> Measurement:
    share = sum(skipper.zeros.values()) / max(1, sum(skipper.total.values()))
    n, size, where = len(judge.split), judge.batch_size, machine(judge.device)
    note = "Zero activations of all activations after ReLU, GELU and the like, counted while the samples ran."
    return Measurement(
        name, share, "fraction", "measured", n=n, batch_size=size, machine=where, date=today(), note=note
    )
