"""The left side of the recover page: the method, how much goes when, and how it is trained."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explorer.component import Corner, parse_corner, schedule_js, schedule_part
from explorer.errors import ExplorerError
from explorer.params import Param, param_of, params_of
from explorer.pruning.plan import plan as make_plan
from explorer.recovery.beginnings import why_no_beginning
from explorer.recovery.recipes import tuning_for
from explorer.recovery.settings import RewindSettings, RisingSettings, TrainingSettings
from explorer.recovery.steps.refresh import has_batch_norm
from explorer.recovery.training import Training
from explorer.terms import tooltip
from explorer.types import Dataset, LoadedModel
from explorer.ui.recover import plans as plans
from explorer.ui.recover.plans import RecoverySettings
from explorer.ui.shell import session
from explorer.ui.widgets import parameter_fields, persistent_widget
from explorer.ui.widgets.controlled_widget import mirrored
from explorer.ui.widgets.persistent_widget import put, value

_SCHEDULE, _LINE = "recover_schedule", "_recover_line"
_USUAL = 0.9
_MOST_SEED = 2**31 - 1
# Beside the sparsity, behind the switch of the teacher, and that of the whole recipe.
_ELSEWHERE = ("epochs", "distil_weight", "temperature", "seed")


def draw(model: LoadedModel, dataset: Dataset) -> RecoverySettings:
    """Everything that can be set, as it is set now."""
    _moved()
    method = _method(model)
    spec = plans.with_level(session.workspace().spec)
    with st.container(horizontal=True, vertical_alignment="bottom", key="recover_numbers"):
        _number("Sparsity, %", "recover_sparsity", _first_level(model, dataset), 5, 99, tooltip("sparsity"))
        _setting(TrainingSettings, "epochs", width=110)
        if method in ("iterative", "lottery"):
            _number("Rounds", "recover_rounds", 5, 1, 50, "How often it is pruned a little and trained again.")
        if method == "gradual":
            _setting(RisingSettings, "rise", width=130)
        if method == "lottery":
            _setting(RewindSettings, "to", width=130)
    asked = _asked(model, dataset, method, spec)
    asked = _switches(asked, model)
    _schedule(asked, model)
    return asked


def _method(model: LoadedModel) -> str:
    why = why_no_beginning(model)
    methods = [m for m in plans.METHODS if m != "lottery" or why is None]
    method = st.segmented_control(
        "Method",
        methods,
        key="recover_method",
        format_func=plans.METHODS.__getitem__,
        on_change=persistent_widget.remembered("recover_method", "iterative", methods),
    )
    method = str(method or "iterative")
    st.caption(plans.ABOUT[method])
    if why is not None:
        st.caption(f":material/block: **Lottery ticket** cannot be run here. {why.what} {why.why}")
    return method


def _first_level(model: LoadedModel, dataset: Dataset) -> int:
    """Where Explore stands, if something is pruned there; else what fine-tuning usually recovers."""
    work = session.workspace()
    try:
        sparsity = make_plan(model, work.spec, session.scores(model, dataset)).sparsity
    except ExplorerError:
        sparsity = 0.0
    return round(100 * sparsity) if 0.05 <= sparsity <= 0.99 else round(100 * _USUAL)


def _number(label: str, key: str, default: int, low: int, high: int, about: str | None = None) -> None:
    changed = persistent_widget.remembered(key, default, within=(low, high))
    st.number_input(label, low, high, step=1, key=key, width=110, help=about, on_change=changed)


def _setting(settings: type, field: str, width: int) -> None:
    """The widget of a setting as it declares itself."""
    p = param_of(settings, field)
    changed = persistent_widget.remembered(_key(field), p.default, p.choices or None, within=(p.low, p.high))
    parameter_fields.draw_one(p, key=_key(field), on_change=changed, width=width)


def _key(field: str) -> str:
    return f"recover_set_{field}"


def _value(settings: type, field: str) -> str | float:
    present: str | float = value(_key(field), param_of(settings, field).default)
    return present


def _asked(model: LoadedModel, dataset: Dataset, method: str, spec: Any) -> RecoverySettings:
    epochs = int(_value(TrainingSettings, "epochs"))
    rounds = int(value("recover_rounds", 5))
    return RecoverySettings(
        method=method,
        spec=spec,
        tuning=_tuning(tuning_for(model, dataset, epochs=epochs)),
        sparsity=int(value("recover_sparsity", _first_level(model, dataset))) / 100,
        rounds=min(rounds, epochs) if method == "iterative" else rounds,
        rise=str(_value(RisingSettings, "rise")),
        rising=float(_value(RisingSettings, "rising")),
        refresh=has_batch_norm(model) and bool(value("recover_refresh", True)),
        distil=bool(value("recover_distil", False)),
        rewind=str(_value(RewindSettings, "to")),
        seed=int(value("recover_seed", 0)),
    )


def _switches(asked: RecoverySettings, model: LoadedModel) -> RecoverySettings:
    """Refresh and teacher, and behind a button what seldom changes."""
    lottery = asked.method == "lottery"
    with st.container(horizontal=True, vertical_alignment="center", key="recover_switches"):
        if not lottery:
            st.toggle(
                "Refresh batch norm",
                key="recover_refresh",
                disabled=not has_batch_norm(model) or asked.method == "gradual",
                help="Takes seconds and no labels: statistics are averaged anew over the fit split after pruning. "
                "A gradual run keeps them fresh by itself; a network without batch norm has none.",
                on_change=persistent_widget.remembered("recover_refresh", has_batch_norm(model)),
            )
            st.toggle(
                "Dense model teaches",
                key="recover_distil",
                help="Distillation: what is left learns from the dense model's answers too (Hinton et al. 2015).",
                on_change=persistent_widget.remembered("recover_distil", False),
            )
        with st.popover("Training", icon=":material/tune:"):
            tuning = asked.tuning
            st.caption("A ticket is trained as the dense network was." if lottery else "The defaults suit this model.")
            if not lottery:
                _training(tuning)
            seed = mirrored(
                "recover_seed", value("recover_seed", 0, within=(0, _MOST_SEED)), partial(put, "recover_seed")
            )
            st.number_input("Seed", 0, _MOST_SEED, step=1, width=110, **seed)
    return replace(asked, tuning=_tuning(asked.tuning))


def _training(tuning: Training) -> None:
    """Every setting of training that has no place of its own on the page."""
    for p in _in_popover():
        usual = type(p.default)(getattr(tuning, p.name))
        step = usual / 2 if p.name == "learning_rate" else None
        key = _key(p.name)
        present = value(key, usual, p.choices or None, within=(p.low, p.high))
        parameter_fields.draw_one(p, step=step, **mirrored(key, present, partial(put, key)))


def _tuning(usual: Training) -> Training:
    changes = {p.name: type(p.default)(value(_key(p.name), getattr(usual, p.name))) for p in _in_popover()}
    return replace(usual, **changes)


def _in_popover() -> list[Param]:
    return [p for p in params_of(TrainingSettings) if p.name not in _ELSEWHERE]


def _schedule(asked: RecoverySettings, model: LoadedModel) -> None:
    """The planned sparsity over the epochs; its corner can be dragged."""
    points, end = plans.steps_of(asked, model)
    part = schedule_part(
        points,
        Corner(end, asked.sparsity),
        epochs=plans.n_epochs(asked, model),
        moves_end=asked.method == "gradual",
    )
    component = st.components.v2.component("pruning_explorer.schedule", js=schedule_js())
    component(key=_SCHEDULE, data=part, on_line_change=lambda: None, height="content")
    st.caption("Share of the units pruned, epoch by epoch. Drag the ring.")


def _moved() -> None:
    """Take a new place of the handle, once."""
    state = st.session_state.get(_SCHEDULE)
    line = state.get("line") if state is not None else None
    if line is None or line == st.session_state.get(_LINE):
        return
    st.session_state[_LINE] = line
    try:
        corner = parse_corner(line)
    except ExplorerError as error:
        session.notify(error)
        return
    if corner is not None:
        put("recover_sparsity", round(100 * corner.final))
        if value("recover_method", "iterative") == "gradual":
            put(_key("rising"), corner.end)
