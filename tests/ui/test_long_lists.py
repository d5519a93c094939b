"""Explore on a file of many tensors: pages, a search and an order over all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from explorer.workbench.paging import AT_ONCE
from tests.ui.pages import Open, spoken, work_of

N = 2 * AT_ONCE + 1


@pytest.fixture
def many(tmp_path: Path) -> str:
    path = tmp_path / "many.safetensors"
    generator = torch.Generator().manual_seed(0)
    save_file({f"part{i:03}.weight": torch.randn(2, 2, generator=generator) for i in range(N)}, path)
    return str(path)


def sent(at: AppTest) -> list[str]:
    """The names of the histograms that the browser is sent, from the list of lines to set by number."""
    return list(next(box for box in at.selectbox if box.label == "Line").options)[1:]


def test_a_page_of_a_long_list_is_sent_and_the_search_looks_at_all_of_it(visit: Open, many: str) -> None:
    at = visit(model=many)
    first = sent(at)
    at.number_input(key="list_number").set_value(3).run()
    last = sent(at)
    at.text_input(key="list_query").input("PART20").run()
    answers = sent(at)

    assert not at.exception
    assert first == [f"part{i:03}" for i in range(AT_ONCE)]
    assert last == [f"part{N - 1:03}"]
    assert answers == [f"part{i:03}" for i in range(200, 210)]
    assert f"1 to 10 of 10 layers that match, of {N} in all" in spoken(at)


def test_a_preset_reaches_the_groups_of_every_page(visit: Open, many: str) -> None:
    at = visit(model=many)
    next(button for button in at.button if button.label == "50%").click().run()

    assert not at.exception
    assert work_of(at).spec.to_json()["allocation"] == {"key": "global", "sparsity": 0.5}
    assert f"{2 * N:,} of {4 * N:,}" in "\n".join(e.proto.body for e in at.get("html"))


def test_a_drawing_in_which_nothing_changed_makes_no_plan_anew(visit: Open, many: str) -> None:
    at = visit(model=many)
    first = at.session_state["_last_plan"]
    at.run()
    same = at.session_state["_last_plan"]
    next(button for button in at.button if button.label == "80%").click().run()

    assert same is first
    assert at.session_state["_last_plan"].plan.n_pruned == round(0.8 * 4 * N)


def test_of_hundreds_of_warnings_some_are_drawn_and_the_others_counted(visit: Open, many: str) -> None:
    at = visit(model=many)
    next(button for button in at.button if button.label == "90%").click().run()

    drawn = sum(":material/warning:" in line.value or ":material/error:" in line.value for line in at.markdown)
    n_unlisted = next(c.value for c in at.caption if "more are not listed here" in c.value).split()[0]
    assert drawn == 2 + 50
    assert int(n_unlisted) > 50
