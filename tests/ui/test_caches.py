"""What is kept between reruns depends on its key alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.analysis.rank_stability import stability
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.ui.shell import cache
from tests.recovery.tiny import flowers, two


@pytest.mark.parametrize("unlocked_first", [False, True])
def test_a_lock_that_one_visitor_opened_does_not_open_it_for_the_next(
    unlocked_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, plain = replace(two(), digest=f"locked {unlocked_first}"), PruneSpec("out_channel")  # type: ignore[arg-type]
    found = score(model, plain)
    locked = replace(found, groups=tuple(replace(group, locked_by="It is held.") for group in found.groups))
    monkeypatch.setattr(cache, "scores", lambda *_: locked)
    unlocked = replace(plain, limits=tuple((group.name, Limit(locked=False)) for group in found.groups))
    specs = [unlocked, plain] if unlocked_first else [plain, unlocked]
    assert all("It is held." in str(cache.why_not_ranked(model, spec, None)) for spec in specs)


def test_the_kept_stability_is_that_of_its_own_data() -> None:
    model, spec = two(), PruneSpec("weight", "taylor")  # type: ignore[arg-type]
    for data in (flowers(seed=1), flowers(seed=2)):
        assert cache.rank_stability(model, spec, data) == stability(model, spec, data)
