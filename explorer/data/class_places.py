"""Which class a folder's name stands for: its place among the model's outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from explorer.data.classes_file import Mapped
from explorer.errors import ExplorerError
from explorer.text.names import listed
from explorer.types import Finding, LoadedModel

_NUMBER = re.compile(r"[0-9]{1,9}")
_LISTED = 8


@dataclass(frozen=True)
class ClassPlaces:
    """``classes`` in the order of labels; ``places``: the label of each folder; what is worth knowing about them."""

    classes: tuple[str, ...]
    places: Mapping[str, int]
    findings: tuple[Finding, ...] = ()


def class_places(
    names: Sequence[str], model: LoadedModel | None, where: str, mapped: Mapped | None = None
) -> ClassPlaces:
    """The place of every folder, empty ones too.

    As ``mapped`` says, where a file beside the folders does; else by the model's own names of its classes where it has
    them, by number where all folders are numbered, else by the sorted names, of which there must then be one for each
    class. Raises ExplorerError where that leaves a folder without a sure place; ``where`` is the data's address.
    """
    n_classes = _n_classes(model)
    own = _own_names(model)
    if mapped is not None:
        return _by_file(names, mapped, own, n_classes, where)
    if own and (matched := _by_name(names, own)):
        return ClassPlaces(own, matched)
    if (numbers := _numbers(names)) is not None:
        by_number = _by_number(numbers, n_classes, where)
        return replace(by_number, classes=own) if own else by_number
    if own or (n_classes is not None and len(names) != n_classes):
        raise _mismatch(names, own or tuple(map(str, range(n_classes or 0))), where, are_names=bool(own))
    ordered = sorted(names)
    return ClassPlaces(tuple(ordered), {name: place for place, name in enumerate(ordered)})


def _by_file(
    names: Sequence[str], mapped: Mapped, own: tuple[str, ...], n_classes: int | None, where: str
) -> ClassPlaces:
    """Each folder at the place that the file gives it; one that it does not name, or gives no place, is refused."""
    if isinstance(mapped, tuple):
        places = {name: place for place, name in enumerate(mapped)}
        n = n_classes or len(mapped)
    else:
        by_name = {name: place for place, name in enumerate(own)}
        places = {name: by_name.get(value, -1) if isinstance(value, str) else value for name, value in mapped.items()}
        n = n_classes or max(places.values(), default=-1) + 1
    absent = sorted(set(names) - set(places))
    outside = sorted(name for name in names if name in places and not 0 <= places[name] < n)
    if absent or outside or (isinstance(mapped, tuple) and len(mapped) > n):
        why = f"It does not name {listed(absent, _LISTED)}." if absent else f"{listed(outside, _LISTED)} has no place."
        if not absent and not outside:
            why = f"It names {len(mapped)} classes, and the model tells {n} apart."
        what = f"The classes file of {where} does not fit its folders and the model."
        raise ExplorerError(what, why=why, fix="Name every class folder, in the order of the model's outputs.")
    taken = {name: places[name] for name in names}
    of_place = {place: name for name, place in places.items()}
    classes = own or tuple(of_place.get(place, str(place)) for place in range(n))
    return ClassPlaces(classes, taken, (Finding("ok", "Class folders are placed by the file beside them."),))


def _n_classes(model: LoadedModel | None) -> int | None:
    """How many classes the model tells apart; one output alone tells two apart."""
    return None if model is None or not model.n_classes else max(2, model.n_classes)


def _own_names(model: LoadedModel | None) -> tuple[str, ...]:
    stated = None if model is None else model.meta.get("classes")
    names = tuple(map(str, stated)) if isinstance(stated, list | tuple) else ()
    return names if len(set(names)) == len(names) and len(names) == _n_classes(model) else ()


def _by_name(names: Sequence[str], own: tuple[str, ...]) -> dict[str, int] | None:
    """The place of each name, capitals apart where nothing else differs; None where one has no place of its own."""
    exact = {name: place for place, name in enumerate(own)}
    folded = {name.casefold(): place for name, place in exact.items()}
    places = {name: exact.get(name, -1) for name in names}
    if -1 in places.values() and len(folded) == len(own):
        places = {name: folded.get(name.casefold(), -1) for name in names}
    if -1 not in places.values() and len(set(places.values())) == len(names):
        return places
    return None


def _numbers(names: Sequence[str]) -> dict[str, int] | None:
    if not all(map(_NUMBER.fullmatch, names)):
        return None
    numbers = {name: int(name) for name in sorted(names, key=int)}
    return numbers if len(set(numbers.values())) == len(numbers) else None


def _by_number(numbers: Mapping[str, int], n_classes: int | None, where: str) -> ClassPlaces:
    """A folder's number is its class, counted from 0 or from 1; other numbers only say the order."""
    lowest, highest = min(numbers.values()), max(numbers.values())
    n = n_classes or (highest + (lowest == 0) if highest < 2 * len(numbers) else len(numbers))
    findings = _order(tuple(numbers))
    if highest < n:
        places = dict(numbers)
    elif lowest >= 1 and highest == n:
        places = {name: number - 1 for name, number in numbers.items()}
    elif len(numbers) == n:
        places = {name: place for place, name in enumerate(numbers)}
    else:
        raise _mismatch(tuple(numbers), tuple(map(str, range(n))), where, are_names=False)
    first = 1 if lowest >= 1 and highest == n else 0
    by_place = {place: name for name, place in places.items()}
    return ClassPlaces(tuple(by_place.get(k, str(k + first)) for k in range(n)), places, findings)


def _order(by_number: tuple[str, ...]) -> tuple[Finding, ...]:
    """A word about the order, where sorting the names as text gives another one."""
    if list(by_number) == sorted(by_number):
        return ()
    what = "The class folders are sorted as numbers, not as text."
    as_text = listed(sorted(by_number), _LISTED)
    evidence = f"Labels follow {listed(by_number, _LISTED)}; sorted as text they would follow {as_text}."
    return (
        Finding(
            "warn", what, evidence, "If the model was trained in the order of text, rename the folders: 00, 01, ..."
        ),
    )


def _mismatch(names: Sequence[str], classes: Sequence[str], where: str, *, are_names: bool) -> ExplorerError:
    n = len(classes)
    both = f"The folders are {listed(sorted(names), _LISTED)}; the model's classes are {listed(classes, _LISTED)}."
    if are_names:
        fix = "Name the folders as the model names its classes; a class without pictures may be left out."
    elif len(names) > n:
        fix = "Choose the data this model was trained for, or remove the folders that are no classes."
    else:
        fix = f"Add the missing folders (they may be empty), or name the folders by number, 0 to {n - 1}."
    what = f"{where} has {len(names)} class folders, and which of the model's {n} classes they are is not sure."
    if len(names) > n:
        what = f"{where} has {len(names)} classes, the model tells {n} apart."
    return ExplorerError(what, why=both, fix=fix)
