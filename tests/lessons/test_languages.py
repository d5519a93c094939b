"""Every text of every lesson is there in every language, and what is measured stays the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from explorer import lessons
from explorer.errors import ExplorerError
from explorer.lessons.handouts import handout
from explorer.lessons.languages import LANGUAGES, SENTENCES, catalogue, texts_of, translator
from explorer.lessons.lesson import Number
from explorer.lessons.measures.costs import KINDS
from explorer.lessons.outcome import outcome
from explorer.lessons.readings import Reading
from explorer.types import Measurement

# Names of layers, and digits, are the same in every language.
NAMES = re.compile(r"(?:block|head|stem)[\w.]+|\d")
HOLES = re.compile(r"\{[^{}]*\}|`[^`]*`")
OTHERS = [language for language in LANGUAGES if language != "en"]


def every_text() -> set[str]:
    texts = {text for lesson in lessons.lessons() for text in texts_of(lesson)}
    return {text for text in texts | set(SENTENCES) | set(KINDS.values()) if not NAMES.fullmatch(text)}


def test_every_language_is_complete_and_has_nothing_that_is_not_said() -> None:
    assert OTHERS
    for language in OTHERS:
        there = set(catalogue(language))
        assert every_text() - there == set(), language
        assert there - every_text() == set(), language


def test_no_text_stands_in_a_catalogue_twice() -> None:
    for language in OTHERS:
        path = Path(lessons.__file__).parent / "catalogues" / f"{language}.toml"
        rows = [row["en"] for row in tomllib.loads(path.read_text(encoding="utf-8"))["text"]]
        assert len(rows) == len(set(rows)), language


def test_what_is_filled_in_and_what_is_a_name_is_kept_by_every_translation() -> None:
    for language in OTHERS:
        for english, other in catalogue(language).items():
            assert sorted(HOLES.findall(other)) == sorted(HOLES.findall(english)), (language, english)


def test_a_measurement_is_said_in_the_language_of_the_learner() -> None:
    readings = [Reading("", Measurement("accuracy", 0.5, "fraction", "measured", 0.4, 0.6, n=100))]
    words = outcome(Number(), 70.0, readings, translator("de")).words
    assert words == "Du sagtest 70%; gemessen: 50.0% (40.0 – 60.0%). Das ist 20 Punkte entfernt."


def test_a_hand_out_is_in_its_language() -> None:
    page = handout(lessons.lesson("channels"), ".html", t=translator("de"))
    assert "Kanäle zählen doppelt" in page
    assert "Channels count twice" not in page


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(ExplorerError, match="There is no language 'xx'"):
        translator("xx")
