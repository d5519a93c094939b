"""Train a full network from random weights: where a lineage begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Unpack

from explorer.analysis.arguments import given_data
from explorer.errors import ExplorerError
from explorer.models import lineage, trained
from explorer.models.architectures import ARCHITECTURES
from explorer.models.assemble import Weights, assemble
from explorer.models.sample import manifest
from explorer.recovery.beginnings import fresh_weights_of
from explorer.recovery.defaults import training_of
from explorer.recovery.recipe import Recipe, RunOptions, recover
from explorer.recovery.state import Recovered, RecoveryProgress
from explorer.recovery.steps import Finetune
from explorer.recovery.training import Training
from explorer.types import Dataset, LoadedModel


def untrained(arch: str, data: str | None = None, *, seed: int = 0) -> LoadedModel:
    """A network of a named architecture as ``seed`` draws it; the same weights that a bundled model began with.

    ``arch`` may have arguments: "digits-mlp:hidden1=64". ``data`` is the address of what it is for.
    """
    architecture = ARCHITECTURES.get(arch)
    entry = manifest().get(architecture.key, {})
    about = {"source": "trained", "label": arch, "training": dict(entry.get("training") or {})}
    tensors = fresh_weights_of(architecture, seed)
    model = assemble(Weights(arch, arch, tensors, data=data or entry.get("data"), meta=about), architecture)
    if model.n_classes is None:
        raise ExplorerError(f"{arch} cannot be trained.", fix="Choose another architecture.")
    return model


def settings_for(model: LoadedModel, data: Dataset, **changes: object) -> Finetune:
    """How ``model`` is trained in full: as the bundled model of this name, the best epoch on tune kept."""
    training = training_of(model, data, keep="best", distil_weight=0.0)
    return replace(Finetune(**asdict(training)), **changes)  # type: ignore[arg-type]


def train(
    arch: LoadedModel | str,
    data: Dataset | str | None = None,
    *,
    training: Training | None = None,
    seed: int = 0,
    **running: Unpack[RunOptions],
) -> Iterator[RecoveryProgress]:
    """Train a network from random weights, and tell after every epoch; the caller may stop any time.

    Trained on fit, the best epoch chosen on tune; test is never touched.

    Args:
        arch: The name of an architecture, or an untrained model, whose weights are where it begins.
        data: None: what the architecture is for.
        training: How; None: as the bundled model of this name was trained, the best epoch on tune kept.
        seed: Of the first weights, the order of the samples, and all else that is random.
        running: ``metric``, ``checkpoints``, ``device`` and ``progress``, as for :func:`explorer.recover`.

    Returns:
        An iterator of how far it is; the last one carries ``recovered``: the trained network, which is dense and the
        beginning of its own lineage, with the recipe and the seconds that it took in ``meta["trained"]``.

    Raises:
        ExplorerError: There is no such architecture, or it cannot be trained on this data.

    Examples:
        >>> import explorer as ex
        >>> from explorer.recovery.steps import Finetune
        >>> *_, last = ex.train("digits-mlp", training=Finetune(epochs=1), progress=False)
        >>> last.accuracy.value > 0.5, last.recovered.model.meta["trained"]["epochs"]
        (True, 1)
    """
    model = untrained(arch, data if isinstance(data, str) else None, seed=seed) if isinstance(arch, str) else arch
    dataset = given_data(data, model)
    _check(model, dataset)
    settings = settings_for(model, dataset) if training is None else training
    recipe = Recipe((Finetune(**{**asdict(settings), "seed": seed}),))
    lines = recover(model, recipe, dataset, **running)
    return _with_root(lines, dataset)


def _with_root(lines: Iterator[RecoveryProgress], data: Dataset) -> Iterator[RecoveryProgress]:
    for line in lines:
        done = line.recovered
        yield line if done is None else replace(line, recovered=_as_root(done, data))


def _check(model: LoadedModel, data: Dataset) -> None:
    n_data, n_model = len(data.classes or ()), model.n_classes
    if n_data and n_model and n_data > n_model:
        what = f"{model.address} tells {n_model} classes apart, and {data.address} has {n_data}."
        raise ExplorerError(what, fix="Choose an architecture with as many classes.")


def _as_root(recovered: Recovered, data: Dataset) -> Recovered:
    """The outcome as a dense network of its own: nothing is known of it that came before, for nothing did."""
    model, protocol = recovered.model, recovered.protocol
    settings = {name: value for name, value in protocol["recipe"]["steps"][0].items() if name != "key"}
    about = {
        **settings,
        "arch": model.meta.get("label"),
        "data": data.address,
        "data_digest": data.digest,
        "seconds": round(recovered.seconds, 3),
        "torch": protocol["torch"],
        "recipe_digest": protocol["recipe_digest"],
    }
    meta = {name: value for name, value in model.meta.items() if name != lineage.KEY}
    root = replace(model, data=data.address, meta={**meta, **trained.meta_of(about)})
    return replace(recovered, state=replace(recovered.state, model=root, dense=root))
