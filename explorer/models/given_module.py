"""A ``torch.nn.Module`` that somebody has at hand, as a model: copied, tried on an example, named, never written to."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.assemble import findings
from explorer.models.matrices import matrices
from explorer.models.private_copy import private_copy
from explorer.models.selected_output import Choice, described, read_by_default, selecting
from explorer.models.structure import structure_digest
from explorer.models.unsteady import disagreements, why_no_single_sample, without_statistics
from explorer.models.usable import failed, is_empty, several_inputs, why_unusable
from explorer.text.names import clean
from explorer.types import Finding, Inputs, InputSet, LoadedModel, tensors_digest
from explorer.types.inputs import as_inputs, call, cloned, mapped, moved
from explorer.types.tasks import STATED_TASKS


@dataclass(frozen=True, eq=False)
class ModuleRequest:
    """A module, an example of what it takes, and what is said about it; see :func:`explorer.models.load`."""

    module: nn.Module
    example: object = None
    name: str | None = None
    classes: Sequence[str] | int | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    output: Choice | None = None
    task: str | None = None

    @property
    def label(self) -> str:
        """What the model is called: the name it was given, else that of its class."""
        return clean(self.name or type(self.module).__name__)


def weights_of(module: nn.Module) -> LoadedModel:
    """A copy of the module that is never run: what needs weights alone works on it. Raises ExplorerError."""
    label = ModuleRequest(module).label
    _refuse_kind(module, label)
    mine, repairs = private_copy(module, label)
    _refuse_kind(mine, label)
    weights = {name: parameter.detach() for name, parameter in mine.named_parameters()}
    return LoadedModel(label, mine, weights, tensors_digest(weights), repairs=tuple(repairs))


def load_module(request: ModuleRequest) -> LoadedModel:
    """The module as a model. Raises ExplorerError for what cannot be copied, run on the example, or pruned."""
    label = request.label
    _refuse_kind(request.module, label)
    module, repairs = private_copy(request.module, label)
    _refuse_kind(module, label)
    if request.output is not None:
        module = selecting(module, request.output)
    example = _example(request, module)
    outputs = _first_pass(module, example, label)
    _check_own_weights(module, example, outputs, label)
    n_outputs = _n_outputs(outputs)
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return LoadedModel(
        address=label,
        module=module,
        weights={name: parameter.detach() for name, parameter in module.named_parameters()},
        digest=tensors_digest(tensors),
        example=example,
        n_classes=n_outputs,
        repairs=tuple(repairs),
        findings=(
            *findings({name: tensor.detach() for name, tensor in tensors.items()}),
            *_of_outputs(outputs, request),
            *disagreements(module, example),
        ),
        meta=_about(request, structure_digest(module, request.output), example, n_outputs),
        matrices=matrices(module, example),
    )


def _kind(example: Inputs) -> str:
    if isinstance(example, InputSet):
        return f"of shapes {example.shape}"
    return f"of shape {tuple(example.shape)}, {str(example.dtype).removeprefix('torch.')}"


def _about(request: ModuleRequest, structure: str, example: Inputs, n_outputs: int | None) -> dict[str, object]:
    """What is said of the module, without what nobody said."""
    shape = list(example.shape[1:]) if isinstance(example, Tensor) else None
    about = {
        "source": "module",
        "label": request.label,
        "input_shape": shape,
        "size": shape[-1] if shape and len(shape) == 3 else None,
        "structure": structure,
        "task": _task(request.task),
        "classes": _class_names(request, n_outputs),
        "mean": request.mean and list(request.mean),
        "std": request.std and list(request.std),
    }
    return {name: value for name, value in about.items() if value is not None}


def _refuse_kind(module: nn.Module, label: str) -> None:
    if (reason := why_unusable(module)) is not None:
        raise ExplorerError(f"{label} cannot be pruned here.", why=reason.why, fix=reason.fix)
    if is_empty(module):
        why, fix = "Its tensors are on the meta device.", "Load its weights first."
        raise ExplorerError(f"{label} is a module without numbers.", why=why, fix=fix)


def _example(request: ModuleRequest, module: nn.Module) -> Inputs:
    """One sample of the batch that was given, in the module's own floating-point type."""
    if request.example is None:
        why = "A module does not say what its inputs look like."
        raise ExplorerError(
            f"{request.label} needs an example.", why=why, fix="Give example=, one batch of its inputs."
        )
    try:
        given = as_inputs(_as_tensors(request.example))
    except ExplorerError as error:
        why = several_inputs(module) or error.why
        fix = "Give example= as a tensor, a tuple or a dict of tensors whose first dimension is the batch."
        raise ExplorerError(f"{request.label} cannot be run on that example.", why=why, fix=fix) from None
    if (isinstance(given, Tensor) and not given.dim()) or not len(given):
        why = f"It has the shape {given.shape if isinstance(given, InputSet) else tuple(given.shape)}, "
        fix = "Give a batch of at least one sample."
        raise ExplorerError("The example holds no sample.", why=f"{why}and the first dimension is the batch.", fix=fix)
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), None)
    return cloned(moved(mapped(given[:1], Tensor.detach), "cpu", dtype))


