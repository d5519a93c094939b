"""What flows between the steps of a recovery, and what they tell while they run."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from explorer.engine.evaluator import Evaluator
from explorer.engine.prepared import logits_of
from explorer.engine.tally import Tally, per_sample
from explorer.errors import ExplorerError
from explorer.metrics.size import stored_tensors
from explorer.models import lineage
from explorer.pruning.layers import layer_table
from explorer.pruning.running import fitting, runnable
from explorer.types import Evaluation, LayerTable, LoadedModel, Measurement, Plan, Split, tensors_digest
from explorer.types.aliases import JsonObject
from explorer.types.brief import Brief
from explorer.types.inputs import call, equal
from explorer.types.stopping import check


@dataclass(frozen=True, eq=False, repr=False)
class State(Brief):
    """A network on its way through a recipe.

    ``dense`` is what the recipe began with; nobody writes to it. ``model`` is the network as it is now: pruned
    weights are exactly 0, the digest is that of its own weights. ``plan`` holds the masks that hold now (None:
    nothing is pruned). ``epochs`` counts those that were trained so far; ``seed`` is the recipe's.
    ``already_zero`` are masks of the zeros it came with: a plan takes them over, and no step brings them back.
    """

    dense: LoadedModel
    model: LoadedModel
    plan: Plan | None = None
    epochs: int = 0
    seed: int = 0
    already_zero: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def masks(self) -> Mapping[str, Tensor]:
        """The masks that hold now, by parameter: True keeps."""
        return self.plan.masks if self.plan is not None else self.already_zero

    @property
    def sparsity(self) -> float:
        """Pruned weights / prunable weights, counted from the masks."""
        return self.plan.sparsity if self.plan is not None else sparsity_under(layer_table(self.model), self.masks)

    @property
    def mask_digest(self) -> str:
        """Equal = equal masks, bit for bit."""
        return mask_digest(self.masks)

    def _in_brief(self) -> JsonObject:
        return {"model": self.model.address, "sparsity": self.sparsity, "epochs": self.epochs, "seed": self.seed}


@dataclass(frozen=True, repr=False)
class RecoveryProgress(Brief):
    """One line of the story: an epoch, a finished step, or how far the present epoch is.

    ``index`` counts steps from 0; ``key`` is the step's kind. ``epoch`` counts from 1 within the step (0: the step
    does not train). ``share`` (0 to 1) is how much of the step is done. ``accuracy`` and ``drop`` (against the dense
    model, paired) are measured on tune; None between epochs, or without a tune split. ``n_revived`` counts pruned
    weights that are not exactly zero: it must be 0. ``complete`` is False inside an epoch. ``seconds`` is since the
    recipe began and no part of equality. The last one carries ``recovered``.
    """

    index: int
    key: str
    n_steps: int
    epoch: int = 0
    n_epochs: int = 0
    share: float = 0.0
    train_loss: float | None = None
    learning_rate: float | None = None
    accuracy: Measurement | None = None
    drop: Measurement | None = None
    loss: Measurement | None = None
    sparsity: float = 0.0
    n_revived: int = 0
    mask_digest: str = ""
    complete: bool = True
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    recovered: Recovered | None = field(default=None, compare=False, repr=False)

    def _in_brief(self) -> JsonObject:
        where = {"key": self.key, "index": self.index, "n_steps": self.n_steps, "epoch": self.epoch}
        accuracy = None if self.accuracy is None else self.accuracy.value
        return {**where, "n_epochs": self.n_epochs, "accuracy": accuracy, "sparsity": self.sparsity}


@dataclass(frozen=True, eq=False, repr=False)
class Recovered(Brief):
    """What a recipe came to. ``history`` holds every finished epoch and step, in order.

    ``as_pruned``, ``refreshed`` and ``tuned`` are the accuracies on tune after the last pruning, after the refresh
    that followed it and after the training that followed it; None where there was none. ``protocol`` is JSON-able:
    the recipe, the data, the epochs and the versions that the result depends on.
    """

    state: State
    history: tuple[RecoveryProgress, ...]
    dense: Measurement | None
    as_pruned: Measurement | None
    refreshed: Measurement | None
    tuned: Measurement | None
    protocol: JsonObject

    @property
    def model(self) -> LoadedModel:
        """The recovered network."""
        return self.state.model

    @property
    def plan(self) -> Plan | None:
        """Its masks."""
        return self.state.plan

    @property
    def n_revived(self) -> int:
        """Pruned weights found alive in any audit; must be 0."""
        return max((p.n_revived for p in self.history), default=0)

    @property
    def seconds(self) -> float:
        """How long it took, measurements on tune included; of a run that was interrupted, all its parts."""
        total, before = 0.0, 0.0
        for progress in self.history:
            # A run that goes on begins its clock anew: what it did before it was interrupted is counted first.
            total += progress.seconds - before if progress.seconds >= before else progress.seconds
            before = progress.seconds
        return total

    def _in_brief(self) -> JsonObject:
        dots = {"dense": self.dense, "as_pruned": self.as_pruned, "refreshed": self.refreshed, "tuned": self.tuned}
        values = {name: None if dot is None else dot.value for name, dot in dots.items()}
        return {"model": self.model.address, **values, "epochs": self.state.epochs}


def recovered_model(
    dense: LoadedModel, weights: nn.Module | Mapping[str, Tensor], meta: JsonObject | None = None
) -> LoadedModel:
    """``dense`` with other numbers, as a new frozen model with a digest of its own.

    ``weights`` is a module of the same shape, or some of its parameters and buffers by path; the rest stays as in
    ``dense``, which is not written to. ``meta`` is added to the model's.
    """
    tensors = weights.state_dict() if isinstance(weights, nn.Module) else weights
    module = copy.deepcopy(runnable(dense))
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
    module.eval().requires_grad_(False)
    parameters = {name: p.detach() for name, p in module.named_parameters()}
    # The accuracy a sample states is that of its own weights.
    about = {key: value for key, value in dense.meta.items() if key != "accuracy"}
    about[lineage.KEY] = lineage.beginning(dense).to_json()
    recovered = replace(dense, module=module, weights=parameters, meta={**about, **(meta or {})})
    return replace(recovered, digest=tensors_digest(stored_tensors(recovered)))


def masked_model(dense: LoadedModel, tensors: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> LoadedModel:
    """``recovered_model`` with exact zeros wherever ``masks`` are False."""
    zeroed = {n: t.detach().masked_fill(~masks[n].to(t.device), 0) if n in masks else t for n, t in tensors.items()}
    return recovered_model(dense, zeroed)


def measured(state: State | LoadedModel, split: Split, evaluator: Evaluator) -> Evaluation:
    """The network of ``state`` on ``split``, against the dense model that ``evaluator`` holds.

    Same judge and same paired interval as everywhere: ``drop`` is dense minus recovered accuracy on the same
    samples. ``evaluator`` must be one of the dense model on this very split.
    """
    if evaluator.split is not split and not equal(evaluator.split.x, split.x):
        fix = "Make an Evaluator of the dense model on this split."
        raise ExplorerError(f"The evaluator looks at other samples than {split.name}.", fix=fix)
    model = state.model if isinstance(state, State) else state
    return measured_module(runnable(model), evaluator)


def measured_module(module: nn.Module, evaluator: Evaluator) -> Evaluation:
    """The same for a bare module in eval mode, on whatever device it is."""
    start = time.perf_counter()
    split = evaluator.split
    tally = Tally(len(split), evaluator.batch_size, evaluator.device, evaluator.asked)
    with torch.inference_mode():
        for index, part in enumerate(evaluator.batches):
            check()
            labels, targets = (None if of is None else of[part] for of in (split.y, split.targets))
            x = fitting(split.x[part], module)
            outputs, dense = logits_of(call(module, x), len(x)), evaluator.dense_result(index)
            tally.add(per_sample(outputs, labels, dense, evaluator.asked, targets))
    return tally.evaluation(time.perf_counter() - start)


def n_revived(tensors: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> int:
    """The zero audit: how many entries that ``masks`` cut are not +0.0, bit for bit."""
    total = 0
    for name, mask in masks.items():
        cut = tensors[name].detach()[~mask.to(tensors[name].device)]
        total += int(torch.count_nonzero(cut.contiguous().view(_SAME_WIDTH[cut.element_size()])))
    return total


_SAME_WIDTH = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def sparsity_under(layers: LayerTable, masks: Mapping[str, Tensor]) -> float:
    """Pruned weights / prunable weights, counted from ``masks``."""
    cuts = (masks[layer.parameter] for layer in layers.prunable if layer.parameter in masks)
    return sum(int(mask.numel() - mask.sum()) for mask in cuts) / layers.n_prunable if layers.n_prunable else 0.0


def mask_digest(masks: Mapping[str, Tensor]) -> str:
    """Equal = equal masks; a mask that cuts nothing is as good as none."""
    total = hashlib.sha256()
    for name in sorted(masks):
        mask = masks[name].detach().cpu()
        if not bool(mask.all()):
            total.update(f"{name}|{tuple(mask.shape)}|".encode())
            total.update(np.packbits(mask.contiguous().numpy()).data)
    return total.hexdigest()[:16]
