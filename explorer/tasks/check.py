"""A check before deployment: a candidate against the dense model that it would replace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from explorer import models
from explorer.analysis.arguments import given_data, given_model, given_spec
from explorer.analysis.check.base import Outcome
from explorer.analysis.check.command import command_of, policy_words
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.making import CheckAbout, outcomes_and_check
from explorer.analysis.check.policy import Policy, given_policy
from explorer.analysis.check.result import Check
from explorer.analysis.parent import parent_of
from explorer.analysis.requested import left_by, recovered_by
from explorer.errors import ExplorerError
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.recovery.recipe import Recipe
from explorer.store.database import Store
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import one_of, optional, part, spec, text, whole
from explorer.tasks.recovery import recipe as read_recipe
from explorer.tasks.running import results
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel, Plan, SplitName
from explorer.types.aliases import JsonObject

Columns = tuple[tuple[str, tuple[object, ...]], ...]


def policy(value: object) -> Policy:
    """A policy, or its JSON; None: the defaults."""
    if value is None or isinstance(value, Policy | Mapping):
        return given_policy(value)
    raise ExplorerError(f"{value!r} is no policy.", fix="Give an object with the limits of each check.")


def columns(value: object) -> Columns:
    """Columns beside the samples: a value for each sample, by name."""
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, list | tuple) or not all(_is_column(pair) for pair in pairs):
        raise ExplorerError("These are no columns.", fix="Give a list of values for each name.")
    return tuple((str(name), tuple(values)) for name, values in pairs)


def _is_column(pair: object) -> bool:
    is_pair = isinstance(pair, list | tuple) and len(pair) == 2
    return is_pair and isinstance(pair[1], Sequence) and not isinstance(pair[1], str)  # type: ignore[index]


@dataclass(frozen=True)
class CheckRequest(TaskRequest[Outcome | Check]):
    """Check a candidate against the model of the context, which it would replace.

    The candidate is at the address ``candidate`` (with ``arch``, where its file does not say that), or, without one,
    what ``recipe`` (pruning and training) or else ``spec`` makes of the dense model. ``policy`` says which checks are
    made and how strict each is. ``times`` pairs of passes are timed; 0 measures no time. ``slices`` are columns beside
    the samples.
    """

    kind: ClassVar[str] = "check"
    unit: ClassVar[str] = "checks"

    candidate: str | None = part(optional(text), None)
    arch: str | None = part(optional(text), None)
    spec: PruneSpec = part(spec, PruneSpec())
    policy: Policy = part(policy, Policy.of())
    split: SplitName = part(one_of(("tune", "test")), "tune")
    times: int = part(whole(0, 10_000), 0)
    slices: Columns = part(columns, ())
    seed: int = part(whole(0), 0)
    recipe: Recipe | None = part(optional(read_recipe), None)

    def title(self, context: Context) -> str:
        """ "check of pruned.safetensors against digits-cnn"."""
        name = model_name(context.model.address)
        return f"check of {model_name(self.candidate)} against {name}" if self.candidate else f"check of {name}, pruned"

    def size(self, context: Context) -> int:
        """Every check, and all of them together."""
        return len(list(self.policy)) + 1

    def run(self, context: Context) -> Iterator[Outcome | Check]:
        """The outcome of each check, and last the whole. A look at the test split is counted."""
        candidate, plan = self._candidate(context)
        runnable(context.model)
        evidence = CheckEvidence(
            dense=context.model,
            candidate=candidate,
            dataset=context.dataset,
            split=context.look(self.split),
            plan=plan,
            times=self.times,
            seed=self.seed,
            device=context.device,
            slices=dict(self.slices),
        )
        n_looks = context.n_looks if self.split == "test" else None
        yield from outcomes_and_check(self.policy, evidence, CheckAbout(self._command(context, candidate), n_looks))

    def describe(self, result: Outcome | Check) -> str:
        """ "accuracy not inferior: pass"."""
        return f"{result.label}: {result.status}" if isinstance(result, Outcome) else result.verdict

    def key(self, context: Context) -> str:
        """Also of the candidate's weights: the same address may hold others tomorrow."""
        if self.candidate is None:
            return super().key(context)
        parts = f"{super().key(context)} {self._opened(context).identity}"
        return hashlib.sha256(parts.encode()).hexdigest()[:24]

    def _candidate(self, context: Context) -> tuple[LoadedModel, Plan | None]:
        if self.candidate is not None:
            return self._opened(context), None
        dense = context.model
        if self.recipe is not None:
            return recovered_by(dense, self.recipe, context.dataset, context.device), None
        plan = make_plan(dense, self.spec, context.scores(self.spec), context.dataset)
        return left_by(dense, self.spec, plan), plan

    def _opened(self, context: Context) -> LoadedModel:
        address = self.candidate or ""
        model = context.opened.get(address) or models.load(address, arch=self.arch)
        runnable(model)
        return model

    def _command(self, context: Context, candidate: LoadedModel) -> str:
        words = [*policy_words(self.policy)]
        words += ["--split", self.split] if self.split != "tune" else []
        words += ["--latency", "--pairs", str(self.times)] if self.times else []
        words += ["--seed", str(self.seed)]
        asked = self.spec if self.candidate is None and self.recipe is None else None
        if self.recipe is not None:
            words = ["--recipe", json.dumps(self.recipe.to_json(), separators=(",", ":")), *words]
        return command_of(candidate, context.model, context.dataset, asked, *words)


