"""A recipe: an ordered list of steps, as one frozen value that can be replayed; and what replays it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import torch

from explorer.analysis.arguments import given_data, given_model, headline_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.own import Given
from explorer.models import lineage
from explorer.params import member_to_json
from explorer.pruning.layers import already_zero, layer_table
from explorer.recovery.checkpoints import Checkpoints
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import Recovered, RecoveryProgress, State
from explorer.recovery.steps import STEPS, Rewind
from explorer.recovery.steps.base import Step
from explorer.text.bar import BarSteps, tracked
from explorer.types import Dataset, LoadedModel, Measurement
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Brief

MOST_STEPS = 1000
PRUNING = ("prune", "gradual")  # the steps that take weights away
_ON_NARROW = ("refresh", "finetune", "quantize")  # what may be done to a network that is another one


@dataclass(frozen=True, repr=False)
class Recipe(Brief):
    """What is done to a network, in order. Equal JSON gives an equal result on the same machine.

    Steps may be given as objects or as text: ``Recipe((Prune(spec), "refresh", "finetune:epochs=5"))``.
    ``seed`` goes into everything random that is trained.

    Examples:
        >>> import explorer as ex
        >>> spec = ex.PruneSpec(allocation="global:sparsity=0.9")
        >>> recipe = ex.recipes.one_shot(spec, ex.recipes.tuning_for(ex.load("digits-mlp")))
        >>> [step.key for step in recipe.steps], ex.Recipe.from_json(recipe.to_json()) == recipe
        (['prune', 'refresh', 'finetune'], True)
    """

    steps: tuple[Step, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        steps = tuple(STEPS.get(step) for step in self.steps)
        if not 0 < len(steps) <= MOST_STEPS:
            raise ExplorerError(f"A recipe of {len(steps)} steps does nothing.", fix=f"Give 1 to {MOST_STEPS} steps.")
        object.__setattr__(self, "steps", steps)
        keys = [step.key for step in steps]
        if "narrow" in keys and (keys[0] != "narrow" or not set(keys[1:]) <= set(_ON_NARROW)):
            what = "A narrower network is only trained: narrow comes first, and nothing after it prunes or goes back."
            raise ExplorerError(what, fix=f"Let only {', '.join(_ON_NARROW)} follow narrow.")

    @property
    def n_epochs(self) -> int:
        """All epochs that are trained."""
        return sum(step.n_epochs for step in self.steps)

    @property
    def n_stages(self) -> int:
        """How many results come that are complete: every epoch, every step, and the end."""
        return sum(step.n_epochs or 1 for step in self.steps) + 1

    @property
    def summary(self) -> str:
        """In a few words: "4 x (prune, refresh, finetune), 40 epochs"."""
        keys = [step.key for step in self.steps]
        n = len(keys)
        length = next(k for k in range(1, n + 1) if n % k == 0 and keys[:k] * (n // k) == keys)
        inner = ", ".join(keys[:length])
        steps = inner if length == n else f"{n // length} x ({inner})"
        return f"{steps}, {self.n_epochs} epoch{'s' * (self.n_epochs > 1)}" if self.n_epochs else steps

    @property
    def digest(self) -> str:
        """Equal digest = equal recipe."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> JsonDict:
        """One JSON-able object."""
        return {"seed": self.seed, "steps": [member_to_json(step) for step in self.steps]}

    @classmethod
    def from_json(cls, document: str | JsonObject) -> Recipe:
        """The inverse of :meth:`to_json`; takes text too. Every value is checked."""
        if isinstance(document, str):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError):
                raise ExplorerError("This is not JSON.", fix="Give a recipe as the explorer writes it.") from None
        if not isinstance(document, Mapping) or not isinstance(document.get("steps"), list):
            raise ExplorerError(
                'A recipe is a JSON object with a list of "steps".', fix="Write one with --write-recipe."
            )
        unknown = sorted(set(document) - {"seed", "steps"})
        if unknown:
            raise ExplorerError(f"A recipe has no part {unknown[0]!r}.", fix="Its parts: seed, steps.")
        seed = document.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
            raise ExplorerError(f"{seed!r} is no seed.", fix="Give a whole number from 0 to 2147483647.")
        return cls(tuple(STEPS.from_json(step) for step in document["steps"]), seed)

    @classmethod
    def foreign(cls, document: str | JsonObject, first_weights: str = "") -> Recipe:
        """A recipe that came as a file. ``first_weights`` is the user's own word for what its steps rewind to.

        Raises ExplorerError where a step names such a file and the user none: what a file names is not opened.
        """
        recipe = cls.from_json(document)
        rewinds = [step for step in recipe.steps if isinstance(step, Rewind)]
        if not first_weights:
            _refuse_files(rewinds)
            return recipe
        if not rewinds:
            raise ExplorerError("No step of this recipe rewinds.", fix="Leave the first weights out.")
        return replace(
            recipe, steps=tuple(replace(s, file=first_weights) if isinstance(s, Rewind) else s for s in recipe.steps)
        )

    def _in_brief(self) -> JsonObject:
        return {"summary": self.summary, "steps": len(self.steps), "seed": self.seed, "digest": self.digest}