def _as_tensors(given: object) -> object:
    """Arrays of numpy as tensors, inside tuples and dicts too."""
    if isinstance(given, np.ndarray):
        return torch.from_numpy(given)
    if isinstance(given, tuple | list):
        return tuple(map(_as_tensors, given))
    return {key: _as_tensors(value) for key, value in given.items()} if isinstance(given, Mapping) else given


def _first_pass(module: nn.Module, example: Inputs, label: str) -> object:
    """What the module gives for the example. Raises ExplorerError where it does not run."""
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return call(module, cloned(example))
    except ExplorerError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, ValueError) and (names := without_statistics(module)):
            why = f"{why_no_single_sample(names)}."
            fix = "Use track_running_stats=True."
            raise ExplorerError(f"{label} does not take one sample.", why=why, fix=fix) from error
        kind = _kind(example)
        fix = "Give example= as a batch that forward takes; a type that the processor cannot compute in: call float()."
        raise failed(f"{label} does not run on its example {kind}.", error, fix) from error


def _check_own_weights(module: nn.Module, example: Inputs, outputs: object, label: str) -> None:
    """Refuse a copy that computes with other weights than its own: those of the original, by a function around it.

    Its numbers would not change with its masks.
    """
    before = read_by_default(outputs)
    if not isinstance(before, Tensor) or not before.is_floating_point() or not list(module.parameters()):
        return
    other = copy.deepcopy(module)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for parameter in other.parameters():
            if parameter.is_floating_point():
                parameter.fill_(float("nan"))
        try:
            after = read_by_default(call(other, cloned(example)))
            changed = not isinstance(after, Tensor) or not torch.equal(before, after)
        except (Exception, SystemExit):  # noqa: BLE001 - a module may refuse such numbers: then it uses them
            changed = True
    if not changed:
        why = "Its forward is a function that holds on to the original module, so masks would not reach it."
        fix = "Define forward in the class of the module."
        raise ExplorerError(f"{label} does not compute with its own weights.", why=why, fix=fix)


def _n_outputs(outputs: object) -> int | None:
    """How many numbers each sample gets; None where that is no row of them."""
    read = read_by_default(outputs)
    if not isinstance(read, Tensor) or read.dim() not in (1, 2):
        return None
    return int(read.shape[1]) if read.dim() == 2 else 1


def _of_outputs(outputs: object, request: ModuleRequest) -> tuple[Finding, ...]:
    """Which of several outputs is taken where nobody chose."""
    several = isinstance(outputs, Mapping | tuple | list) and len(outputs) > 1
    if request.output is not None or not (several or hasattr(outputs, "logits")):
        return ()
    what = "The module gives several outputs: logits is read where there is one, else the first."
    return (Finding("ok", what, f"It gives {described(outputs)}.", "State another by output=."),)


def _task(task: str | None) -> str | None:
    if task is not None and task not in STATED_TASKS:
        raise ExplorerError(
            f"task = {clean(str(task))!r} is not a task.", fix=f"Give one of: {', '.join(STATED_TASKS)}."
        )
    return task


def _class_names(request: ModuleRequest, n_outputs: int | None) -> list[str] | None:
    """The names of the classes, in the order of the outputs."""
    given = request.classes
    if given is None:
        return None
    names = list(map(str, range(given))) if isinstance(given, int) else [str(name) for name in given]
    # One output alone tells two classes apart.
    expected = 2 if n_outputs == 1 and request.task != "labels" else n_outputs
    if expected is not None and len(names) != expected:
        what = f"{len(names)} classes are named, and {request.label} tells {expected} apart."
        raise ExplorerError(what, fix="Name every class, in the order of the outputs.")
    if len(set(names)) < len(names):
        raise ExplorerError("Two classes have the same name.", fix="Give every class a name of its own.")
    return names
