"""The one line that makes a comparison again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from explorer.analysis.check.command import arch_words, data_words
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel

PROGRAM = "python -m explorer compare"


def command_of(
    opened: Sequence[LoadedModel], others: Sequence[str | PruneSpec], data: Dataset, arch: str | None, *words: str
) -> str:
    """What to type: the first of the ``opened`` models, the others in their order, the data, and further ``words``."""
    names = [each if isinstance(each, str) else _json(each) for each in others]
    of_files = ["--arch", arch] if arch else arch_words(*opened)
    arguments = [opened[0].address, *names, *of_files, *data_words(data), *words]
    return f"{PROGRAM} {' '.join(map(shlex.quote, arguments))}"


def _json(spec: PruneSpec) -> str:
    return json.dumps(spec.to_json(), separators=(",", ":"))
