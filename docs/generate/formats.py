"""The page of what travels as files, with the schemas that are committed, and of exit statuses."""

from __future__ import annotations

import json

import explorer as ex
from explorer.recovery.schemas import schemas

_ABOUT = """# Files and exit statuses

## Requests as JSON

A request is plain JSON, and equal JSON gives an equal result on the same machine. Each has a JSON Schema (draft
2020-12), made from the same declarations as its flags and sliders; a test holds that what is written is valid, and that
what is refused is not."""
_STATUS = """## Exit statuses

| status | of | meaning |
|---|---|---|
| 0 | every command | done; of `check`: pass |
| 1 | `check` | fail: at least one check fails beyond doubt (with `--strict` also what cannot be told) |
| 1 | `evaluate`, `prune`, `recover` with `--fail-on` | there are findings of that level |
| 2 | every command | a usage mistake, or a refused input: one sentence each of what, why and what to do |
| 3 | `check` | cannot tell: too few samples, and it says how many would tell |
| 130 | every command | interrupted; what was measured is recorded |

With `--json` there is one object on standard output and nothing else; progress goes to standard error."""


def page() -> str:
    """The schemas by name, then the exit statuses."""
    rows = [f"| [{name}](schemas/{name}) | {s['title']}: {s['description']} |" for name, s in schemas().items()]
    table = "\n".join(["| file | what it is |", "|---|---|", *rows])
    return "\n\n".join([_ABOUT, table, _example(), _STATUS]) + "\n"


def _example() -> str:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.8").to_json()
    return f"A `PruneSpec`; what is left out has its default:\n\n```json\n{json.dumps(spec, indent=1)}\n```"
