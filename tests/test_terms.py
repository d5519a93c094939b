"""Every word is defined once, fits a tooltip, and needs no other file."""

from __future__ import annotations

import pytest

from explorer.errors import ExplorerError
from explorer.terms import TERMS, Term, term, tooltip
from tests.every import for_each

WANTED = [
    *("sparsity", "density", "granularity", "criterion", "allocation", "scope", "mask", "schedule", "unit", "channel"),
    *("compression_ratio", "theoretical_speedup", "fit_split", "tune_split", "test_split", "sensitivity"),
    *("counted", "estimated", "measured"),
]


@for_each("key", WANTED)
def test_the_words_of_the_design_are_defined(key: str) -> None:
    assert term(key).key == key


def test_every_key_and_name_is_used_once() -> None:
    assert len({t.key for t in TERMS}) == len(TERMS)
    assert len({t.name for t in TERMS}) == len(TERMS)


@for_each("found", TERMS)
def test_a_definition_is_a_sentence_that_fits_a_tooltip(found: Term) -> None:
    assert found.definition.endswith(".")
    assert len(found.definition) < 220


def test_filter_is_only_a_synonym_of_channel() -> None:
    assert "filter" in term("channel").synonyms
    assert not [t.key for t in TERMS if "filter" in t.definition.lower().split() or t.key == "filter"]


def test_a_tooltip_tells_definition_synonyms_and_source() -> None:
    text = tooltip("channel")
    assert text.startswith(term("channel").definition)
    assert "Also called: filter, neuron, feature map." in text
    assert text.endswith("Source: Li et al. 2017, arXiv:1608.08710.")


def test_an_unknown_word_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ExplorerError, match="sparsity, density"):
        term("sparseness")
