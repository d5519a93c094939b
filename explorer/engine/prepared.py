"""A model made ready to be evaluated: traced, checked against itself, its batches sized."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, fx, nn

from explorer.engine.answers import task_of
from explorer.engine.folding import around, fold
from explorer.engine.label_answers import undecided
from explorer.engine.layout import FIRST, natural_batch_size
from explorer.engine.program import Look, Program, Put, failed
from explorer.engine.tracers import ladder
from explorer.engine.tracers.base import Steps
from explorer.errors import ExplorerError
from explorer.models.unsteady import disagreements
from explorer.pruning.apply import private_shell
from explorer.pruning.running import output_of, runnable
from explorer.types import LoadedModel, Split, Task
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs, call, cloned, moved

Values = Mapping[fx.Node, GraphValue]
_FEW = 5  # samples: so many as no step of the trace has seen
_CLOSE = 1e-4  # of the largest output: nearer first and second choices are left to the plain model


@dataclass(eq=False)
class PreparedModel:
    """The programs that run a model, the preferred one first, the plain one last.

    ``steps`` is never run: each thread runs a private shell of it. ``parameters`` are the dense
    model's, under every path. ``path`` says in words how the model runs.
    """

    steps: Steps
    programs: tuple[Program, ...]
    parameters: Mapping[str, nn.Parameter]
    path: str
    batch_size: int
    device: str
    dtype: torch.dtype
    task: Task = "classes"

    def input(self, x: Inputs) -> Inputs:
        """The samples on the model's device, in its dtype if they are numbers with a point."""
        return moved(x, self.device, self.dtype)

    def logits(
        self,
        shell: nn.Module,
        x: Inputs,
        signatures: Mapping[Program, Mapping[fx.Node, int]],
        look: Look,
        put: Put,
        own: Callable[[Program], Values],
    ) -> Tensor:
        """(n, ...) float32 or float64 on the processor; first choices are those of the plain model.

        ``own`` gives each program's modules that take the place of the shell's.
        """
        first, plain = self.programs[0], self.programs[-1]
        x = self.input(x)
        out = logits_of(first.run(shell, x, signatures[first], look, put, own(first)), len(x))
        if first is plain or not bool((close := self.undecided(out)).any()):
            return out
        out = out.clone()
        again = plain.run(shell, x[close], signatures[plain], _nothing, _nowhere, own(plain))
        out[close] = logits_of(again, int(close.sum()))
        return out

    def masked(self, program: Program, node: fx.Node, replaced: Mapping[int, Tensor]) -> GraphValue:
        """One step's module (or tensor) in which tensors take the place of parameters (by their ids)."""
        module = program.module_of(self.steps, node)
        return around(module, replaced) if isinstance(module, nn.Module) else replaced[id(module)]

    def undecided(self, outputs: Tensor) -> Tensor:
        """Outputs (n, ...) -> (n,) bool: samples of which some choice is too close to trust the last digits."""
        if self.task in ("numbers", "embedding"):  # nothing is chosen
            return torch.zeros(len(outputs), dtype=torch.bool)
        if self.task == "labels":
            return undecided(outputs, _CLOSE)
        outputs = outputs.movedim(1, -1) if self.task == "mask" else outputs
        return close_calls(outputs).reshape(len(outputs), -1).any(dim=1)


def prepare(model: LoadedModel, split: Split, device: str, *, batch_size: int | None, fast: bool) -> PreparedModel:
    """Trace the model and compare each way of running it with the plain module on the first batch.

    Raises ExplorerError when the model does not take the samples, or its outputs cannot be judged.
    """
    module = runnable(model) if device == "cpu" else copy.deepcopy(runnable(model)).to(device)
    parameters = dict(module.named_parameters(remove_duplicate=False))
    names = {id(parameter): name for name, parameter in reversed(parameters.items())}
    dtype = next((p.dtype for p in parameters.values() if p.is_floating_point()), torch.float32)
    first = moved(split.x[:1], device, dtype)
    make_shell = partial(private_shell, module)
    with torch.inference_mode():
        samples = [moved(split.x[:n], device, dtype) for n in (FIRST, _FEW, _FEW)]
        *outputs, again = [_plain_outputs(make_shell(), x) for x in samples]
        task = task_of(outputs[0], split.y, split.task)
        if not torch.equal(*_comparable(again, outputs[1])):
            raise _unsteady(make_shell(), first)
        size = batch_size or natural_batch_size(make_shell(), first)
    for traced in ladder(make_shell, first):
        program = Program(traced.steps, traced.graph, names)
        ready = PreparedModel(traced.steps, (program,), parameters, traced.path, size, device, dtype, task)
        with torch.inference_mode():
            if not _is_exact(ready, split, outputs):
                continue
            if fast and traced.path.startswith("prefix cache") and device == "cpu":
                _add_folded(ready, traced.graph, names, split, outputs[0])
        return ready
    raise AssertionError("the model as one step is always exact")


