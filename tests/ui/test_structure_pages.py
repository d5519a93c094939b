"""The structure page, and patterns on the weights page, as a visitor finds them; run without a browser."""

from __future__ import annotations

import pytest

from explorer.pruning.spec import PruneSpec
from explorer.workbench.links import encode
from tests.ui.pages import Open, spoken

PATTERN = encode(PruneSpec("n_of_m", "lp_norm", "uniform:sparsity=1.0"))


@pytest.mark.parametrize(
    ("model", "unit", "line", "words"),
    [
        ("digits-resnet", "out_channel", "stem.conv", "Tied because: added together."),
        ("digits-vit", "head", "blocks.0.attn.qkv", "Tied because: one head of an attention."),
        ("digits-gru", "hidden_unit", "gru.weight_ih_l0", "its gates, steps and stacked layers share one width"),
        ("digits-resnet", "layer", "residual blocks", "A block goes as a whole, and its shortcut is left."),
    ],
)
def test_the_first_line_that_can_move_is_chosen_and_says_what_it_ties(
    visit: Open,
    model: str,
    unit: str,
    line: str,
    words: str,
) -> None:
    at = visit("structure", model=model, spec=encode(PruneSpec(unit)))  # type: ignore[arg-type]
    assert at.dataframe[0].value["line"][0] == line
    assert at.session_state[f"coupled_{unit}"]["selection"]["rows"] == [0]
    assert words in spoken(at)


def test_a_unit_that_a_network_has_not_still_shows_the_network_and_says_why_for_each_layer(
    visit: Open,
) -> None:
    at = visit("structure", model="digits-cnn", spec=encode(PruneSpec("head")))  # type: ignore[arg-type]
    assert "Nothing of this model can shrink in these units" in spoken(at)
    assert set(at.dataframe[0].value["units"]) == {"–"}
    assert all(at.dataframe[0].value["why"])


def test_only_units_that_the_network_has_can_be_chosen_and_the_others_are_named_with_the_reason(visit: Open) -> None:
    at = visit("structure", model="digits-resnet")
    units = [option.content for option in at.get("button_group")[0].proto.options]
    assert units == ["Channels", "Residual blocks", "Depth"]
    assert all(f"{name} cannot be removed here" in spoken(at).replace("**", "") for name in ("Heads", "Hidden units"))


@pytest.mark.parametrize("page", ["explore", "weights", "recover", "quantize"])
def test_a_link_that_prunes_units_the_network_lacks_says_so_and_prunes_nothing(visit: Open, page: str) -> None:
    spec = encode(PruneSpec("head", "lp_norm", "uniform:sparsity=0.5"))  # type: ignore[arg-type]
    at = visit(page, model="digits-mlp", spec=spec)
    assert not at.exception
    assert at.session_state["workspace"].spec == PruneSpec("head", "lp_norm", "uniform")  # type: ignore[arg-type]


def test_under_n_of_m_the_weights_page_shows_the_pattern_group_by_group(visit: Open) -> None:
    at = visit("weights", model="digits-cnn", spec=PATTERN)
    assert "Each little strip" not in spoken(at)  # the first layer has one input: no groups there
    at.selectbox(key="layer_box").select("block2.conv1").run()
    assert "Each little strip is one group of 4 neighbouring inputs. A pruned group keeps its 2 largest" in spoken(at)
    assert len(at.selectbox(key="kernel_place").options) == 9
    at.selectbox(key="kernel_place").select_index(4).run()
    assert not at.exception