def _refuse_files(rewinds: list[Rewind]) -> None:
    named = next((step.file for step in rewinds if step.file), "")
    if named:
        raise ExplorerError(
            f"The recipe names a file of first weights, {named[:120]!r}.",
            why="What a file names is not opened by itself.",
            fix="Name the weights yourself, on the command line: --recipe FILE --first-weights FILE.",
        )


class RunOptions(TypedDict, total=False):
    """What :func:`recover` takes of how it runs, whatever it does."""

    metric: Given | None
    checkpoints: Path | str | None
    device: str
    progress: bool | None


def recover(
    model: LoadedModel | str,
    recipe: Recipe | JsonObject | str,
    data: Dataset | str | None = None,
    *,
    evaluator: Evaluator | None = None,
    metric: Given | None = None,
    checkpoints: Path | str | None = None,
    device: str = "cpu",
    progress: bool | None = None,
) -> Iterator[RecoveryProgress]:
    """Do what ``recipe`` says to ``model``, and tell after every epoch and step; the caller may stop any time.

    Trained on fit, the best epoch chosen on tune; test is never touched.

    Args:
        model: A model or its address; it is not written to.
        recipe: What is done, in order, or its JSON.
        data: None: what the model was made for.
        evaluator: One of the model to compare with (the dense one) on tune; None: made here.
        metric: As for :func:`explorer.evaluate`: the best epoch is chosen by it.
        checkpoints: A folder for finished epochs; a run that was killed goes on to the same bits as one that was not.
        device: Where it is trained.
        progress: A bar; None: where somebody types.

    Returns:
        An iterator of how far it is; the last one carries ``recovered``: the new network, its masks and its protocol.

    Raises:
        ExplorerError: The model cannot run, or a step cannot be done with this data.

    Examples:
        >>> import explorer as ex
        >>> spec = ex.PruneSpec(allocation="global:sparsity=0.9")
        >>> recipe = ex.recipes.one_shot(spec, ex.recipes.tuning_for(ex.load("digits-mlp"), epochs=1))
        >>> *_, last = ex.recover("digits-mlp", recipe, progress=False)
        >>> last.recovered.plan.n_pruned
        45389
    """
    loaded = given_model(model)
    request = recipe if isinstance(recipe, Recipe) else Recipe.foreign(recipe)
    dataset = given_data(data, loaded)
    _check(loaded, request, dataset)
    headline = headline_of(metric, evaluator)
    if evaluator is None and "tune" in dataset.splits:
        evaluator = Evaluator(loaded, dataset.splits["tune"], device=device, asked=headline)
    depends = depends_on(loaded, request, dataset, device)
    if evaluator is not None and evaluator.asked.headline is not None:
        depends["metric"] = evaluator.asked.headline.key
    kept = None if checkpoints is None else Checkpoints.of(checkpoints, depends)
    context = RecoveryContext(
        dataset, layer_table(loaded), evaluator, kept, device, request.seed, n_steps=len(request.steps)
    )
    n_lines = sum(max(1, step.n_epochs) for step in request.steps)
    return tracked(_steps(loaded, request, context), BarSteps("recover", n_lines, _is_line), progress)