def logits_of(output: object, n: int) -> Tensor:
    """What is judged in what a model returns for ``n`` samples, a tensor, or the first or ``logits`` of several.

    (n, classes) scores, (n, length, vocabulary) scores of tokens, (n, classes, height, width) scores of places, or
    (n, k) numbers; (n,) becomes (n, 1).
    """
    output = output_of(output)
    if not isinstance(output, Tensor) or output.dim() not in (1, 2, 3, 4):
        shape = f"of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise ExplorerError(
            "The model's outputs cannot be judged.",
            why=f"It gives outputs {shape}; one row of class scores, of numbers, of scores of tokens, "
            "or a map of class scores for each sample is needed.",
            fix="Choose a classifier, a model that predicts numbers or masks, or a language model.",
        )
    if len(output) != n:
        raise ExplorerError(
            f"The model gives {len(output):,} outputs for {n:,} samples.",
            why="Each sample needs a row of its own.",
            fix="Let forward keep the first dimension, the batch.",
        )
    logits: Tensor = output.detach().cpu()
    logits = logits.unsqueeze(1) if logits.dim() == 1 else logits
    return logits if logits.dtype == torch.float64 else logits.float()


def _plain_outputs(shell: nn.Module, x: Inputs) -> Tensor:
    try:
        return logits_of(call(shell, cloned(x)), len(x))
    except ExplorerError:
        raise
    except (Exception, SystemExit) as error:  # the model's own code runs here and may raise anything
        raise failed(error, x) from error


def _unsteady(shell: nn.Module, example: Inputs) -> ExplorerError:
    """The refusal of a model that answers the same samples differently, with the module at fault."""
    finding = next(iter(disagreements(shell, example)), None)
    return ExplorerError(
        "The model disagrees with itself: two passes over the same inputs differ.",
        why=finding.evidence if finding else "Chance is at work in it, also in eval mode.",
        fix=finding.action if finding else "Let dropout follow the mode, and draw no numbers in forward.",
    )


def _is_exact(ready: PreparedModel, split: Split, plain_outputs: Sequence[Tensor]) -> bool:
    """Whether a way of running gives the plain module's numbers bit for bit, for many samples and for few.

    The model as one step is the plain module: how far it agrees with itself is another question.
    """
    program = ready.programs[0]
    if ready.path.startswith("whole"):
        _tried(program, ready, split, _FEW)  # what its outputs weigh is known from here on
        return True
    try:
        for outputs in plain_outputs:
            if not torch.equal(*_comparable(_tried(program, ready, split, len(outputs)), outputs)):
                return False
        return True
    except (ExplorerError, RuntimeError, ValueError, TypeError, IndexError):
        logging.getLogger(__name__).debug("The model does not run as %s.", ready.path, exc_info=True)
        return False


def _add_folded(ready: PreparedModel, graph: fx.Graph, names: Mapping[int, str], split: Split, plain: Tensor) -> None:
    """Prefer the folded program if it gives the plain model's outputs within a hair."""
    if (folded_graph := fold(ready.steps, graph)) is None:
        return
    folded = Program(ready.steps, folded_graph, names)
    try:
        candidate = _tried(folded, ready, split)
    except (ExplorerError, RuntimeError):  # a layout or shape that only the plain steps accept
        return
    scale = plain.abs().max()
    across = 1 if plain.dim() == 4 else -1
    same_choices = torch.equal(candidate.argmax(dim=across), plain.argmax(dim=across))
    if same_choices and bool(((candidate - plain).abs() <= _CLOSE / 10 * scale).all()):
        ready.programs = (folded, *ready.programs)
        ready.path = ready.path.replace("prefix cache", "prefix cache, folded", 1)


def _tried(program: Program, ready: PreparedModel, split: Split, n: int = FIRST) -> Tensor:
    """The first samples' outputs of the dense model, run by this program."""
    x = ready.input(split.x[:n])
    return logits_of(program.run(private_shell(ready.steps), x, program.signatures({}), _nothing, _nowhere), len(x))


def _comparable(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    return first.nan_to_num(1e30), second.nan_to_num(1e30)


def close_calls(logits: Tensor, within: float = _CLOSE) -> Tensor:
    """(..., classes) -> (...) bool: first and second choice are too near to trust the last digits.

    ``within`` is a share of the sample's largest output.
    """
    if logits.shape[-1] < 2:  # the choice is whether it is above 0
        sizes = logits[..., 0].abs()
        return ~(sizes > within * sizes.max()) if sizes.numel() else sizes.bool()
    best = logits.topk(2, dim=-1).values
    margin = best[..., 0] - best[..., 1]
    return ~(margin > within * logits.abs().amax(dim=-1))  # also where an output is NaN


def _nothing(_signature: int) -> None:
    return None


def _nowhere(_signature: int, _value: object) -> None:
    return None
