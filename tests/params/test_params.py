"""One declaration of a parameter feeds JSON, text, bounds and help."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ExplorerError
from explorer.params import Registry, mapping_param, member_to_json, param, params_of
from tests.every import for_each


@dataclass(frozen=True)
class Norm:
    key: ClassVar[str] = "norm"
    p: float = param(2.0, "Norm order", low=0.5, high=4.0, help="1 is the mean magnitude.")
    seed: int = param(0, low=0)
    signed: bool = param(False)
    unit: str = param("absolute", choices=("absolute", "std"))
    note: str = param("")


@dataclass(frozen=True)
class Lines:
    key: ClassVar[str] = "lines"
    value: float = param(low=0.0, high=1.0)
    values: Any = mapping_param("Line of each layer", low=0.0, high=1.0)


MEMBERS: Registry[Any] = Registry("rule", (Norm, Lines))


def test_text_gives_the_same_member_as_the_constructor() -> None:
    assert MEMBERS.get("norm:p=1") == Norm(p=1.0)
    assert MEMBERS.get("norm:p=1.5,seed=3,signed=true,unit=std") == Norm(1.5, 3, True, "std")
    assert MEMBERS.get("norm") == Norm()


def test_an_object_is_taken_as_it_is() -> None:
    member = Norm(p=3.0)
    assert MEMBERS.get(member) is member


def test_keywords_add_to_the_text() -> None:
    assert MEMBERS.get("norm:p=1", seed=7) == Norm(p=1.0, seed=7)


@given(st.floats(0.5, 4.0), st.integers(0, 2**63), st.booleans(), st.sampled_from(["absolute", "std"]), st.text())
def test_a_member_survives_the_way_through_json(p: float, seed: int, signed: bool, unit: str, note: str) -> None:
    member = Norm(p, seed, signed, unit, note)
    assert MEMBERS.from_json(json.loads(json.dumps(member_to_json(member)))) == member


@given(st.dictionaries(st.text(), st.floats(0, 1), max_size=5))
def test_a_mapping_survives_the_way_through_json_and_stays_hashable(values: dict[str, float]) -> None:
    member = MEMBERS.from_json({"key": "lines", "value": 0.5, "values": values})
    again = MEMBERS.from_json(json.loads(json.dumps(member_to_json(member))))
    assert again == member
    assert hash(again) == hash(member)
    assert member_to_json(member)["values"] == values


def test_the_order_of_a_mapping_does_not_matter() -> None:
    one = MEMBERS.from_json({"key": "lines", "value": 0, "values": {"a": 0.1, "b": 0.2}})
    two = MEMBERS.from_json({"key": "lines", "value": 0, "values": {"b": 0.2, "a": 0.1}})
    assert one == two


@pytest.mark.parametrize("value", [0.5, 4.0, 1, "2"])
def test_the_ends_of_a_range_belong_to_it(value: Any) -> None:
    assert MEMBERS.get("norm", p=value).p == float(value)


@for_each("value", [0.49, 4.01, float("nan"), float("inf"), "-inf", "nan", None, [], {}, "one", ""])
def test_a_number_outside_its_range_is_refused_and_the_range_is_named(value: Any) -> None:
    with pytest.raises(ExplorerError, match="at least 0.5 and at most 4") as caught:
        MEMBERS.from_json({"key": "norm", "p": value})
    assert "p" in caught.value.what
    assert caught.value.fix


@for_each("value", [1.5, "1.5", -1, "x", float("inf"), "nan", None])
def test_a_whole_number_must_be_whole_and_in_range(value: Any) -> None:
    with pytest.raises(ExplorerError, match="seed"):
        MEMBERS.from_json({"key": "norm", "seed": value})


def test_a_whole_number_written_as_a_float_is_taken() -> None:
    seed = MEMBERS.from_json({"key": "norm", "seed": 3.0}).seed
    assert seed == 3
    assert isinstance(seed, int)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("1", True), ("0", False)])
def test_truth_is_read_from_text(text: str, value: bool) -> None:
    assert MEMBERS.get(f"norm:signed={text}").signed is value


@pytest.mark.parametrize("value", ["yes", "2", "", None])
def test_other_words_for_truth_are_refused(value: Any) -> None:
    with pytest.raises(ExplorerError, match="true or false"):
        MEMBERS.from_json({"key": "norm", "signed": value})


def test_a_choice_outside_the_list_is_refused_with_the_list() -> None:
    with pytest.raises(ExplorerError, match="absolute, std"):
        MEMBERS.get("norm:unit=percentile")


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ExplorerError, match="no rule called 'nrom'.*norm, lines"):
        MEMBERS.get("nrom")


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ExplorerError, match="no parameter 'q'.*p, seed, signed, unit, note"):
        MEMBERS.get("norm:q=1")


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(ExplorerError, match="needs 'value'.*value=VALUE"):
        MEMBERS.get("lines")


@for_each("data", [None, 3, [], "norm", {}, {"key": 5}, {"p": 1}, {"key": None}, {"key": ["norm"]}])
def test_what_is_not_an_object_with_a_key_is_refused(data: Any) -> None:
    with pytest.raises(ExplorerError, match="needs a key"):
        MEMBERS.from_json(data)


@for_each("values", [[1], "a=1", 3, {"a": "x"}, {"a": 2.0}, {"a": float("nan")}, {"a": None}])
def test_a_mapping_of_something_else_is_refused(values: Any) -> None:
    with pytest.raises(ExplorerError, match="values = "):
        MEMBERS.from_json({"key": "lines", "value": 0.5, "values": values})


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_hostile_values_are_refused_or_taken_but_never_crash(value: Any) -> None:
    for name in ("p", "seed", "signed", "unit"):
        try:
            member = MEMBERS.from_json({"key": "norm", name: value})
        except ExplorerError as error:
            assert error.fix
        else:
            assert isinstance(member, Norm)


def test_what_a_widget_must_know_is_declared_once() -> None:
    declared = {p.name: p for p in params_of(Norm)}
    assert list(declared) == [f.name for f in fields(Norm)]
    assert (declared["p"].label, declared["p"].low, declared["p"].high) == ("Norm order", 0.5, 4.0)
    assert declared["p"].help == "1 is the mean magnitude."
    assert declared["seed"].label == "seed"
    assert declared["unit"].choices == ("absolute", "std")
    assert [p.name for p in params_of(Lines) if p.required] == ["value"]
    assert [p.name for p in params_of(Lines) if p.is_mapping] == ["values"]


def test_the_members_are_listed_in_their_order() -> None:
    assert list(MEMBERS) == [Norm, Lines]


def test_a_parameter_says_its_type_and_its_range_in_words() -> None:
    words = {p.name: (p.type, p.range) for member in MEMBERS for p in params_of(member)}
    assert words == {
        "p": ("number", "0.5 to 4"),
        "seed": ("whole number", "from 0 on"),
        "signed": ("true or false", ""),
        "unit": ("choice", "absolute or std"),
        "note": ("text", ""),
        "value": ("number", "0 to 1"),
        "values": ("number for each name", "0 to 1"),
    }
