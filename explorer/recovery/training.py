"""A network in training with its masks held: one epoch after another, the same bits each time."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.errors import ExplorerError, Refusal
from explorer.pruning import running
from explorer.pruning.evidence.running import one_thread
from explorer.pruning.running import class_scores, fitting
from explorer.recovery.augmentation import moved
from explorer.recovery.schedules import momentum_at, rate_at
from explorer.recovery.settings import TrainingSettings
from explorer.types import Dataset, LoadedModel, Split
from explorer.types.aliases import JsonDict
from explorer.types.code_limit import Limited
from explorer.types.inputs import call, one_tensor, sample_shapes
from explorer.types.stopping import check

_SHOW_EVERY = 0.5  # seconds between two signs of life inside an epoch
_BETA1 = 0.9
# Dropout draws from the one generator of the process: networks that do so take turns.
_NOISE = threading.Lock()
_MODULE, _MOMENT, _MASK, _RANDOM = "module/", "moment/", "mask/", "random/"


@dataclass(frozen=True)
class Training(TrainingSettings):
    """How a network is trained, as a step of a recipe needs it: its epochs, and whether data suit it."""

    @property
    def n_epochs(self) -> int:
        """All its epochs."""
        return self.epochs

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """It needs a fit split, with labels unless the dense model teaches alone; float16 cannot be trained."""
        if any(weight.dtype == torch.float16 for weight in dense.weights.values()):
            why = "Its weights are float16, in which small steps vanish and gradients overflow."
            return Refusal(f"{dense.address} cannot be trained.", why=why, fix="Load the module as float32: float().")
        return why_not_trained(self, data)


def why_not_trained(settings: Training, data: Dataset) -> Refusal | None:
    """The refusal where ``data`` cannot be trained on like this; None where it can."""
    fit = data.splits.get("fit")
    if data.meta.get("generated"):
        why = "Generated inputs are noise: a network that learns from them learns nothing it will be asked."
        return Refusal("Recovery needs real data.", why=why, fix="Give --data, such as digits or folder:PATH.")
    if fit is None or not len(fit):
        why = data.why_no_split.get("fit", "")
        return Refusal(f"{data.address} has no fit split to train on.", why=why, fix="Choose other data.")
    why_no_classes = running.why_no_classes(fit.y)
    if why_no_classes is not None:
        what = f"Recovery trains classifiers; {data.address} is for another task."
        return Refusal(what, why=str(why_no_classes), fix="Choose data with one class for each sample.")
    if fit.y is None and settings.distil_weight < 1.0:
        what = f"{data.address} has no labels to train with."
        return Refusal(what, fix="Let the dense model teach alone: distil_weight=1.")
    if settings.shift and not (data.images and [len(shape) for shape in sample_shapes(fit.x).values()] == [3]):
        return Refusal(f"{data.address} holds no pictures that could be moved.", fix="Set shift=0.")
    return None


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 * KL(softmax(teacher / T) || softmax(student / T)), the mean over (n, classes) logits.

    Source: Hinton et al. 2015, arXiv:1503.02531, section 2.1.
    """
    soft = F.log_softmax(student / temperature, dim=1)
    targets = F.log_softmax(teacher / temperature, dim=1)
    return F.kl_div(soft, targets, reduction="batchmean", log_target=True) * temperature**2


def loss_of(settings: Training, logits: Tensor, labels: Tensor | None, taught: Tensor | None) -> Tensor:
    """(1 - w) * cross entropy + w * distillation; ``taught`` are the dense model's logits where w > 0."""
    weight = settings.distil_weight
    loss = logits.new_zeros(())
    if weight < 1.0 and labels is not None:
        loss = (1.0 - weight) * F.cross_entropy(logits, labels, label_smoothing=settings.label_smoothing)
    if taught is not None:
        loss = loss + weight * distillation_loss(logits, taught, settings.temperature)
    return loss


