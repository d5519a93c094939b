"""The budget page: one question, a search in the background, and the answer with everything that was tried."""

from __future__ import annotations

import json
from dataclasses import replace

import streamlit as st

from explorer.analysis.search.question import WORDS, CostName
from explorer.analysis.search.result import DENSE, sentences_of
from explorer.analysis.search.search import Question, SearchResult, Tried, refusal
from explorer.analysis.sensitivity.cell import Cell
from explorer.charts import search as charts
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.export.naming import export_name
from explorer.pruning.spec import PruneSpec
from explorer.tasks.search import SearchRequest
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel
from explorer.ui.search import tables
from explorer.ui.shell import cache, running, session, tasks, ticker
from explorer.ui.shell.metric_chooser import chosen_metric, to_give_up
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, measured_page, progress
from explorer.ui.widgets.persistent_widget import remembered

_KINDS = {"drop": "Smallest model within a drop", "budget": "Most accurate model within a budget"}
_PLANS, _USUAL_PLANS = (20, 40, 80), 40
_LATER_MS = 500
_HEIGHT = 380
_ABOUT = (
    "A search scans each layer alone, predicts the best shares from those curves, measures them together, and "
    "corrects them by moves between layers. Global, uniform, ERK and equal "
    "single drops are measured at the same budget: the answer is never worse than any of them."
)


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """The question, the answer, the plans; reruns by itself while a search runs."""
    about = "A search prunes the model in many ways and measures each on the same samples."
    dataset = measured_page.begun(model, dataset, "No search without a measurement", about)
    if dataset is None:
        return
    with st.container(border=True, key="ask_card"):
        job = _controls(model, dataset)
    result = result_of(job)
    if job is None:
        with st.container(border=True, key="answer_card"):
            st.header("The answer", anchor=False)
            st.caption(_ABOUT)
    else:
        _results(model, result, job)
    if result is not None:
        with st.container(border=True, key="plans_card"):
            chosen = tables.plans(result, _stem(model, result))
        if chosen is not None:
            _open(chosen)
    if running.is_stale():
        st.rerun()
    if running.unfinished(job):
        ticker.tick("search", _LATER_MS)


def result_of(job: Job | None) -> SearchResult | None:
    """What a search has tried so far; None before its first plan."""
    return None if job is None else SearchResult.of(plan for plan in job.results if isinstance(plan, Tried))


def _results(model: LoadedModel, result: SearchResult | None, job: Job) -> None:
    """The answer, and beside it every plan on a chart."""
    left, right = st.columns([1, 1.25], gap="medium")
    with left, st.container(border=True, key="answer_card", height="stretch"):
        _answer(model, result, job)
    with right, st.container(border=True, key="tried_card", height="stretch"):
        st.header("Every plan that was tried", anchor=False)
        chart.draw(charts.search(result, theme=chart_theme(), height=_HEIGHT), "search_chart")


def _controls(model: LoadedModel, dataset: Dataset) -> Job | None:
    spec = session.workspace().spec
    kind = _kind()
    with st.container(horizontal=True, vertical_alignment="bottom", key="search_controls"):
        question = _drop() if kind == "drop" else _budget()
        n_plans = _n_plans()
        request = SearchRequest(question, spec, n_plans)
        why = str(refusal(model, spec, question) or "") or _nothing_to_prune(model, dataset)
        job = None if why else tasks.find(model, dataset, request)
        progress.stop_button([job], "search_stop")
        is_over = job is not None and (job.active or job.state == "done")
        if not is_over and st.button(
            "Search", icon=":material/search:", type="primary", key="search_start", disabled=bool(why), help=why
        ):
            tasks.submit(model, dataset, request)
            st.rerun()
    if why:
        st.caption(f":material/block: Not to be asked here. {clean_markdown(why, 400)}")
    else:
        unit, by = spec.granularity.label, spec.criterion.label.lower()
        st.caption(
            f"{unit} by {by}, with the locks and limits of Explore. Asked: {clean_markdown(str(question), 200)}."
        )
    if job is not None:
        _progress(request, job)
    return job


