"""Which threshold is to blame for what one class lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer import models
from explorer.analysis.arguments import given_data, given_model, given_spec
from explorer.analysis.blame import Blame, LayerBlame, Restoring, blamed, class_index, of_file, of_request
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.check import dense_of
from explorer.tasks.context import Context
from explorer.tasks.parts import one_of, optional, part, spec, text
from explorer.tasks.running import results
from explorer.text.delta import delta_text
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel, Measurement, SplitName
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class BlameRequest(TaskRequest[LayerBlame | Blame]):
    """Give each pruned layer of a candidate back, one at a time, and measure one class.

    ``of_class`` is its name, or its number. The candidate is at the address ``candidate``, or what ``spec`` leaves of
    the context's model; without an address its groups are restored, with one its layers.
    """

    kind: ClassVar[str] = "blame"
    unit: ClassVar[str] = "layers"

    of_class: str = part(text)
    candidate: str | None = part(optional(text), None)
    arch: str | None = part(optional(text), None)
    spec: PruneSpec = part(spec, PruneSpec())
    split: SplitName = part(one_of(("tune", "test")), "tune")

    def title(self, context: Context) -> str:
        """ "blame for class 3 of digits-cnn"."""
        return f"blame for class {self.of_class} of {model_name(self.candidate or context.model.address)}"

    def size(self, context: Context) -> int:
        """Every layer that is tried, and the whole."""
        return len(self._restoring(context).plans) + 1

    def run(self, context: Context) -> Iterator[LayerBlame | Blame]:
        """Each layer, and last the whole. A look at the test split is counted."""
        restoring, split = self._restoring(context), context.look(self.split)
        index = class_index(context.dataset.classes, self.of_class, context.model.n_classes or 0)
        yield from blamed(context.model, restoring, split, index, context.dataset.classes, context.device)

    def describe(self, result: LayerBlame | Blame) -> str:
        """ "conv1: +12.0 pt"."""
        return "" if isinstance(result, Blame) else f"{result.group}: {gain_text(result.gain)}"

    def key(self, context: Context) -> str:
        """Also of the candidate's weights."""
        if self.candidate is None:
            return super().key(context)
        parts = f"{super().key(context)} {self._opened(context, self.candidate).identity}"
        return hashlib.sha256(parts.encode()).hexdigest()[:24]

    def _restoring(self, context: Context) -> Restoring:
        runnable(context.model)
        if self.candidate is None:
            return of_request(context.model, self.spec, context.scores(self.spec), context.dataset)
        return of_file(context.model, self._opened(context, self.candidate))

    def _opened(self, context: Context, address: str) -> LoadedModel:
        model = context.opened.get(address) or models.load(address, arch=self.arch)
        runnable(model)
        return model


def gain_text(gain: Measurement) -> str:
    """A gain as the change that it is: "+12.0 pt"."""
    return delta_text(Measurement("drop", -gain.value, "fraction", gain.origin))


def blame(
    of_class: str | int,
    candidate: LoadedModel | str | None = None,
    against: LoadedModel | str | None = None,
    data: Dataset | str | None = None,
    *,
    spec: PruneSpec | JsonObject | str | None = None,
    split: SplitName = "tune",
    device: str = "cpu",
) -> Blame:
    """Which layer's pruning costs one class most: each is given back alone, all others as they are, and measured.

    Each costs one pass over the samples of that class, of at most 60 layers, those first that lost most weights.

    Args:
        of_class: The name of a class, or its number.
        candidate: A model or its address; None asks about what ``spec`` leaves of ``against``.
        against: The dense model; None: the one that the candidate says it was made from.
        data: What both answer; None: what the dense model was made for.
        spec: A request, in the place of a candidate.
        split: "tune" or "test"; a look at test is counted for good.
        device: Where the passes run.

    Returns:
        A ``Blame``: ``layers``, the one that gives most back first, each with its ``gain``; ``worst`` is that one.

    Raises:
        ExplorerError: There is no such class, or the models do not choose one class or differ in shape.

    Examples:
        >>> import explorer as ex
        >>> spec = ex.PruneSpec(allocation="global:sparsity=0.95")
        >>> blame = ex.blame(8, against="digits-mlp", spec=spec)
        >>> blame.layers[0].gain.value >= blame.layers[-1].gain.value
        True
    """
    model = None if candidate is None else given_model(candidate)
    dense = dense_of(model, against)
    opened = {} if model is None else {model.address: model}
    address = None if model is None else model.address
    request = BlameRequest(str(of_class), address, None, given_spec(spec), split)
    *_, last = results(request, Context(dense, given_data(data, dense), device=device, opened=opened))
    if not isinstance(last, Blame):
        raise TypeError("the last result of blame is the whole")
    return last
