"""What every registered criterion keeps to, whatever it measures."""

from __future__ import annotations

import copy
import json
from dataclasses import fields, replace
from functools import cache

import pytest
import torch
from builders import Attention, Plain, Residual, loaded
from scored import Sequence, doubled, samples, seeded
from torch import nn

from explorer import data as sources
from explorer.component.payload import static_part
from explorer.errors import ExplorerError
from explorer.params import params_of
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Scores, Split, tensors_digest
from tests.every import for_each

MODELS = {"cnn": (Residual, (1, 8, 8)), "transformer": (Attention, (5, 6)), "recurrent": (Sequence, (3, 4))}
# Kinds of unit that a criterion can rank in one network at least.
RANKS = {
    "weight": set(CRITERIA.members) - {"geometric_median", "bn_scale", "apoz", "head_confidence", "block_influence"},
    "out_channel": set(CRITERIA.members) - {"head_confidence", "row_magnitude", "sparsegpt", "block_influence"},
    "head": set(CRITERIA.members) - {"bn_scale", "apoz", "row_magnitude", "sparsegpt", "block_influence"},
    "depth": set(CRITERIA.members) - {"geometric_median", "apoz", "head_confidence", "row_magnitude", "sparsegpt"},
}

# Where criteria are tried that have nothing to say of channels.
ELSEWHERE = {
    "head_confidence": ("transformer", "head"),
    "sparsegpt": ("cnn", "weight"),
    "block_influence": ("cnn", "depth"),
}


def quick(key: str, n_samples: int = 16) -> Criterion:
    """A criterion that looks at few samples, and trains for few steps."""
    wanted = {"n_samples": n_samples, "n_steps": 6}
    names = {field.name for field in fields(CRITERIA.member(key))}
    return CRITERIA.get(key, **{name: value for name, value in wanted.items() if name in names})


@cache
def given(kind: str) -> tuple[LoadedModel, Dataset]:
    build, shape = MODELS[kind]
    model = seeded(build, *shape)
    return model, samples(model)


def scored(kind: str, granularity: str, key: str) -> Scores:
    model, data = given(kind)
    return score(model, PruneSpec(granularity, quick(key)), data)


@for_each("kind", MODELS)
@for_each("granularity", GRANULARITIES.members)
@for_each("key", CRITERIA.members)
def test_every_layer_has_one_finite_score_for_each_unit_or_says_why_not(key: str, granularity: str, kind: str) -> None:
    found = scored(kind, granularity, key)
    for group in found.groups:
        if group.why_not is None:
            values = found.values[group.name]
            assert values.shape == (group.n_units,)
            assert values.is_floating_point()
            assert bool(values.isfinite().all())
            assert float(values.min()) >= 0
        else:
            assert group.name not in found.values
            assert group.why_not.endswith(".")
            assert len(group.why_not.split()) >= 3
    told = static_part(found.groups, found.values)["groups"]
    assert all(("low" in shown) == (shown["name"] in found.values) for shown in told)


@for_each("key", CRITERIA.members)
def test_every_criterion_ranks_what_it_was_made_for(key: str) -> None:
    for granularity, keys in RANKS.items():
        if key in keys:
            assert any(scored(kind, granularity, key).values for kind in ("cnn", "transformer")), granularity


@for_each("key", CRITERIA.members)
def test_scoring_twice_gives_the_same_bits_and_leaves_the_model_alone(key: str) -> None:
    for kind in MODELS:
        model, _ = given(kind)
        before = tensors_digest(model.module.state_dict())
        wanted = [p.requires_grad for p in model.module.parameters()]
        for granularity in ("weight", "out_channel", "hidden_unit"):
            first, again = (scored(kind, granularity, key) for _ in range(2))
            assert all(torch.equal(first.values[name], again.values[name]) for name in first.values)
            assert first.source == again.source
        assert tensors_digest(model.module.state_dict()) == before
        assert [p.requires_grad for p in model.module.parameters()] == wanted
        assert not model.module.training
        assert all(p.grad is None for p in model.module.parameters())


@for_each("key", CRITERIA.members)
def test_a_plan_prunes_exactly_the_lowest_scores(key: str) -> None:
    model, data = given("cnn")
    for granularity in ("weight", "out_channel", "n_of_m:n=1,m=2"):
        spec = PruneSpec(granularity, quick(key), "uniform:sparsity=0.5")
        found = score(model, spec, data)
        if not found.values:
            with pytest.raises(ExplorerError, match="Not one .* of this network can go"):
                plan(model, spec, found)
            continue
        made = plan(model, spec, found)
        for part in made.groups:
            if part.n_pruned:
                ranked = found.values[part.group.name].sort().values
                assert part.threshold == ranked[part.n_pruned]
                assert part.n_pruned == round(0.5 * part.group.n_units)
        assert all(k.n_pruned == 0 for k in plan(model, replace(spec, allocation="threshold"), found).groups)


