"""What an exported file says of where it came from."""

from __future__ import annotations

import logging
from dataclasses import replace

from explorer.errors import ExplorerError
from explorer.models.lineage import beginning, lineage_of
from explorer.store.looks import looks_of, record_name
from explorer.store.origins import remember
from explorer.types import LoadedModel, Plan
from explorer.types.aliases import JsonDict, JsonObject


def lineage_json(model: LoadedModel, plan: Plan, recipe: JsonObject | None = None) -> JsonDict:
    """The lineage of a file of ``model`` pruned by ``plan``, and trained by ``recipe`` where there is one.

    Remembers where the parent is, so that the file is told against it when it is opened again. A disk that refuses
    is no reason to refuse the file.
    """
    step = {"spec": dict(plan.spec), **({} if recipe is None else {"recipe": dict(recipe)})}
    lineage = beginning(model).after(step)
    try:
        if lineage_of(model) is None:
            remember(model.digest, str(model.meta.get("path") or model.address), lineage.arch)
        counts = looks_of(lineage.digest)
        if counts:
            lineage = replace(lineage, looks={**lineage.looks, record_name(): counts})
    except (ExplorerError, OSError):
        logging.getLogger(__name__).exception("What a file is made from could not be remembered.")
    return lineage.to_json()
