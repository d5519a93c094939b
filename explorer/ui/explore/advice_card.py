"""Does pruning pay here? First steps measured as one background job, and what follows from them."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.advice import GOALS, Advice, FirstStep, words_of
from explorer.pruning.spec import PruneSpec
from explorer.tasks.advice import AdviceRequest
from explorer.text.delta import delta_ends, delta_text, named
from explorer.text.names import clean, clean_markdown
from explorer.text.numbers import bytes_text, number, percent
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict
from explorer.ui.explore.view import View
from explorer.ui.shell import running, session, tasks
from explorer.ui.widgets import progress, table

_OUTCOMES = {"within": "yes", "beyond": "no", "cannot tell": "cannot tell"}
_COLUMN = st.column_config


def card(view: View) -> bool:
    """What a dozen first steps say, once they are asked for. True while they are measured."""
    if view.why_not is not None or view.dataset is None:
        return False
    with st.container(border=True, key="advice_card"):
        st.header("Does pruning pay here?", anchor=False)
        request = AdviceRequest()
        job = tasks.find(view.model, view.dataset, request)
        if job is None or job.state == "cancelled":
            _offer(view.model, view.dataset, request)
            return False
        advice = next((result for result in job.results if isinstance(result, Advice)), None)
        if advice is not None:
            _shown(view, advice)
        else:
            progress.card(job, "advice")
            progress.stop_button([job], "advice_stop")
        return running.unfinished(job)


def _offer(model: LoadedModel, dataset: Dataset, request: AdviceRequest) -> None:
    st.caption(
        "Where the parameters, multiplications and milliseconds are, what could be cut out, and what about ten first "
        "steps cost, measured on the tune split."
    )
    st.button("Advise me", icon=":material/explore:", key="advise", on_click=_start, args=(model, dataset, request))


def _start(model: LoadedModel, dataset: Dataset, request: AdviceRequest) -> None:
    tasks.submit(model, dataset, request)


def _shown(view: View, advice: Advice) -> None:
    for sentence in advice.sentences():
        st.markdown(f"- {clean_markdown(sentence, 400)}")
    best = [step for step in map(advice.best, GOALS) if step is not None]
    with st.container(horizontal=True):
        for step in {step.name: step for step in best}.values():
            st.button(
                f"Set {step.name.lower()}",
                icon=":material/tune:",
                key=f"advice_{step.name}",
                on_click=_set,
                args=(step,),
                help="Moves the thresholds above to this step; Undo brings yours back.",
            )
    with st.expander(f"The {len(advice.steps)} steps and the layers", icon=":material/table_rows:"):
        _steps(advice)
        _layers(advice)


def _set(step: FirstStep) -> None:
    work = session.workspace()
    work.set(PruneSpec.from_json(step.point.spec))
    work.touch()


def _steps(advice: Advice) -> None:
    rows = [
        {
            "step": step.name,
            "file": bytes_text(step.point.size_bytes),
            "compute": percent(step.compute_share),
            "change": f"{delta_text(step.point.drop)} ({delta_ends(step.point.drop)})",
            "within": _OUTCOMES[step.outcome],
        }
        for step in advice.steps
    ]
    columns: JsonDict = {
        "step": _COLUMN.TextColumn("Step", width=116),
        "file": _COLUMN.TextColumn("Smallest file", width=84, help="Counted, of the kinds that can be exported."),
        "compute": _COLUMN.TextColumn("Multiplications", width=98, help="Of the dense ones, where units are cut out."),
        "change": _COLUMN.TextColumn(
            named(clean(advice.judged, 40)), width=172, help="Measured, with its paired 95 % interval."
        ),
        "within": _COLUMN.TextColumn("Within 1 pt", width=84, help="Whether the whole interval lies within it."),
    }
    st.dataframe(rows, hide_index=True, column_config=columns)
    for pattern, step in {step.pattern: step for step in advice.steps}.items():
        st.caption(clean_markdown(words_of(pattern, advice.runtimes(step)), 400))


def _layers(advice: Advice) -> None:
    rows = [
        {
            "layer": clean(layer.name, 120),
            "weights": layer.weight_share,
            "macs": layer.mac_share,
            "time": None if layer.time is None else layer.time.value,
        }
        for layer in advice.layers
    ]
    columns: JsonDict = {
        "layer": _COLUMN.TextColumn("Layer", width=160),
        "weights": _COLUMN.NumberColumn("Parameters", help="Counted, of the whole network."),
        "macs": _COLUMN.NumberColumn("Multiplications", help="Counted, of the whole network."),
        "time": _COLUMN.NumberColumn("ms", help="Measured here at batch 1: the median of 15 passes."),
    }
    table.draw(rows, columns, {"weights": percent, "macs": percent, "time": number})
