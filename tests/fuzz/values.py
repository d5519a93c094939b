"""Values from outside: requests, recipes, policies, links, what a browser sends, words of a command, stored results."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import explorer as ex
from explorer import cli
from explorer.analysis.check.policy import Policy
from explorer.classroom.state import ClassState
from explorer.component import parse_corner, parse_curve
from explorer.component.drawing import Axes
from explorer.errors import ExplorerError
from explorer.lessons import parser
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.recovery.recipe import Recipe
from explorer.store.database import Store
from explorer.types import Scores
from explorer.workbench import links
from explorer.workbench.events import read_events
from explorer.workbench.moves import moved
from tests.fuzz import mutations
from tests.fuzz.kind import Kind
from tests.fuzz.weights import sample
from tests.store.recorded import record

SPECS = (
    PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5"),
    PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.3"),
    PruneSpec("block:rows=4,columns=4", "random:seed=3", "per_layer").with_limit("head.fc", Limit(True, 0.1, 0.9)),
    PruneSpec("n_of_m:n=2,m=4", "lamp", "erk:sparsity=0.6"),
)


def specs() -> list[bytes]:
    """Requests."""
    others: list[Any] = [
        {"allocation": {"key": "threshold", "value": 0.1}},
        {"allocation": {"key": "per_layer", "shares": {"block1.conv1": 0.5, "head.fc": 0.25}}},
    ]
    return [mutations.as_json(value) for value in [*(spec.to_json() for spec in SPECS), *others]]


def open_spec(content: bytes, folder: Path) -> str:
    """Read, planned, and through a link and back."""
    spec = PruneSpec.from_json(content.decode("utf-8", "replace"))
    assert links.decode(links.encode(spec)) == spec
    return _planned(spec)


def _planned(spec: PruneSpec) -> str:
    if not spec.criterion.needs:
        plan(sample("digits-cnn"), spec)
    return "opens"


def recipes() -> list[bytes]:
    """Recipes of several steps."""
    first, second = ({"key": "prune", "spec": spec.to_json()} for spec in SPECS[:2])
    whole = {"seed": 1, "steps": [first, {"key": "refresh"}, {"key": "finetune", "epochs": 3}]}
    return [mutations.as_json(each) for each in (whole, {"steps": [second, {"key": "quantize", "bits": 4}]})]


def open_recipe(content: bytes, folder: Path) -> str:
    """Read as one that came as a file."""
    recipe = Recipe.foreign(content.decode("utf-8", "replace"))
    assert Recipe.from_json(recipe.to_json()) == recipe
    return "opens"


def policies() -> list[bytes]:
    """Policies, as they are written."""
    return [Policy.of().to_toml().encode(), b"corruptions = false\n[accuracy]\nmargin = 0.02\nlevel = 'fail'\n"]


def open_policy(content: bytes, folder: Path) -> str:
    """Read, and written again."""
    policy = Policy.from_toml(content.decode("utf-8", "replace"))
    assert Policy.from_toml(policy.to_toml()) == policy
    return "opens"


def requests() -> list[bytes]:
    """One request of each kind that needs nothing but a spec."""
    spec = SPECS[0]
    made = (
        ex.tasks.ScanRequest(spec, levels=(0.5, 0.9)),
        ex.tasks.SweepRequest(spec),
        ex.tasks.RemovalRequest(SPECS[1]),
    )
    return [mutations.as_json(each.to_json()) for each in made]


def open_request(content: bytes, folder: Path) -> str:
    """Read, and written again."""
    request = ex.tasks.from_json(content.decode("utf-8", "replace"))
    assert ex.tasks.from_json(request.to_json()) == request
    return "opens"


def queries() -> list[bytes]:
    """Whole links."""
    controls = {"depth": 3, "metric": "accuracy", "layers": ["head.fc", "block1.conv1"]}
    plain = {
        "model": "digits-cnn",
        "data": "digits",
        "size": "8",
        "layer": "head.fc",
        "scale": "log",
        "lines": "together",
    }
    lesson = {"lesson": "threshold", "step": "3", "hide": "a,b", "answers": _packed({"0": 0.5, "1": ["a"]})}
    linked = [{**plain, "spec": links.encode(spec), "controls": _packed(controls)} for spec in SPECS]
    return [urlencode(each).encode() for each in [*linked, lesson]]


def _packed(value: Any) -> str:
    return base64.urlsafe_b64encode(zlib.compress(mutations.as_json(value))).decode().rstrip("=")


def changed_query(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """What is packed in it changed and packed again, or its parameters, or its letters."""
    how, query = r.random(), dict(parse_qsl(content.decode()))
    name = r.choice(list(query))
    if how < 0.2:
        return mutations.mutated(r, content, others)
    if how < 0.5:
        query[name] = str(r.choice(mutations.TEXTS))
    elif name in ("spec", "controls", "answers"):
        inside = zlib.decompress(base64.urlsafe_b64decode(query[name] + "=="))
        query[name] = _packed(mutations.edited(r, json.loads(inside)))
    return urlencode(query, errors="surrogatepass").encode()


def open_query(content: bytes, folder: Path) -> str:
    """The workspace restored, planned, and written as a link again."""
    query = dict(parse_qsl(content.decode("utf-8", "replace"), errors="replace"))
    workspace, refusals = links.restore(query)
    again, _ = links.restore(links.parameters_of(workspace, links.controls_of(query)))
    assert (again.spec, again.source) == (workspace.spec, workspace.source)
    assert again.place == workspace.place or not workspace.place.lesson
    if refusals:
        raise refusals[0]
    return _planned(workspace.spec)


def batches() -> list[bytes]:
    """What the histograms send."""
    about = {"group": "head.fc", "seq": 3}
    events: list[dict[str, Any]] = [
        {**about, "kind": "threshold", "value": 0.02, "mode": "together", "final": False},
        {**about, "kind": "share", "value": 0.4, "mode": "share", "final": True, "seq": 4},
        {**about, "kind": "lock", "locked": True, "value": 0.4, "seq": 5},
        {**about, "kind": "limit", "floor": 0.1, "cap": 0.9, "seq": 6},
        {"kind": "mode", "mode": "alone", "seq": 7},
        {"kind": "scale", "scale": "log", "seq": 8},
        {"kind": "undo", "seq": 9},
    ]
    return [mutations.as_json(events[first : first + n]) for first, n in ((0, 7), (0, 2), (2, 2), (0, 1), (3, 4))]


@cache
def _scores(granularity: str) -> Scores:
    return score(sample("digits-cnn"), PruneSpec(granularity), None)


def open_batch(content: bytes, folder: Path) -> str:
    """Each event does what it says to the request."""
    spec, scores = PruneSpec(), _scores("weight")
    events, refusals = read_events(_of_json(content))
    for event in events:
        if event.kind not in ("undo", "redo", "mode", "scale"):
            spec = moved(spec, event, scores, plan(sample("digits-cnn"), spec, scores))
    plan(sample("digits-cnn"), spec, scores)
    if refusals:
        raise refusals[0]
    return "opens"


def _of_json(content: bytes) -> Any:
    """What Streamlit would have made of it."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content


