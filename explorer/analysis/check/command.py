"""The one line that makes a check again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from explorer.analysis.check.policy import Policy
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel

PROGRAM = "python -m explorer check"


def command_of(
    candidate: LoadedModel, dense: LoadedModel, data: Dataset, spec: PruneSpec | None, *words: str
) -> str:  # fmt: skip
    """What to type: the models, the data as they were read, the request, and further ``words``."""
    is_made_here = candidate.meta.get("source") == "request"
    against = [] if is_made_here else ["--against", dense.address]
    asked = [] if spec is None else ["--spec", json.dumps(spec.to_json(), separators=(",", ":"))]
    address = dense.address if is_made_here else candidate.address
    arguments = [address, *against, *asked, *arch_words(candidate, dense), *data_words(data), *words]
    return f"{PROGRAM} {' '.join(map(shlex.quote, arguments))}"


def policy_words(policy: Policy) -> Iterator[str]:
    """What differs from the defaults, as flags."""
    for key, limits in policy.changes().items():
        for name, value in limits.items():
            yield from ("--set", f"{key}.{name}={value}")


def arch_words(*models: LoadedModel) -> list[str]:
    """The architecture, where files that do not say it were opened as one."""
    named = {
        str(model.meta["arch"]) for model in models if model.meta.get("source") == "file" and model.meta.get("arch")
    }
    words = ["--arch", named.pop()] if len(named) == 1 else []
    return [*words, "--trust-code"] if any(model.meta.get("source") == "factory" for model in models) else words


def data_words(data: Dataset) -> list[str]:
    """The data, as they were read, as flags."""
    n = data.options.get("samples")
    words = ["--data", data.address, *(["--samples", str(n)] if n is not None else [])]
    if data.address.partition(":")[0] not in ("folder", "npz"):
        return words
    size = data.meta.get("size")
    words += ["--size", str(size)] if isinstance(size, int) else []
    for name, between in (("mean", ","), ("std", ","), ("splits", "/")):
        values = data.meta.get(name)
        if isinstance(values, list | tuple) and values:
            words += [f"--{name}", between.join(f"{value:g}" for value in values)]
    return words