def check(
    candidate: LoadedModel | str | None = None,
    against: LoadedModel | str | None = None,
    data: Dataset | str | None = None,
    *,
    spec: PruneSpec | JsonObject | str | None = None,
    recipe: Recipe | JsonObject | str | None = None,
    policy: Policy | Mapping[str, object] | str | Path | None = None,
    slices: Mapping[str, Sequence[object]] | None = None,
    split: SplitName = "tune",
    times: int = 0,
    seed: int = 0,
    device: str = "cpu",
    store: Store | Path | str | None = None,
) -> Check:
    """Check ``candidate`` before it is deployed, against the model that it would replace.

    Args:
        candidate: A model or its address; None checks what ``spec`` leaves of ``against``.
        against: The dense model; None: the one that the candidate says it was made from.
        data: What both answer; None: what the dense model was made for.
        spec: A request, in the place of a candidate.
        recipe: What is done to ``against`` by pruning and training, in the place of a candidate.
        policy: Limits by check (``{"accuracy": {"margin": 0.02}}``; False is off), or the path of a TOML file.
        slices: Columns beside the split's samples, by name, one value a sample.
        split: "tune" or "test"; a look at test is counted for good.
        times: Pairs of passes to time; 0 measures no time.
        seed: Of what is drawn: corruptions and bootstraps.
        device: Where the passes run.
        store: Where looks at the test split are counted; None: the user's data folder.

    Returns:
        A :class:`Check` with ``verdict`` (pass, fail, cannot tell), ``exit_status`` (0, 1, 3) and ``outcomes``.

    Raises:
        ExplorerError: There is nothing to check, or nothing to check it against.

    Examples:
        >>> import explorer as ex
        >>> only = {key: False for key in ex.Policy.of().to_json() if key != "accuracy"}
        >>> spec = ex.PruneSpec(allocation="global:sparsity=0.99")
        >>> ex.check(against="digits-mlp", spec=spec, policy=only).verdict
        'fail'
    """
    candidate = None if candidate is None else given_model(candidate)
    dense, address = dense_of(candidate, against), None if candidate is None else candidate.address
    rules, beside, made_by = given_policy(policy), columns(slices or {}), recipe and read_recipe(recipe)
    request = CheckRequest(address, None, given_spec(spec), rules, split, times, beside, seed, made_by or None)
    recorded_in = Store(store) if isinstance(store, Path | str) else store
    opened = {} if candidate is None else {candidate.address: candidate}
    context = Context(dense, given_data(data, dense), device=device, store=recorded_in, opened=opened)
    *_, last = results(request, context)
    if not isinstance(last, Check):
        raise TypeError("the last result of a check is the whole")
    return last


def dense_of(candidate: LoadedModel | None, against: LoadedModel | str | None) -> LoadedModel:
    """The model that is named, else the one that the candidate says it was made from."""
    if against is not None:
        return given_model(against)
    if candidate is None:
        raise ExplorerError("There is nothing to check.", fix="Give a candidate, or spec= and against=.")
    parent = parent_of(candidate)
    if parent is None:
        what = f"It is not known what {model_name(candidate.address)} would replace."
        raise ExplorerError(what, why="Its file does not say what it was made from.", fix="Name it: against=MODEL.")
    return parent
