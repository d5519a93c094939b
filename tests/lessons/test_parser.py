"""A lesson's file is read as it says, and what is no lesson is refused in a sentence with its line."""

from __future__ import annotations

import re

import pytest

from explorer.errors import ExplorerError
from explorer.lessons.lesson import ChoiceQuestion, Claim, CurveQuestion, Do, Explain, Number, Predict, Reveal, Why
from explorer.lessons.measures import AccuracyReached, EnergyBelow
from explorer.lessons.measures.base import spec_of
from explorer.lessons.parser import parse
from explorer.pruning.spec import Limit, PruneSpec
from tests.every import for_each

FRONT = """+++
title = "A title"
minutes = 5
model = "digits-mlp"
misconception = "Something wrong."
source = "Somebody 2020"
answer = "Something right."
+++
"""
PREDICT = """```predict
key = "n"
question = "How many?"
kind = "number"
[[measure]]
key = "energy_below"
layer = "fc1"
```
"""
REVEAL = '```reveal\nof = "n"\n```\n'
GOOD = f"{FRONT}\n## One\nSome *text*.\n\n{PREDICT}{REVEAL}"

MORE = """
## Two
```do
text = "Drag."
controls = ["lines", "mode"]
layers = ["fc1"]
start = "out_channel | uniform:sparsity=0.25"
```
```why
key = "why"
question = "Why?"
answer = "So."
```
```check
key = "check"
claim = "It is so."
[[measure]]
label = "mine"
key = "accuracy"
of = "drop"
mine = true
[[condition]]
first = "mine"
is = "at most"
value = 0.01
```
"""


def test_a_file_becomes_steps_of_blocks_in_their_order() -> None:
    lesson = parse("demo", GOOD + MORE)
    assert (lesson.title, lesson.minutes, lesson.model) == ("A title", 5, "digits-mlp")
    assert [step.title for step in lesson.steps] == ["One", "Two"]
    assert [type(block) for block in lesson.blocks] == [Explain, Predict, Reveal, Do, Why, Claim]
    first, second = lesson.steps
    assert isinstance(first.blocks[1], Predict)
    assert first.blocks[1].form == Number(0, 100, "%", 5)
    assert first.blocks[1].asks[0].measure == EnergyBelow("fc1", 0.5)
    assert isinstance(second.blocks[0], Do)
    assert second.blocks[0].start == PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.25")
    setting = PruneSpec(allocation="global:sparsity=0.5")
    assert isinstance(second.blocks[2], Claim)
    asked = second.blocks[2].asks[0].with_setting(setting)
    assert asked.measure == AccuracyReached(setting, True, "drop")


def test_the_three_kinds_of_prediction_are_read() -> None:
    choice = PREDICT.replace('"number"', '"choice"\noptions = ["few", "many"]\nbounds = [50]')
    curve = PREDICT.replace('"number"', '"curve"\nlevels = [0.1, 0.9]')
    forms = [parse("demo", GOOD.replace(PREDICT, block)).predictions[0].form for block in (choice, curve)]
    assert forms[0] == ChoiceQuestion(("few", "many"), "highest", (50.0,))
    assert forms[1] == CurveQuestion((0.1, 0.9), tolerance=5.0)


def test_a_setting_is_written_by_its_members_in_any_order_or_as_json() -> None:
    assert spec_of("uniform:sparsity=0.5 | out_channel") == PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")
    request = PruneSpec("weight", "random", "global:sparsity=0.5", {"fc1": Limit(True)})
    assert spec_of(request.to_json()) == request
    with pytest.raises(ExplorerError, match="'nonsense' is no granularity"):
        spec_of("nonsense:sparsity=1")


BAD = {
    "front matter": ("no front", "line 1: It has no front matter"),
    "title": (GOOD.replace('title = "A title"\n', ""), "needs 'title'"),
    "model": (GOOD.replace("digits-mlp", "digits-none"), "There is no bundled model 'digits-none'"),
    "minutes": (GOOD.replace("minutes = 5", "minutes = 500"), "The minutes do not suit"),
    "unknown field": (GOOD.replace("minutes = 5", 'minutes = 5\ncolour = "red"'), "has no field 'colour'"),
    "steps": (FRONT, "It has no step"),
    "text first": (f"{FRONT}hello\n", "line 9: There is text before the first step"),
    "block": (GOOD.replace("```predict", "```guess"), "line 13: There is no block 'guess'"),
    "open block": (GOOD.removesuffix("```\n"), "A block is not closed"),
    "toml": (GOOD.replace('key = "n"', "key = n"), "line 13: The block 'predict' cannot be read"),
    "measure": (GOOD.replace("energy_below", "luck"), "There is no measure called 'luck'"),
    "parameter": (GOOD.replace('layer = "fc1"', "share = 2"), "share = 2 does not suit"),
    "no measure": (GOOD.replace('[[measure]]\nkey = "energy_below"\nlayer = "fc1"\n', ""), "at least one [[measure]]"),
    "kind": (GOOD.replace('"number"', '"guess"'), "one of: choice, number, curve"),
    "twice": (GOOD.replace(REVEAL, PREDICT + REVEAL), "The key 'n' is there twice"),
    "revealed first": (GOOD.replace(PREDICT + REVEAL, REVEAL + PREDICT), "revealed before it is predicted"),
    "never revealed": (GOOD.replace(REVEAL, ""), "'n' is never revealed"),
    "nothing measured": (GOOD.replace(PREDICT + REVEAL, ""), "Nothing is measured"),
    "bounds": (
        GOOD.replace('"number"', '"choice"\noptions = ["a", "b"]\nbounds = [1, 2]'),
        "The bounds do not part the options",
    ),
    "curve": (GOOD.replace('"number"', '"curve"\nlevels = [0.5]'), "A curve needs levels"),
}


@for_each("what", BAD)
def test_what_is_no_lesson_is_refused_with_its_place_and_a_way_out(what: str) -> None:
    text, sentence = BAD[what]
    with pytest.raises(ExplorerError, match=re.escape(sentence)) as refusal:
        parse("demo", text)
    assert refusal.value.what.startswith("Lesson demo, line ")
    assert refusal.value.fix
