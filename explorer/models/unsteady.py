"""Models that disagree with themselves: chance in the forward pass, answers that depend on the batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from explorer.text.names import clean, listed
from explorer.types import Finding
from explorer.types.inputs import Inputs, cloned, mapped
from explorer.types.inputs import call as called
from explorer.types.tensors import tensors_in

_CLOSE = 1e-4  # of the largest number: rounding is no disagreement


@dataclass(frozen=True)
class _Call:
    """What one module took and gave in one pass, the outermost module last."""

    name: str
    kind: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def disagreements(module: nn.Module, example: Inputs) -> tuple[Finding, ...]:
    """What makes numbers of this model worthless: it answers the same input differently, at level ``fail``.

    ``module`` is in eval mode, ``example`` one input that it takes. It is run on the same batch twice, and on
    another batch with the same first sample. The finding names the first module that took the same and gave another.
    """
    batch, other = _batches(example)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            once, again, mixed = (_copies(called(module, cloned(x))) for x in (batch, batch, other))
        except (Exception, SystemExit):  # noqa: BLE001 - a module that takes one sample at a time cannot mix samples
            return ()
        # What every module took and gave is much to hold: only where it is needed.
        if not _alike(once, again):
            return (_random(_culprit(_calls(module, batch), _calls(module, batch))),)
        if not _alike(_first(once), _first(mixed)):
            return (_mixing(_culprit(_rows(_calls(module, batch)), _rows(_calls(module, other)))),)
    return ()


def without_statistics(module: nn.Module) -> list[str]:
    """The batch norms that have no running statistics, so that they use those of each batch."""
    kind = nn.modules.batchnorm._BatchNorm
    return [name for name, part in module.named_modules() if isinstance(part, kind) and part.running_mean is None]


def _batches(example: Inputs) -> tuple[Inputs, Inputs]:
    """Two batches of three samples, of which only the first is the same."""
    generator = torch.Generator().manual_seed(1)

    def beside(x: Tensor) -> Tensor:
        """The first sample and four others."""
        if x.is_floating_point():
            noise = torch.randn(4, *x.shape[1:], generator=generator).to(x.dtype)
            return torch.cat([x[:1], noise[:2], 3 * noise[2:] + 1])
        if x.dim() < 2:  # one number a sample: others would mean something else
            return x[:1].expand(5)
        return torch.cat([x[:1], x[:1].flip(-1), *(x[:1].roll(n, -1) for n in (1, 2, 3))])

    samples = mapped(example, beside)
    return samples[torch.tensor([0, 1, 2])], samples[torch.tensor([0, 3, 4])]


def _calls(module: nn.Module, x: Inputs) -> list[_Call]:
    """Every module's call in one pass, in the order in which they end."""
    calls: list[_Call] = []

    def record(name: str, part: nn.Module, args: object, named: object, outputs: object) -> None:
        calls.append(_Call(name, type(part).__name__, _copies((args, named)), _copies(outputs)))

    handles = [
        part.register_forward_hook(partial(record, name), with_kwargs=True) for name, part in module.named_modules()
    ]
    try:
        called(module, cloned(x))
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _copies(value: object) -> tuple[Tensor, ...]:
    return tuple(tensor.detach().clone() for tensor in tensors_in(value))


def _first(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(tensor[:1] if tensor.dim() else tensor for tensor in tensors)


def _rows(calls: list[_Call]) -> list[_Call]:
    return [_Call(call.name, call.kind, _first(call.inputs), _first(call.outputs)) for call in calls]


def _alike(some: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> bool:
    if [tensor.shape for tensor in some] != [tensor.shape for tensor in others]:
        return False
    return all(_close(a, b) for a, b in zip(some, others, strict=True))


def _close(a: Tensor, b: Tensor) -> bool:
    if not a.numel() or not a.is_floating_point():
        return torch.equal(a, b)
    scale = float(a.abs().nan_to_num(0.0, 0.0, 0.0).max())
    return torch.allclose(a, b, rtol=0.0, atol=_CLOSE * scale, equal_nan=True)


def _culprit(calls: list[_Call], others: list[_Call]) -> _Call:
    """The first call that took the same and gave another; the whole model where none can be told."""
    for one, other in zip(calls, others, strict=False):
        if one.name == other.name and _alike(one.inputs, other.inputs) and not _alike(one.outputs, other.outputs):
            return one
    return calls[-1]


def _random(call: _Call) -> Finding:
    return Finding(
        "fail",
        "The model disagrees with itself: two passes over the same inputs differ.",
        f"Chance is at work in {_place(call)}, also in eval mode; differences of accuracy and agreement show it too.",
        "Let dropout follow the mode: F.dropout(x, training=self.training), or nn.Dropout.",
        call.name or None,
    )


def _mixing(call: _Call) -> Finding:
    return Finding(
        "fail",
        "The model's answer to a sample depends on the other samples of its batch.",
        f"They are mixed in {_place(call)}; other batch sizes and another order give other numbers.",
        "Give batch norms running statistics (track_running_stats=True), and mix no samples in eval mode.",
        call.name or None,
    )


def _place(call: _Call) -> str:
    return f"{clean(call.name)} ({call.kind})" if call.name else f"the forward of {call.kind} itself"


def why_no_single_sample(names: list[str]) -> str:
    """Why a model with these batch norms does not take one sample."""
    return f"Batch norm without running statistics: {listed(names, 3)}; its answers depend on the rest of the batch"