def _check(model: LoadedModel, recipe: Recipe, data: Dataset) -> None:
    """Refuse a model that cannot run, and a step that cannot be done with these data."""
    if model.module is None:
        why = model.why_not_runnable or ""
        raise ExplorerError(f"{model.address} cannot be trained.", why=why, fix="Load it with its architecture.")
    refusals = (step.why_not(model, data) for step in recipe.steps)
    refusal = next((refusal for refusal in refusals if refusal is not None), None)
    if refusal is not None:
        raise refusal.error()


def _is_line(line: RecoveryProgress) -> bool:
    """Whether an epoch or a step is over, which a bar counts."""
    return line.complete and line.recovered is None


def depends_on(model: LoadedModel, recipe: Recipe, data: Dataset, device: str) -> JsonDict:
    """What the bits of a result depend on, as JSON (the version of torch apart)."""
    return {"model": model.identity, "data": data.digest, "recipe": recipe.to_json(), "device": device}


def _steps(model: LoadedModel, recipe: Recipe, context: RecoveryContext) -> Iterator[RecoveryProgress]:
    state = State(model, model, seed=recipe.seed, already_zero=already_zero(model, context.layers))
    history: list[RecoveryProgress] = []
    ends: list[RecoveryProgress] = []
    context.started = time.perf_counter()
    for index, step in enumerate(recipe.steps):
        context = replace(context, index=index, key=step.key)
        doing = step.run(state, context)
        while True:
            try:
                progress = next(doing)
            except StopIteration as end:
                state = end.value
                break
            if progress.complete:
                history.append(progress)
            yield progress
        # The last epoch need not be the one that is kept: what counts is the network that goes on.
        ends.append(context.final_progress(state) if step.n_epochs else history[-1])
    recovered = _recovered(state, recipe, context, history, ends)
    yield replace(ends[-1], key="done", index=len(recipe.steps), notes=(), recovered=recovered)


def _recovered(
    state: State,
    recipe: Recipe,
    context: RecoveryContext,
    history: list[RecoveryProgress],
    ends: list[RecoveryProgress],
) -> Recovered:
    protocol = protocol_of(state, recipe, context.data, context.device)
    made_from = {"from": {"address": state.dense.address, "digest": state.dense.digest}, **protocol}
    # With it, what a file needs to tell of the dense model at the very beginning.
    meta = {**state.model.meta, lineage.KEY: {**made_from, **lineage.beginning(state.model).to_json()}}
    model = replace(state.model, meta=meta)
    return Recovered(
        state=replace(state, model=model),
        history=tuple(history),
        dense=None if context.evaluator is None else context.evaluator.dense().accuracy,
        **_three_dots(recipe, ends),
        protocol=protocol,
    )


def _three_dots(recipe: Recipe, ends: list[RecoveryProgress]) -> dict[str, Measurement | None]:
    """Accuracy after the last pruning, after the refresh that followed and after the training that followed."""
    steps = list(zip(recipe.steps, ends, strict=True))
    last = max((i for i, (step, _) in enumerate(steps) if step.key in PRUNING), default=0)
    measurements: dict[str, Measurement | None] = {"as_pruned": None, "refreshed": None, "tuned": None}
    for step, end in steps[last:]:
        dot = "tuned" if step.n_epochs else {"prune": "as_pruned", "refresh": "refreshed"}.get(step.key)
        if dot is not None:
            measurements[dot] = end.accuracy
    return measurements


def protocol_of(state: State, recipe: Recipe, data: Dataset, device: str) -> JsonDict:
    """How a network came to be, as JSON: what a fair comparison holds equal, and what a replay must give again."""
    trained = [step for step in recipe.steps if step.n_epochs]
    return {
        "recipe": recipe.to_json(),
        "recipe_digest": recipe.digest,
        "summary": recipe.summary,
        "seed": recipe.seed,
        "epochs": state.epochs,
        "optimiser": sorted({str(getattr(step, "optimiser", "")) for step in trained} - {""}),
        "data": {"address": data.address, "digest": data.digest, "trained_on": "fit", "chosen_on": "tune"},
        "dense_digest": state.dense.digest,
        "mask_digest": state.mask_digest,
        "device": device,
        "torch": str(torch.__version__),
    }
