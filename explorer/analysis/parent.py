"""A model that was made from another one, told against it; and the looks at test that count for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from explorer import models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.models.lineage import Lineage, lineage_of
from explorer.pruning.apply import masked
from explorer.recovery.state import measured_module
from explorer.store.looks import count_look, looks, record_name
from explorer.store.origins import origin
from explorer.text.names import model_name
from explorer.types import Dataset, Evaluation, LoadedModel, Plan, Split
from explorer.types.aliases import JsonDict


@dataclass(frozen=True, eq=False)
class Against:
    """A model against the dense one that it was made from, on the same samples.

    ``evaluation`` has the model's accuracy, its ``drop`` (parent minus model, paired) and its agreement with the
    parent; ``parent_accuracy`` follows from both. None of it is of the model before the present request.
    """

    parent: LoadedModel
    evaluation: Evaluation

    @property
    def parent_accuracy(self) -> float:
        """The parent's accuracy on these samples."""
        return self.evaluation.accuracy.value + self.evaluation.drop.value

    def to_json(self) -> JsonDict:
        """One JSON-able object; numbers with their intervals."""
        numbers = {name: asdict(getattr(self.evaluation, name)) for name in ("accuracy", "drop", "agreement")}
        return {"address": self.parent.address, "digest": self.parent.digest, "n": self.evaluation.n, **numbers}


def against(model: LoadedModel, plan: Plan, parent: Evaluator) -> Against:
    """``model`` as ``plan`` prunes it, on the samples of ``parent``, an evaluator of the dense model.

    Raises ExplorerError where the two do not answer the same question.
    """
    if model.n_classes != parent.model.n_classes:
        what = f"{model_name(parent.model.address)} is no parent of this model."
        why = f"One answers with {parent.model.n_classes} classes, the other with {model.n_classes}."
        raise ExplorerError(what, why=why, fix="Name the model that it was made from.")
    return Against(parent.model, measured_module(masked(model, plan).module, parent))


def parent_of(
    model: LoadedModel,
    folder: Path | str | None = None,
    *,
    load: Callable[[str, str | None], LoadedModel] | None = None,
) -> LoadedModel | None:
    """The dense model that this one was made from; None where it is dense itself.

    Raises ExplorerError where the parent is not at hand: it is no bundled model, and no file that this machine has
    made the other one from and that is still the same.
    """
    lineage = lineage_of(model)
    if lineage is None:
        return None
    place = (lineage.address, None) if lineage.address in models.samples() else origin(lineage.digest, folder)
    if place is None:
        raise not_at_hand(lineage, "It is no bundled model, and not known on this machine.")
    try:
        parent = models.load(place[0], arch=place[1]) if load is None else load(*place)
    except ExplorerError as error:
        raise not_at_hand(lineage, f"{error.what} {error.why}".strip()) from error
    if parent.digest != lineage.digest:
        raise not_at_hand(lineage, "What is at its place now has other weights.")
    if parent.module is None:
        raise not_at_hand(lineage, "It was opened without its architecture.")
    return parent


def against_known_parent(
    model: LoadedModel, plan: Plan, split: Split, *, device: str = "cpu"
) -> Against | ExplorerError | None:
    """``model`` as ``plan`` prunes it against its parent; why that cannot be told; None where it has no parent."""
    try:
        parent = parent_of(model)
        return None if parent is None else against(model, plan, Evaluator(parent, split, device=device))
    except ExplorerError as error:
        return error


def not_at_hand(lineage: Lineage, why: str) -> ExplorerError:
    """The refusal that says which parent is missed."""
    what = f"The parent of this model, {model_name(lineage.address)} ({lineage.digest}), is not at hand."
    return ExplorerError(what, why=why, fix="Name it with --against MODEL, or open a model whose parent is here.")


def looks_at_test(model: LoadedModel, data: Dataset, folder: Path | str | None = None) -> int:
    """How often the test split of these data was looked at with this model or any of its lineage.

    Counted here, and, by what its file says, elsewhere.
    """
    lineage = lineage_of(model)
    own = looks(model.digest, data.digest, folder)
    if lineage is None:
        return own
    others = {record: counts for record, counts in lineage.looks.items() if record != record_name(folder)}
    elsewhere = sum(counts.get(data.digest, 0) for counts in others.values())
    return own + looks(lineage.digest, data.digest, folder) + elsewhere


def count_look_at_test(model: LoadedModel, data: Dataset, folder: Path | str | None = None) -> int:
    """Count one more look, for the whole lineage; returns the new count."""
    lineage = lineage_of(model)
    count_look(model.digest if lineage is None else lineage.digest, data.digest, folder)
    return looks_at_test(model, data, folder)
