"""The request alone, as JSON: it says what was asked, and gives the same masks on the same weights."""

from __future__ import annotations

import json
from pathlib import Path

from explorer.export.files import check_target, put
from explorer.types import LoadedModel, Plan


def write_spec(model: LoadedModel, plan: Plan, path: Path | str, *, force: bool = False) -> int:
    """Write the PruneSpec to ``path`` (.json); how many bytes. Raises ExplorerError as the other writers do."""
    target = Path(path)
    check_target(model, target, ".json", force=force)
    content = spec_text(plan).encode()
    put({target: content})
    return len(content)


def spec_text(plan: Plan) -> str:
    """The PruneSpec as JSON text, which ``--spec FILE`` and ``PruneSpec.from_json`` read."""
    return json.dumps(plan.spec, indent=1) + "\n"
