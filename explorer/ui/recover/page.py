"""The recover page: recover a pruned network, and see what recovery, rounds, tickets and a teacher are worth."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable

import streamlit as st

from explorer.charts.recovery import story
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.export.naming import export_name
from explorer.recovery.recipe import Recipe
from explorer.recovery.state import Recovered, RecoveryProgress
from explorer.tasks.recovery import RecoveryRequest
from explorer.text.delta import DELTA, delta_with_ends, named
from explorer.text.names import clean
from explorer.text.numbers import interval, level, percent
from explorer.types import Dataset, LoadedModel, Measurement
from explorer.types.results import FIRST_NAMES
from explorer.ui.recover import jobs as recovery_jobs
from explorer.ui.recover import plans, settings
from explorer.ui.recover import runs as recovery_runs
from explorer.ui.recover.plans import RecoverySettings
from explorer.ui.recover.runs import drop_at
from explorer.ui.shell import running, session, tasks, ticker
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, measured_page, persistent_widget, progress
from explorer.ui.widgets.summary import Fact, html_of

_LATER_MS = 500
_FOUR = (
    "- **Dense**: the network as it was opened.\n"
    "- **As pruned**: right after the last weights went.\n"
    "- **Refreshed**: with the averages of batch norm taken anew, before any training.\n"
    "- **Trained**: after the best epoch."
)


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Settings, the story of the run, and all runs; reruns by itself while one runs."""
    about = "Recovery trains what is left on the fit split and evaluates it on tune; it needs both, with labels."
    why = recovery_jobs.why_not(model, dataset)
    dataset = measured_page.begun(model, dataset, "Nothing can be trained here", about, why)
    if dataset is None:
        return
    left, right = st.columns([1, 1.25], gap="medium")
    with left, st.container(border=True, key="recipe_card", height="stretch"):
        asked = settings.draw(model, dataset)
        job = _start(asked, model, dataset)
    with right, st.container(border=True, key="story_card", height="stretch"):
        _story(job)
    with st.container(border=True, key="runs_card"):
        recovery_runs.draw(model, dataset)
    if running.is_stale():
        st.rerun()
    if any(running.unfinished(job) for _, job in recovery_jobs.of(model, dataset)):
        ticker.tick("recover", _LATER_MS)


def _start(asked: RecoverySettings, model: LoadedModel, dataset: Dataset) -> Job | None:
    """The buttons; returns the job of exactly this recipe, if it was begun."""
    try:
        run = plans.chosen(asked, model)
    except ExplorerError as error:
        session.refusal(error)
        return None
    others = plans.companions(asked, model)
    compared = st.pills(
        "Also run, to know what it is worth",
        list(others),
        selection_mode="multi",
        key="recover_companions",
        on_change=persistent_widget.remembered("recover_companions", [], list(others)),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="recover_buttons"):
        _button([run, *_possible(others[name] for name in compared if name in others)], model, dataset)
        with st.popover("Recipe", icon=":material/data_object:", help="The steps as JSON: replay them anywhere."):
            text = json.dumps(run.recipe.to_json(), indent=1)
            name = f"{export_name(model.address, run.name, settings=[asked.spec])}.recipe.json"
            st.download_button("Recipe as JSON", text, name, key="recipe_json", on_click="ignore")
            st.code(_command(model, name), language="shell", wrap_lines=True)
            st.code(text, language="json", height=240)
            _replay(model, dataset)
    return tasks.find(model, dataset, run)


def _command(model: LoadedModel, recipe: str) -> str:
    """The line that replays the recipe on this model."""
    arch = model.meta.get("arch")
    words = ["python", "-m", "explorer", "recover", model.address, *(["--arch", str(arch)] if arch else [])]
    return shlex.join([*words, "--recipe", recipe])


