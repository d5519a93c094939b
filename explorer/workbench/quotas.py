"""What visitors may take of a server, each and together."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields

from explorer.errors import ExplorerError

VARIABLE = "PRUNING_EXPLORER_QUOTAS"


@dataclass(frozen=True)
class Quotas:
    """At most so many visitors at once, so many jobs that wait or run, and so many MB of uploaded files."""

    visitors: int = 100
    jobs: int = 100
    jobs_each: int = 16
    upload_mb: int = 4000
    upload_mb_each: int = 1000

    def to_environment(self) -> str:
        """The text for the environment of a server."""
        return json.dumps(asdict(self))

    @classmethod
    def here(cls) -> Quotas:
        """Those of this server: what the environment says, else the usual ones. ExplorerError for another text."""
        text = os.environ.get(VARIABLE, "").strip()
        try:
            values = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            values = None
        names = {field.name for field in fields(cls)}
        if isinstance(values, dict) and values.keys() <= names and all(_counts(value) for value in values.values()):
            return cls(**values)
        fix = 'Write it as JSON, such as {"visitors": 30, "jobs": 8}.'
        raise ExplorerError(f"{VARIABLE} is not readable.", fix=fix)


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
