"""The widget without a browser: what it takes, what it says, and that the kernel goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils import prune as oracle

import explorer as ex
from explorer.notebook.widget import Explorer

ROOT = Path(__file__).resolve().parents[2]
HALF = ex.PruneSpec(allocation="global:sparsity=0.5")
PATIENCE_S = 60


@pytest.fixture
def widget() -> Iterator[Explorer]:
    opened = ex.explore("digits-mlp", spec=HALF)
    yield opened
    opened.close()


def awaited(widget: Explorer, name: str, is_right: Callable[[Any], bool]) -> Any:
    """The value of a trait as soon as it is right."""
    reached = threading.Event()

    def look(change: Any) -> None:
        if is_right(change["new"]):
            reached.set()

    widget.observe(look, name)
    if not is_right(getattr(widget, name)):
        assert reached.wait(PATIENCE_S), f"{name} is still {getattr(widget, name)!r}"
    widget.unobserve(look, name)
    return getattr(widget, name)


def commit(widget: Explorer, **event: object) -> None:
    """What a browser sends."""
    widget.set_state({"_commit": {"events": [event], "have": []}})


def measured_with(spec: ex.PruneSpec) -> Callable[[Any], bool]:
    return lambda report: report is not None and report.plan.spec == spec.to_json()


def test_the_report_comes_by_itself_and_is_that_of_the_library(widget: Explorer) -> None:
    report = awaited(widget, "report", measured_with(HALF))
    plain = ex.evaluate("digits-mlp", HALF)
    assert report.accuracy.value == plain.accuracy.value
    assert (report.accuracy.low, report.accuracy.high) == (plain.accuracy.low, plain.accuracy.high)
    assert report.to_json()["sizes"] == plain.to_json()["sizes"]


def test_the_facts_are_those_of_the_app(widget: Explorer) -> None:
    around = awaited(widget, "_around", lambda around: around["facts"][0]["origin"] == "measured")
    names = [fact["name"] for fact in around["facts"]]
    assert names == ["Accuracy", "Δ accuracy", "Weights removed", "File you would get"]
    assert around["facts"][2]["value"] == "50.0%"
    assert [fact["origin"] for fact in around["facts"][2:]] == ["counted", "counted"]


def test_a_drag_changes_the_spec_the_masks_and_the_selection(widget: Explorer) -> None:
    group = widget.plan.groups[0].group
    commit(widget, seq=1, kind="share", group=group.name, value=0.25, mode="alone", final=True)
    spec = awaited(widget, "spec", lambda spec: spec != HALF)
    awaited(widget, "report", measured_with(spec))

    assert widget.selection == group.name
    mask = widget.plan.masks[f"{group.layers[0]}.weight"]
    module = ex.load("digits-mlp").module
    assert module is not None
    layer = torch.nn.Linear(*reversed(mask.shape))
    layer.weight.data.copy_(module.get_submodule(group.layers[0]).weight)
    oracle.l1_unstructured(layer, "weight", amount=0.25)
    assert torch.equal(mask, layer.weight_mask.bool())

    commit(widget, seq=2, kind="undo", final=True)
    awaited(widget, "spec", lambda spec: spec == HALF)


def test_the_spec_is_taken_as_json_and_the_lines_follow(widget: Explorer) -> None:
    revision = widget._dynamic["revision"]
    widget.spec = ex.PruneSpec(allocation="uniform:sparsity=0.9").to_json()
    assert isinstance(widget.spec, ex.PruneSpec)
    assert widget.plan.sparsity == pytest.approx(0.9, abs=1e-3)
    dynamic = awaited(widget, "_dynamic", lambda dynamic: dynamic["revision"] > revision)
    assert sum(dynamic["pruned"]) == widget.plan.n_pruned


def test_a_spec_that_does_not_fit_is_refused_where_it_is_set_and_changes_nothing(widget: Explorer) -> None:
    before = widget.plan
    for bad in ({"criterion": {"key": "none"}}, "not json", HALF.with_limit("nowhere", ex.Limit(locked=True))):
        with pytest.raises(ex.ExplorerError):
            widget.spec = bad
    with pytest.raises(ex.ExplorerError, match="no group"):
        widget.selection = "nowhere"
    assert widget.spec == HALF
    assert widget.plan is before


def test_the_report_cannot_be_set(widget: Explorer) -> None:
    with pytest.raises(Exception, match="read-only"):
        widget.report = None


def test_what_no_histogram_sends_is_said_in_words_and_nothing_moves(widget: Explorer) -> None:
    commit(widget, seq=1, kind="delete", group="x")
    around = awaited(widget, "_around", lambda around: around["refusals"])
    assert "not a move of a line" in around["refusals"][0]
    assert widget.spec == HALF


def test_a_choice_changes_unit_criterion_and_share(widget: Explorer) -> None:
    for n, (kind, value) in enumerate([("criterion", "lamp"), ("preset", "0.8"), ("unit", "out_channel")]):
        widget.set_state({"_choice": {"kind": kind, "value": value, "seq": n}})
    spec = awaited(widget, "spec", lambda spec: spec.granularity.key == "out_channel")
    assert spec.criterion.key == "lamp"
    widget.set_state({"_choice": {"kind": "criterion", "value": "no such", "seq": 9}})
    assert awaited(widget, "_around", lambda around: around["refusals"])["refusals"]


def test_the_chart_grows_by_itself_with_its_control(widget: Explorer) -> None:
    chart = awaited(widget, "_chart", lambda chart: {"curve", "control", "now"} <= {s["kind"] for s in chart["series"]})
    (curve,) = (series for series in chart["series"] if series["kind"] == "curve")
    assert curve["points"][0]["ratio"] == pytest.approx(1.0)
    assert curve["points"][0]["low"] < curve["points"][0]["share"]


def test_the_kernel_goes_on_while_the_model_is_slow() -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if threading.current_thread() is not threading.main_thread() and is_shown:
                entered.set()
                go_on.wait(PATIENCE_S)
            return super().forward(x)

    is_shown = False
    data = ex.load_data((torch.randn(60, 4), torch.arange(60) % 2))
    model = ex.load(Slow(4, 2), example=torch.zeros(1, 4), name="slow")
    is_shown = True
    widget = ex.explore(model, data)
    try:
        assert entered.wait(PATIENCE_S)
        widget.set_state({"_choice": {"kind": "preset", "value": "0.5", "seq": 1}})
        spec = awaited(widget, "spec", lambda spec: spec != ex.PruneSpec())
        widget.spec = ex.PruneSpec(allocation="global:sparsity=0.25")
        assert widget.report is None
        assert spec.allocation.key == "global"
        go_on.set()
        assert awaited(widget, "report", measured_with(widget.spec)).plan.n_pruned == 2
    finally:
        go_on.set()
        widget.close()


def test_closing_ends_every_thread_of_the_widget() -> None:
    before = set(threading.enumerate())
    widget = ex.explore("digits-mlp")
    awaited(widget, "report", lambda report: report is not None)
    mine = [t for t in threading.enumerate() if t not in before and t.name.startswith(("notebook", "live"))]
    assert len(mine) >= 2
    widget.close()
    for thread in mine:
        thread.join(PATIENCE_S)
    assert not [thread for thread in mine if thread.is_alive()]


@pytest.mark.slow
def test_python_may_end_while_the_widget_measures() -> None:
    code = (
        "import sys, threading, explorer as ex;"
        "widget = ex.explore('digits-resnet', spec=ex.PruneSpec(allocation='global:sparsity=0.5'));"
        "threading.Event().wait(float(sys.argv[1]))"
    )
    for moment in ("0.2", "0.4", "0.6"):
        ended = subprocess.run(
            [sys.executable, "-c", code, moment], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, "")


def test_when_nobody_looks_any_more_no_further_curve_is_measured(widget: Explorer) -> None:
    widget.set_state({"_views": 1})
    awaited(widget, "_views", lambda n: n == 1)
    widget.set_state({"_views": 0})
    awaited(widget, "_views", lambda n: n == 0)
    assert widget._curves._key is None
    widget.set_state({"_views": 1})
    awaited(widget, "_views", lambda n: n == 1)
    assert widget._curves._key is not None


def test_a_module_of_ones_own_is_explored_and_never_written_to() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    x = torch.randn(200, 4)
    widget = ex.explore(module, (x, (x[:, 0] > 0).long()), HALF)
    try:
        report = awaited(widget, "report", lambda report: report is not None)
        assert report.accuracy.n == len(widget.data.splits["tune"])
        assert all(torch.equal(weights[name], tensor) for name, tensor in module.state_dict().items())
        assert "ex.load(module, example=example)" in widget.code()
    finally:
        widget.close()


def test_without_data_nothing_is_measured_and_it_is_said_why() -> None:
    widget = ex.explore(torch.nn.Linear(4, 2), example=torch.zeros(1, 4))
    try:
        assert widget.report is None
        assert widget._around["facts"][0]["value"] == "not available"
        widget.spec = HALF
        assert widget.plan.n_pruned == 4
        with pytest.raises(ex.ExplorerError, match="measured"):
            widget.evaluate()
    finally:
        widget.close()


def test_the_code_gives_the_same_numbers(widget: Explorer, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(widget.code(), "code", "exec"), {})
    assert capsys.readouterr().out.strip() == str(widget.evaluate())


def test_saving_writes_the_zeros_of_the_plan(widget: Explorer, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    written = load_file(widget.save(tmp_path / "pruned.safetensors"))
    assert sum(int((tensor == 0).sum()) for name, tensor in written.items() if name in widget.plan.masks) == 25216


def test_a_saved_page_is_one_file_without_an_address_in_it(widget: Explorer, tmp_path: Path) -> None:
    awaited(widget, "report", lambda report: report is not None)
    text = widget.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    assert "src=" not in text.partition("<script")[0]
    assert "50.0%" in text
    assert 'srcdoc="' in widget.static()._repr_html_()


def test_a_cell_that_is_saved_shows_a_table_and_its_repr_is_one_line(widget: Explorer) -> None:
    data, _ = widget._repr_mimebundle_()  # type: ignore[misc]
    assert "<table>" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert len(repr(widget)) < 300
    assert "\n" not in repr(widget)


def test_the_state_is_json_and_small(widget: Explorer) -> None:
    state = {name: value for name, value in widget.get_state().items() if name != "_esm"}
    assert len(json.dumps(state)) < 150_000
    assert json.loads(json.dumps(state["spec"])) == HALF.to_json()


def test_without_anywidget_the_refusal_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "import explorer as ex\n"
        "try: ex.explore('digits-mlp')\n"
        "except ex.ExplorerError as error: sys.exit(0 if 'pruning-explorer[notebook]' in str(error) else 2)\n"
        "sys.exit(1)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