def _replay(model: LoadedModel, dataset: Dataset) -> None:
    """Run a recipe from a file; it shows up among the runs."""
    file = st.file_uploader("Replay a recipe", type="json", key="recipe_file", max_upload_size=1)
    if file is None or not st.button("Replay it", icon=":material/replay:", key="recipe_replay"):
        return
    try:
        recipe = Recipe.foreign(file.getvalue().decode("utf-8", errors="replace"))
        request = RecoveryRequest(recipe, label=f"replay of {clean(file.name, 60)}")
        recovery_jobs.start(model, dataset, request)
    except ExplorerError as error:
        session.notify(error)
    st.rerun()


def _possible(others: Iterable[Callable[[], RecoveryRequest]]) -> list[RecoveryRequest]:
    """The runs to compare with; one that cannot be made says why."""
    requests = []
    for other in others:
        try:
            requests.append(other())
        except ExplorerError as error:
            session.refusal(error)
    return requests


def _button(runs: list[RecoveryRequest], model: LoadedModel, dataset: Dataset) -> None:
    """Stop what runs of these, or start what was not done yet."""
    jobs = [tasks.find(model, dataset, run) for run in runs]
    active = [job for job in jobs if job is not None and job.active]
    left = [run for run, job in zip(runs, jobs, strict=True) if job is None or not (job.active or job.state == "done")]
    progress.stop_button(active, "recover_stop")
    if active and not left:
        return
    label = "Start" if jobs[0] is None or jobs[0].active else "Go on" if jobs[0].state != "done" else "Start the others"
    label = label if left else "Done"
    icon = ":material/play_arrow:" if left else ":material/check:"
    if st.button(label, icon=icon, type="primary", key="recover_start", disabled=not left):
        for run in left:
            try:
                recovery_jobs.start(model, dataset, run)
            except ExplorerError as error:
                session.notify(error)
        st.rerun()


def _story(job: Job | None) -> None:
    """How far it is, what it reached, and the curve."""
    st.header("What happens to it", anchor=False)
    if job is None:
        st.caption(
            "Start trains the pruned network with its masks held: accuracy and loss appear here epoch by epoch, and "
            "in the end four accuracies, each measured with its interval:"
        )
        st.markdown(_FOUR)
        st.caption("Evaluated on the tune split, trained on fit; the locked test split is not looked at.")
        return
    history = [p for p in job.results if isinstance(p, RecoveryProgress) and p.complete]
    progress.card(job, "recovery", text=_how_far(job))
    recovered = recovery_jobs.result(job)
    if recovered is not None:
        _dots(recovered)
    dense = None if recovered is None or recovered.dense is None else recovered.dense.value
    chart.draw(story(history, dense=dense, theme=chart_theme()), "story")
    if history:
        st.caption(_audit(history))


def _how_far(job: Job) -> str:
    doing = tasks.doing(job)
    return doing[:1].upper() + doing[1:] if doing else "Starting"


def _dots(recovered: Recovered) -> None:
    """Accuracy as pruned, refreshed, tuned, beside dense: numbers with their intervals."""
    accuracies = [("Dense", recovered.dense), ("As pruned", recovered.as_pruned), ("Refreshed", recovered.refreshed)]
    accuracies.append(("Trained", recovered.tuned))
    facts = [Fact(name, m.origin, level(m), _beside(m, recovered)) for name, m in accuracies if m is not None]
    st.html(f'<div class="facts">{"".join(html_of(fact) for fact in facts)}</div>')


def _beside(accuracy: Measurement, recovered: Recovered) -> str:
    """Its interval, and the change against the dense model on the same samples."""
    drop = drop_at(accuracy, recovered)
    name = DELTA if accuracy.name in FIRST_NAMES else named(accuracy.name.replace("_", " "))
    return interval(accuracy) if drop is None else f"{interval(accuracy)} · {name} {delta_with_ends(drop)}"


def _audit(history: list[RecoveryProgress]) -> str:
    last = history[-1]
    revived = max(p.n_revived for p in history)
    held = "none came back" if revived == 0 else f":material/error: {revived:,} came back"
    return (
        f"Measured after every epoch. Zero audit: {percent(last.sparsity)} of the prunable weights are pruned, {held} "
        f"in {len(history)} audits."
    )
