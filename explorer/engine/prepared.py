"""A model made ready to be evaluated: traced, checked against itself, its batches sized."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from explorer.engine.answers import task_of
from explorer.engine.folding import around, fold
from explorer.engine.label_answers import undecided
from explorer.engine.layout import FIRST, natural_batch_size
from explorer.engine.program import Look, Program, Put, failed
from explorer.engine.tracing import Steps, trace, whole_model
from explorer.errors import ExplorerError
from explorer.pruning.apply import private_shell
from explorer.pruning.running import output_of
from explorer.types import LoadedModel, Split, Task
from explorer.types.aliases import GraphValue

Values = Mapping[fx.Node, GraphValue]
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

    def input(self, x: Tensor) -> Tensor:
        """The samples on the model's device, in its dtype if they are numbers with a point."""
        return x.to(self.device, self.dtype if x.is_floating_point() else None)

    def logits(
        self,
        shell: nn.Module,
        x: Tensor,
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
        if self.task == "numbers":  # nothing is chosen
            return torch.zeros(len(outputs), dtype=torch.bool)
        if self.task == "labels":
            return undecided(outputs, _CLOSE)
        return close_calls(outputs).reshape(len(outputs), -1).any(dim=1)


def prepare(model: LoadedModel, split: Split, device: str, *, batch_size: int | None, fast: bool) -> PreparedModel:
    """Trace the model and compare each way of running it with the plain module on the first batch.

    Raises ExplorerError when the model does not take the samples, or its outputs cannot be judged.
    """
    module = model.module if device == "cpu" else copy.deepcopy(model.module).to(device)  # type: ignore[union-attr]
    parameters = dict(module.named_parameters(remove_duplicate=False))  # type: ignore[union-attr]
    names = {id(parameter): name for name, parameter in reversed(parameters.items())}
    dtype = next((p.dtype for p in parameters.values() if p.is_floating_point()), torch.float32)
    steps, graph, path = trace(private_shell(module))  # type: ignore[arg-type]
    ready = PreparedModel(steps, (), parameters, path, 1, device, dtype)
    with torch.inference_mode():
        plain_outputs = _plain_outputs(module, ready, split)  # type: ignore[arg-type]
        ready.task = task_of(plain_outputs, split.y)
        ready.batch_size = batch_size or natural_batch_size(private_shell(module), ready.input(split.x[:1]))  # type: ignore[arg-type]
        plain = Program(steps, graph, names)
        if not torch.equal(*_comparable(_tried(plain, ready, split), plain_outputs)):
            ready.path = "whole: taken apart, the model gives other numbers"
            plain = Program(steps, whole_model(), names)
        ready.programs = (plain,)
        if fast and ready.path.startswith("prefix cache") and device == "cpu":
            _add_folded(ready, graph, names, split, plain_outputs)
    return ready


def logits_of(output: object, n: int) -> Tensor:
    """What is judged in what a model returns for ``n`` samples, a tensor, or the first or ``logits`` of several.

    (n, classes) scores, (n, length, vocabulary) scores of tokens, or (n, k) numbers; (n,) becomes (n, 1).
    """
    output = output_of(output)
    if not isinstance(output, Tensor) or output.dim() not in (1, 2, 3):
        shape = f"of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise ExplorerError(
            "The model's outputs cannot be judged.",
            why=f"It gives outputs {shape}; one row of class scores, of numbers, or of scores of tokens "
            "for each sample is needed.",
            fix="Choose a classifier, a model that predicts numbers, or a language model.",
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


def _plain_outputs(module: nn.Module, ready: PreparedModel, split: Split) -> Tensor:
    try:
        x = ready.input(split.x[:FIRST]).clone()
        return logits_of(private_shell(module)(x), len(x))
    except ExplorerError:
        raise
    except (Exception, SystemExit) as error:  # the model's own code runs here and may raise anything
        raise failed(error, split.x) from error


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
    same_choices = torch.equal(candidate.argmax(dim=-1), plain.argmax(dim=-1))
    if same_choices and bool(((candidate - plain).abs() <= _CLOSE / 10 * scale).all()):
        ready.programs = (folded, *ready.programs)
        ready.path = ready.path.replace("prefix cache", "prefix cache, folded", 1)


def _tried(program: Program, ready: PreparedModel, split: Split) -> Tensor:
    """The first batch's outputs of the dense model, run by this program."""
    x = ready.input(split.x[:FIRST])
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
