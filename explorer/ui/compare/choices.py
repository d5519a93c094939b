"""Which models are compared: the open one, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import streamlit as st

from explorer import models
from explorer.analysis.models_compared.making import MOST, refuse_other_data
from explorer.analysis.models_compared.recorded_run import PREFIX, is_run
from explorer.errors import ExplorerError
from explorer.pruning.level import is_one_level, with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.tasks.compare import CompareRequest, Other
from explorer.text.names import clean, clean_markdown, file_name, model_name
from explorer.text.numbers import percent, percent_asked
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, recording, session
from explorer.ui.widgets.persistent_widget import remembered

PAIRS = 30
_MOST_RUNS = 20
_SHARES = (0.3, 0.5, 0.7, 0.8, 0.9)
_USUAL = ["share:0.5", "share:0.8"]
_KEY = "compare_models"


@dataclass(frozen=True)
class Compared:
    """The first model, its request, and the models that the request names."""

    first: LoadedModel
    request: CompareRequest
    opened: tuple[LoadedModel, ...]


def chosen(model: LoadedModel, dataset: Dataset) -> Compared | None:
    """The choice of models; None where nothing can be compared, with the reason on the page."""
    parent = _parent(model)
    options = _options(model, parent) | _runs(model, dataset)
    usual = ["parent"] if parent is not None else _usual(options)
    picked = st.multiselect(
        "Compared with the open model", list(options), key=_KEY, max_selections=MOST - 1,
        format_func=lambda key: options.get(key, model_name(key.removeprefix("path:"))),
        on_change=remembered(_KEY, usual, list(options)), placeholder="Choose models",
        help="Shares prune the open model as Explore does: the same units, criterion and limits.",
    )  # fmt: skip
    path = _path()
    timed = st.toggle(
        "Measure time, too", key="compare_time", on_change=remembered("compare_time", False),
        help="Each model runs in turns with the first on this machine.",
    )  # fmt: skip
    if not picked and not path:
        st.caption(":material/arrow_upward: Choose at least one model to compare with.")
        return None
    try:
        return _compared(model, parent, [*picked, *([f"path:{path}"] if path else [])], PAIRS if timed else 0)
    except ExplorerError as error:
        session.refusal(error)
        return None


def _path() -> str:
    """A path that is typed, where the server allows that."""
    if not session.roots():
        return ""
    text = st.text_input(
        "And a file on the server", key="compare_path", placeholder="path of a model that is not in the list"
    )
    return str(text).strip()


def _usual(options: Mapping[str, str]) -> list[str]:
    if "setting" in options:
        return ["setting"]
    return [key for key in _USUAL if key in options]


def _options(model: LoadedModel, parent: LoadedModel | None) -> dict[str, str]:
    """What there is to choose from, by a key that a link can carry, and what it is called."""
    options = {} if parent is None else {"parent": f"{model_name(parent.address)}, which it was made from"}
    spec = session.workspace().spec
    if spec != PruneSpec():
        options["setting"] = "the setting of Explore"
    if is_one_level(spec.allocation):
        options |= {f"share:{share}": f"{percent_asked(share)} pruned" for share in _SHARES}
    for name in models.samples():
        if name != model.address:
            options[f"sample:{name}"] = name
    mine = session.visit()
    for file in mine.files() if mine is not None else []:
        options[f"file:{file.digest}"] = f"{file_name(file.name)}, your file"
    return {key: clean(name, 60) for key, name in options.items()}


def _runs(model: LoadedModel, dataset: Dataset) -> dict[str, str]:
    """The latest recorded runs of this model on these data that can be made again."""
    records = [each for each in recording.earlier(model, dataset) if not each.point.protocol][:_MOST_RUNS]
    return {
        f"{PREFIX}{each.id}": clean(f"run {each.id}: {each.point.label}, {percent(each.point.sparsity)} pruned", 90)
        for each in records
    }


def _compared(model: LoadedModel, parent: LoadedModel | None, picked: list[str], times: int) -> Compared:
    """With the dense model that it was made from, that comes first."""
    if parent is not None and "parent" in picked:
        if any(key.startswith(("share:", "setting", PREFIX)) for key in picked):
            what = "Shares, settings and runs are made of the first model."
            why = f"With {clean(model_name(parent.address))} among them that is not the open one."
            raise ExplorerError(what, why=why, fix="Leave either out.")
        opened = [model, *(_opened(key) for key in picked if key != "parent" and not is_run(key))]
        first = parent
    else:
        opened = [_opened(key) for key in picked if not key.startswith(("share:", "setting", PREFIX))]
        first = model
    _refuse_same_names(opened)
    refuse_other_data(first, opened)
    requests = list(_requests(picked))
    others: list[Other] = [*requests, *(each.address for each in opened), *filter(is_run, picked)]
    return Compared(first, CompareRequest(tuple(others), times=times), tuple(opened))


def _requests(picked: list[str]) -> Iterator[PruneSpec]:
    spec = session.workspace().spec
    for key in picked:
        if key == "setting":
            yield spec
        elif key.startswith("share:"):
            yield with_sparsity(spec, float(key.removeprefix("share:")))


def _opened(key: str) -> LoadedModel:
    kind, _, rest = key.partition(":")
    if kind != "file":
        session.allowed(rest)
        model = cache.model(rest, None, cache.stamp(rest))
    else:
        mine = session.visit()
        file = mine.find(rest) if mine is not None else None
        if mine is None or file is None:
            raise ExplorerError("This file is not on the server any more.", fix="Upload it again.")
        model = cache.upload(file.digest, file.arch, file.name, lambda: mine.read(file.digest))
    if model.module is None:
        why = model.why_not_runnable or ""
        raise ExplorerError(f"{clean(model.address)} cannot be run.", why=why, fix="Open it with its architecture.")
    return model


def _refuse_same_names(opened: list[LoadedModel]) -> None:
    addresses = [model.address for model in opened]
    twice = next((address for address in addresses if addresses.count(address) > 1), None)
    if twice is not None:
        raise ExplorerError(f"Two of the files are called {clean(twice)}.", fix="Rename one, or leave it out.")


def _parent(model: LoadedModel) -> LoadedModel | None:
    try:
        return session.parent(model)
    except ExplorerError as error:
        st.caption(f":material/block: {clean_markdown(str(error), 300)}")
        return None