def _nothing_to_prune(model: LoadedModel, dataset: Dataset) -> str | None:
    spec = session.workspace().spec
    try:
        groups = cache.scores(model, spec, dataset).groups
    except ExplorerError as error:
        return str(error)
    if any(group.why_not is None for group in groups):
        return None
    return f"This network has no {spec.granularity.unit} that can go."


def _kind() -> str:
    return str(
        st.radio(
            "What do you want to find?",
            list(_KINDS),
            key="search_kind",
            horizontal=True,
            format_func=lambda kind: _KINDS[kind],
            on_change=remembered("search_kind", "budget", list(_KINDS)),
        )
    )


def _n_plans() -> int:
    chosen = st.segmented_control(
        "Plans to try",
        _PLANS,
        required=True,
        key="search_plans",
        help="Each is measured on every sample of the tune split. More plans find a little more.",
        on_change=remembered("search_plans", _USUAL_PLANS, _PLANS),
    )
    return chosen or _USUAL_PLANS


def _cost(key: str, label: str, options: list[CostName]) -> CostName:
    return st.selectbox(
        label,
        options,
        key=key,
        width=190,
        format_func=lambda name: WORDS[name][0].upper() + WORDS[name][1:],
        on_change=remembered(key, options[0], options),
    )


def _number(key: str, label: str, default: float, low: float, high: float, step: float) -> float:
    changed = remembered(key, default, within=(low, high))
    return st.number_input(label, low, high, step=step, key=key, width=230, format="%.1f", on_change=changed)


def _drop() -> Question:
    asked = to_give_up("search_drop", "accuracy")
    changed = remembered(asked.key, asked.usual, within=asked.ends)
    amount = st.number_input(
        f"{asked.label} to give up" if asked.worth < 1 else asked.label, *asked.ends, step=asked.step, key=asked.key,
        width=230, format=asked.format, on_change=changed,
    )  # fmt: skip
    cost, most = _cost("search_small", "As few as possible of", ["params", "macs", "size"]), asked.worth * amount
    return Question.of(most, cost=cost, metric=chosen_metric())


def _budget() -> Question:
    cost = _cost("search_cost", "Budget of", ["params", "macs", "size", "latency"])
    share = _number("search_share", "At most, % of the dense model", 40.0, 1.0, 100.0, 5.0)
    return Question(cost, limit=share / 100).by(chosen_metric())


def _progress(request: SearchRequest, job: Job) -> None:
    n_plans = sum(isinstance(result, Tried) and result.by != DENSE for result in job.results)
    n_cells = sum(isinstance(result, Cell) and result.complete for result in job.results)
    scanning = f"Scanning the layers: {n_cells} of {job.total - request.n_plans} cells"
    text = f"Trying plans: {n_plans} of at most {request.evaluations}" if n_plans else scanning
    progress.card(job, "search", text=text, stopped=f"{n_plans} plans")


def _answer(model: LoadedModel, result: SearchResult | None, job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="answer_head"):
        best = "The best so far" if job.active and result is not None else "The answer"
        st.header(best, anchor=False, width="stretch")
        if result is None:
            st.empty()
        else:
            _actions(model, result)
    if result is None:
        st.caption(_ABOUT)
        return
    tables.answer(result)
    for sentence in sentences_of(result)[1 if result.met else 0 :]:
        st.caption(clean_markdown(sentence, 400))
    chart.draw(charts.shares(result.best, theme=chart_theme()), "search_shares")


def _actions(model: LoadedModel, result: SearchResult) -> None:
    st.download_button(
        "JSON",
        lambda: json.dumps(result.to_json(), indent=1),
        f"{_stem(model, result)}.json",
        key="search_json",
        on_click="ignore",
        help="The question, the answer with its request, and every plan that was tried.",
    )
    if st.button("Open on Explore", icon=":material/tune:", key="search_open", type="primary"):
        _open(result.best)


def _stem(model: LoadedModel, result: SearchResult) -> str:
    """The beginning of a file name: the model, the units and criterion, and the question."""
    spec = result.best.spec
    asked = replace(spec, allocation=type(PruneSpec().allocation)())
    return export_name(model.address, str(result.question), "search", settings=[asked])


def _open(tried: Tried) -> None:
    """Take a plan to the explore page; undo there brings the old setting back."""
    session.workspace().set(tried.spec)
    st.switch_page("pages/explore.py")
