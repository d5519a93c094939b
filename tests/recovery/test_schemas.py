"""The JSON Schemas say what the readers take: written requests are valid, and what is refused is not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import explorer as ex
from explorer.params import params_of
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.recovery.schemas import prune_spec_schema, recipe_schema, schemas
from explorer.recovery.steps import STEPS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schemas"
POLICY = Draft202012Validator(schemas()["check-policy.schema.json"])
SPEC, RECIPE = Draft202012Validator(prune_spec_schema()), Draft202012Validator(recipe_schema())
BAD_SPECS = (
    {"criterion": {"key": "none"}},
    {"criterion": {"key": "lp_norm", "q": 1}},
    {"criterion": {"p": 1}},
    {"allocation": {"key": "global", "sparsity": 1.5}},
    {"allocation": {"key": "global", "sparsity": "much"}},
    {"limits": {"conv1": {"locked": "yes"}}},
    {"limits": {"conv1": {"floor": -0.1}}},
    {"limits": [1]},
    {"unit": {"key": "weight"}},
    [],
)
BAD_RECIPES = (
    {},
    {"steps": []},
    {"steps": [{"key": "none"}]},
    {"steps": [{"key": "prune"}]},
    {"seed": -1, "steps": []},
)
BAD_POLICIES: tuple[dict[str, object], ...] = (
    {"none": {}},
    {"accuracy": {"none": 1}},
    {"accuracy": {"margin": "much"}},
    {"accuracy": {"margin": -1}},
    {"accuracy": {"level": "loud"}},
    {"accuracy": {"key": "accuracy"}},
    {"accuracy": 1},
)


def test_the_committed_schemas_are_those_of_the_declarations() -> None:
    committed = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
    assert committed == json.loads(json.dumps(schemas())), "Run: python docs/schemas.py"


def test_the_schemas_are_schemas() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)
    assert len(schemas()) == 3


def test_every_member_with_its_defaults_is_valid_as_it_is_written() -> None:
    for part, registry in (("granularity", GRANULARITIES), ("criterion", CRITERIA), ("allocation", ALLOCATIONS)):
        for key, member in registry.members.items():
            if not any(p.required for p in params_of(member)):
                assert SPEC.is_valid(ex.PruneSpec(**{part: key}).to_json()), f"{part} {key}"
    for key, member in STEPS.members.items():
        if not any(p.required for p in params_of(member)) and key != "narrow":
            assert RECIPE.is_valid(ex.Recipe((key,)).to_json()), key


def test_requests_of_all_kinds_are_valid_as_they_are_written() -> None:
    spec = ex.PruneSpec("out_channel", "taylor", "per_layer:sparsity=0.5").with_limit("conv1", ex.Limit(True, 0.1, 0.5))
    model = ex.load("digits-mlp")
    tuning = ex.recipes.tuning_for(model)
    made = [ex.recipes.one_shot(spec, tuning), ex.recipes.iterative(ex.PruneSpec(), 3, tuning)]
    made += [ex.recipes.gradual(ex.PruneSpec(), tuning), ex.recipes.distilled(spec, tuning)]
    assert SPEC.is_valid(spec.to_json())
    assert [recipe.summary for recipe in made if not RECIPE.is_valid(recipe.to_json())] == []


def test_policies_are_valid_as_they_are_written_and_not_where_the_reader_refuses() -> None:
    policy = ex.Policy.of({"accuracy": {"margin": 0.02}, "corruptions": False})
    for value in (policy.to_json(), tomllib.loads(policy.to_toml()), policy.changes(), {}, {"dead": True}):
        assert ex.Policy.of(value).to_json().keys() == policy.to_json().keys()
        assert POLICY.is_valid(value), value
    for bad in BAD_POLICIES:
        with pytest.raises(ex.ExplorerError):
            ex.Policy.of(bad)
        assert not POLICY.is_valid(bad), bad


def test_what_the_readers_refuse_is_not_valid() -> None:
    for bad in BAD_SPECS:
        with pytest.raises(ex.ExplorerError):
            ex.PruneSpec.from_json(bad)  # type: ignore[arg-type]
        assert not SPEC.is_valid(bad), bad
    for bad_recipe in BAD_RECIPES:
        with pytest.raises(ex.ExplorerError):
            ex.Recipe.from_json(bad_recipe)
        assert not RECIPE.is_valid(bad_recipe), bad_recipe