AXES = Axes(("0", "50", "90"), 0.0, 1.0, "", "level", "accuracy")


def corners() -> list[bytes]:
    """Handles of the schedule, and drawn curves."""
    return [b'{"end": 0.5, "final": 0.9}', b"[0.1, 0.5, 0.9]"]


def open_corner(content: bytes, folder: Path) -> str:
    """Read as both."""
    value = _of_json(content)
    parse_curve(value, AXES) if isinstance(value, list) else parse_corner(value)
    return "opens"


def commands() -> list[bytes]:
    """Commands that end soon."""
    prune = ["--granularity", "weight", "--criterion", "lp_norm:p=1", "--allocation", "global", "--sparsity", "0.5"]
    words = [
        ["inspect", "digits-mlp", "--json"],
        ["evaluate", "digits-mlp", *prune, "--split", "tune", "--data", "digits"],
        ["prune", "digits-mlp", *prune, "-o", "out.safetensors"],
        ["export", "digits-mlp", *prune, "--to", "script", "-o", "out.py"],
        ["criteria", "digits-mlp", "--layer", "fc1", "--criterion", "random"],
        ["runs", "--json"],
    ]
    return [mutations.as_json(each) for each in words]


def other_words(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Words left out, added, or others; "--trust-code" is the user's own and stays out."""
    words = json.loads(content)
    for _ in range(r.choice([1, 1, 2])):
        words = mutations.edited(r, words)
        words = words if isinstance(words, list) and words else ["inspect"]
    return mutations.as_json([str(word) for word in words if word != 10**400])


def open_command(content: bytes, folder: Path) -> str:
    """Run here, in the folder; statuses 0, 1 and 3 are answers, 2 is a refusal."""
    os.environ["PRUNING_EXPLORER_DATA"] = str(folder / "data")
    before = os.getcwd()
    os.chdir(folder)
    try:
        status: object = cli.main([word.replace("\0", "") for word in json.loads(content)])
    except SystemExit as end:
        status = end.code
    finally:
        os.chdir(before)
    if status == cli.REFUSED:
        raise ExplorerError("The command was refused.")
    assert status in (0, 1, 3), f"it ended with status {status}"
    return "opens"


@cache
def _database() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        for i in range(3):
            store.record_point(record(i))
        store.record_scan("k", {"model": "digits-cnn"})
        store.record_cell("k", "head.fc", 0.5, {"a": 1})
        store.close()
        with sqlite3.connect(store.path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return store.path.read_bytes()


def stores() -> list[bytes]:
    """Stored results."""
    return [_database()]


def open_store(content: bytes, folder: Path) -> str:
    """Read, and written to: a damaged one is set aside, so that there is always one to write to."""
    name = Store(folder).path.name
    (folder / name).write_bytes(content)
    store = Store(folder)
    store.points()
    store.scans()
    store.cells("k")
    store.record_point(record(9))
    assert [each.point.plan_digest for each in store.points(limit=1)] == ["plan-9"]
    return "warns" if store.findings else "opens"


def classes() -> list[bytes]:
    """A class."""
    return [mutations.as_json(ClassState("A class", "K7QFA", "d1ge5t").to_json())]


def open_class(content: bytes, folder: Path) -> str:
    """Read, and written again."""
    state = ClassState.from_json(_of_json(content))
    assert ClassState.from_json(json.loads(json.dumps(state.to_json()))) == state
    return "opens"


def lessons() -> list[bytes]:
    """Every lesson's text."""
    return [file.read_bytes() for file in sorted(Path("explorer/lessons/texts").glob("*.md"))]


def open_lesson(content: bytes, folder: Path) -> str:
    """Read."""
    parser.parse("input.md", content.decode("utf-8", "replace"))
    return "opens"


KINDS = (
    Kind("spec", specs, mutations.edited_json, open_spec, 12),
    Kind("recipe", recipes, mutations.edited_json, open_recipe, 10),
    Kind("policy", policies, mutations.edited_text, open_policy, 8),
    Kind("request", requests, mutations.edited_json, open_request, 8),
    Kind("link", queries, changed_query, open_query, 14),
    Kind("events", batches, mutations.edited_json, open_batch, 14),
    Kind("corner or curve", corners, mutations.edited_json, open_corner, 4),
    Kind("command", commands, other_words, open_command, 1),
    Kind("store", stores, mutations.mutated, open_store, 2),
    Kind("class", classes, mutations.edited_json, open_class, 3),
    Kind("lesson", lessons, mutations.edited_text, open_lesson, 2),
)