@pytest.mark.parametrize("key", [key for key in CRITERIA.members if CRITERIA.member(key).needs])
class TestOfCriteriaThatLookAtData:
    def test_without_data_they_are_refused_in_one_sentence(self, key: str) -> None:
        model, _ = given("cnn")
        spec = PruneSpec("out_channel", quick(key))
        for nothing in (None, sources.load("none", model=model)):
            with pytest.raises(ExplorerError) as refused:
                score(model, spec, nothing)
            assert "there is none" in refused.value.why
            assert "\n" not in str(refused.value)
        with pytest.raises(ExplorerError, match="runs the model"):
            score(replace(model, module=None, why_not_runnable="No architecture."), spec, given("cnn")[1])

    def test_only_as_many_samples_are_looked_at_as_was_said(self, key: str) -> None:
        kind, granularity = ELSEWHERE.get(key, ("cnn", "out_channel"))
        model, data = given(kind)
        fit = data.splits["fit"]
        other_tail = Split("fit", torch.cat([fit.x[:16], 9 * fit.x[16:]]), torch.cat([fit.y[:16], 3 - fit.y[16:]]))
        changed = replace(data, splits={"fit": other_tail})
        spec = PruneSpec(granularity, quick(key))
        ours, same = score(model, spec, data), score(model, spec, changed)
        assert ours.n_seen == 16
        assert ours.values
        assert all(torch.equal(ours.values[name], same.values[name]) for name in ours.values)
        more = score(model, PruneSpec(granularity, quick(key, 24)), changed)
        assert any(not torch.equal(ours.values[name], more.values[name]) for name in ours.values)

    def test_halves_see_every_other_sample(self, key: str) -> None:
        kind, granularity = ELSEWHERE.get(key, ("cnn", "out_channel"))
        model, data = given(kind)
        spec = PruneSpec(granularity, quick(key))
        fit = data.splits["fit"]
        odd = replace(data, splits={"fit": Split("fit", fit.x[1:16:2], fit.y[1:16:2])})
        half, alone = score(model, spec, data, half=1), score(model, spec, odd)
        assert half.n_seen == 8
        assert all(torch.equal(half.values[name], alone.values[name]) for name in alone.values)


@for_each("key", CRITERIA.members)
def test_every_criterion_survives_json_with_all_its_fields(key: str) -> None:
    member = quick(key)
    spec = PruneSpec("out_channel", member, "global:sparsity=0.5")
    assert PruneSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert hash(member) == hash(CRITERIA.from_json(spec.to_json()["criterion"]))
    for p in params_of(member):
        assert p.label != p.name
        assert p.choices or isinstance(p.default, bool) or (p.low is not None and p.high is not None)


@for_each("key", CRITERIA.members)
def test_every_criterion_says_what_it_does_in_words_and_a_formula(key: str) -> None:
    member = CRITERIA.member(key)
    assert len(member.__doc__.splitlines()[0]) <= 120
    assert key == "random" or ("Source:" in member.__doc__ and "score[" in member.__doc__)
    assert bool(member.needs) == ("n_samples" in {p.name for p in params_of(member)})


@for_each("granularity", ["out_channel", "weight"])
@for_each("key", [key for key in CRITERIA.members if key != "random"])
def test_units_in_another_order_have_their_scores_in_that_order(key: str, granularity: str) -> None:
    model = doubled(seeded(Plain, 1, 8, 8))
    order = torch.randperm(6, generator=torch.Generator().manual_seed(2))
    module = copy.deepcopy(model.module)
    with torch.no_grad():
        for part in (module.conv1, module.bn1):
            for tensor in (t for t in part.state_dict().values() if t.dim()):
                tensor.copy_(tensor[order].clone())
        module.conv2.weight.copy_(module.conv2.weight[:, order].clone())
    shuffled = doubled(replace(model, module=module))
    data, spec = samples(model), PruneSpec(granularity, quick(key))
    ours, theirs = (score(m, spec, data).values for m in (model, shuffled))
    assert set(ours) == set(theirs)
    if "conv1" in ours:
        rows = ours["conv1"].reshape(6, -1)
        torch.testing.assert_close(theirs["conv1"].reshape(6, -1), rows[order], rtol=1e-4, atol=1e-7)
    if "fc" in ours:
        torch.testing.assert_close(theirs["fc"], ours["fc"], rtol=1e-4, atol=1e-7)


def test_a_loss_that_is_not_a_number_is_refused_in_a_sentence() -> None:
    model, data = given("cnn")
    fit = data.splits["fit"]
    broken = replace(data, splits={"fit": Split("fit", fit.x / 0, fit.y)})
    for key in ("gradient", "taylor", "fisher", "obd", "snip", "movement"):
        with pytest.raises(ExplorerError, match=r"not numbers|not finite"):
            score(model, PruneSpec(criterion=quick(key)), broken)


def test_layers_without_any_gradient_score_zero_instead_of_failing() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x)

    model = loaded(Idle(), 4)
    for key in ("gradient", "taylor", "fisher", "obd", "snip"):
        found = score(model, PruneSpec(criterion=quick(key)), samples(model)).values
        assert float(found["idle"].abs().max()) == 0 < float(found["used"].max())