class Trainer:
    """A private copy of ``model`` in training on ``fit``; pruned weights stay exactly zero.

    Each update masks gradients and weights, and the optimiser's moments are zero wherever a weight is pruned.
    ``teacher`` is the dense model, read only. Equal arguments give equal bits on the same machine with the processor.
    """

    def __init__(
        self,
        model: LoadedModel,
        masks: Mapping[str, Tensor],
        settings: Training,
        fit: Split,
        *,
        teacher: LoadedModel | None = None,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        if model.module is None:
            why = model.why_not_runnable or ""
            raise ExplorerError("This model cannot be trained.", why=why, fix="Give its architecture.")
        self.settings, self.fit, self.device = settings, fit, device
        self._code_seconds = model.code_seconds
        self.module = copy.deepcopy(model.module).to(device)
        for parameter in self.module.parameters():
            parameter.requires_grad_(parameter.is_floating_point())
        self.parameters = {n: p for n, p in self.module.named_parameters() if p.requires_grad}
        self.masks: dict[str, Tensor] = {}
        self.optimiser = _optimiser(settings, self.parameters)
        self.teacher = None if not settings.distil_weight else _teacher(teacher or model, device)
        self.generator = torch.Generator().manual_seed(seed)
        self._noise = torch.Generator().manual_seed(seed).get_state()  # what dropout draws from
        self._draws: bool | None = None  # whether it does; found out by the first update
        self.epoch = 0
        self.learning_rate = settings.learning_rate
        self.last_loss = 0.0
        self._n_updates = max(1, len(_batches(len(fit), self.module, settings, None)))
        self._n_steps = settings.epochs * self._n_updates
        self.set_masks(masks)

    def set_masks(self, masks: Mapping[str, Tensor], updates: Mapping[str, Tensor] | None = None) -> None:
        """Hold other masks from now on: what they cut becomes zero at once, its moments too.

        ``updates`` are new values of whole parameters, taken over before that.
        """
        with torch.no_grad():
            for name, tensor in (updates or {}).items():
                self.parameters[name].copy_(tensor)
        self.masks = {name: mask.to(self.device) for name, mask in masks.items() if not bool(mask.all())}
        self._hold()
        for name, mask in self.masks.items():
            for moment in self.optimiser.state[self.parameters[name]].values():
                if isinstance(moment, Tensor) and moment.shape == mask.shape:
                    moment.masked_fill_(~mask, 0)

    def run_epoch(self) -> Iterator[float]:
        """Train one epoch; now and then yields how much of it is done (0 to 1)."""
        batches = _batches(len(self.fit), self.module, self.settings, self.generator)
        total, shown = 0.0, time.monotonic()
        with Limited(self._code_seconds, "A training step") as limited:
            for i, index in enumerate(batches):
                check()
                step = self.epoch * self._n_updates + i
                total += limited(partial(self._step, index, step)) * len(index)
                if time.monotonic() - shown > _SHOW_EVERY:
                    shown = time.monotonic()
                    yield (i + 1) / len(batches)
        self.epoch += 1
        self.last_loss = total / len(self.fit)

    def _step(self, index: Tensor, step: int) -> float:
        with _alone(self):
            self.module.train()
            loss = self._update(index, step)
            self.module.eval()
        return loss

    def tensors(self) -> dict[str, Tensor]:
        """A copy of parameters and buffers on the processor, tied ones under each name."""
        return {name: t.detach().cpu().clone() for name, t in self.module.state_dict().items()}

    def snapshot(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on, as tensors by name (for a checkpoint)."""
        tensors = {_MODULE + name: t for name, t in self.tensors().items()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimiser.state[parameter].items():
                if isinstance(value, Tensor):
                    tensors[f"{_MOMENT}{key}/{name}"] = value.detach().cpu().clone()
        tensors |= {_MASK + name: mask.cpu().clone() for name, mask in self.masks.items()}
        tensors[_RANDOM + "order"], tensors[_RANDOM + "noise"] = self.generator.get_state(), self._noise.clone()
        return tensors

    def restore(self, snapshot: Mapping[str, Tensor], epoch: int) -> None:
        """Go on after ``epoch`` epochs, from what :meth:`snapshot` gave then."""
        state: JsonDict = {n.removeprefix(_MODULE): t for n, t in snapshot.items() if n.startswith(_MODULE)}
        self.module.load_state_dict(state)
        for name, tensor in snapshot.items():
            if name.startswith(_MOMENT):
                key, _, parameter = name.removeprefix(_MOMENT).partition("/")
                place = "cpu" if key == "step" else self.device
                self.optimiser.state[self.parameters[parameter]][key] = tensor.clone().to(place)
        self.generator.set_state(snapshot[_RANDOM + "order"])
        self._noise = snapshot[_RANDOM + "noise"].clone()
        self.epoch = epoch
        self.set_masks({n.removeprefix(_MASK): t.bool() for n, t in snapshot.items() if n.startswith(_MASK)})

    def _update(self, index: Tensor, step: int) -> float:
        settings = self.settings
        x = self.fit.x[index]
        if settings.shift:
            x = moved(one_tensor(x, "Moving pictures"), settings.shift, self.generator)
        x = fitting(x, self.module)
        labels = None if self.fit.y is None else self.fit.y[index].to(self.device)
        self._set_rate(step)
        self.optimiser.zero_grad()
        taught = None
        if self.teacher is not None:
            with torch.no_grad():
                taught = class_scores(call(self.teacher, x))
        loss = loss_of(settings, class_scores(call(self.module, x)), labels, taught)
        loss.backward()  # type: ignore[no-untyped-call]
        self._mask_gradients()
        if settings.clip:
            nn.utils.clip_grad_norm_(self.module.parameters(), settings.clip)
        self.optimiser.step()
        self._hold()
        return float(loss.detach())

    def _set_rate(self, step: int) -> None:
        settings = self.settings
        self.learning_rate = rate_at(settings.schedule, step, self._n_steps, settings.learning_rate)
        usual = settings.momentum if settings.optimiser == "sgd" else _BETA1
        momentum = momentum_at(settings.schedule, step, self._n_steps, usual) if usual else 0.0
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate
            if settings.optimiser == "sgd":
                group["momentum"] = momentum
            else:
                group["betas"] = (momentum, group["betas"][1])

    def _mask_gradients(self) -> None:
        for name, mask in self.masks.items():
            gradient = self.parameters[name].grad
            if gradient is not None:
                gradient.masked_fill_(~mask, 0)

    @torch.no_grad()
    def _hold(self) -> None:
        for name, mask in self.masks.items():
            self.parameters[name].masked_fill_(~mask, 0)


@contextmanager
def _alone(trainer: Trainer) -> Iterator[None]:
    """One torch thread and the trainer's own noise; what the caller had is put back."""
    with one_thread(), torch.enable_grad(), nullcontext() if trainer._draws is False else _own_noise(trainer):
        yield


@contextmanager
def _own_noise(trainer: Trainer) -> Iterator[None]:
    with _NOISE:
        callers = torch.get_rng_state()
        torch.set_rng_state(trainer._noise)
        try:
            yield
        finally:
            drawn = torch.get_rng_state()
            trainer._draws = bool(trainer._draws) or not torch.equal(drawn, trainer._noise)
            trainer._noise = drawn
            torch.set_rng_state(callers)


def _optimiser(settings: Training, parameters: Mapping[str, nn.Parameter]) -> torch.optim.Optimizer:
    values = list(parameters.values())
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            values, lr=settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(values, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def _teacher(model: LoadedModel, device: str) -> nn.Module:
    if model.module is None:
        raise ExplorerError("The teacher cannot be run.", why=model.why_not_runnable or "", fix="Set distil_weight=0.")
    return copy.deepcopy(model.module).to(device).eval()


def _batches(n: int, module: nn.Module, settings: Training, generator: torch.Generator | None) -> list[Tensor]:
    """The samples in random order (in order without a generator), batch by batch."""
    order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
    batches = list(torch.split(order, settings.batch_size))
    # Statistics of a single vector do not exist: a lone last sample joins the batch before it.
    if len(batches) > 1 and len(batches[-1]) == 1 and any(isinstance(m, nn.BatchNorm1d) for m in module.modules()):
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
