"""Several seeds are for everything that draws by chance, not for the random control alone."""

from __future__ import annotations

import explorer
from explorer.pruning import criteria
from explorer.pruning.criteria import CRITERIA
from explorer.ui.tradeoff.methods import ways


def test_every_criterion_that_draws_by_chance_is_one_curve_of_all_its_seeds() -> None:
    model = explorer.load("digits-mlp")
    chosen = [key for key in CRITERIA.members if not CRITERIA.member(key).needs or key == "movement"]
    found = ways(model, [("weight", criteria.get(key)) for key in chosen], ["global"], 3)
    drawn = {
        way.criterion_key: [spec.to_json()["criterion"]["seed"] for spec in way.specs] for way in found if way.is_seeded
    }
    assert drawn == {"movement": [0, 1, 2], "random": [0, 1, 2]}
    assert all(len(way.specs) == 1 for way in found if not way.is_seeded)
