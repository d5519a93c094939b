"""What is done to a valid file or value: bits, cuts, splices and numbers in bytes; edits of JSON and of text.

Every mutation takes its random numbers from the generator it is given, so that a case comes again from its number.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 7, 255, 256, 65535, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63)),
    *(2**64, 10**30, 10**400, 0.5, -0.0, 1e308, 1e-320, float("inf"), float("-inf"), float("nan"), True, False),
]
TEXTS = [
    *("", "x", "digits-cnn", "../x", "/etc/passwd", "a" * 5000, "\0", "\ud800", "<img src=x>", "__class__", "lambda"),
    *(
        "import",
        "forward",
        "weight",
        "head.fc",
        "F32",
        "F64",
        "I64",
        "BOOL",
        "F8_E4M3",
        "9" * 5000,
        "²",
        "nan",
        "1e400",
    ),
]
OTHERS: list[Any] = [None, [], {}, [[]], [0], [1, 2, 3], {"a": 1}, [None], [[[[[[[[1]]]]]]]]]
ANYTHING = [*NUMBERS, *TEXTS, *OTHERS]
WORDS = [number for number in NUMBERS if type(number) is int and -(2**63) <= number < 2**64]
DEEP = 100_000
EARLY = 2000


def flipped(r: Random, content: bytes) -> bytes:
    """Some bits turned over, half of them near the beginning, where formats keep their headers."""
    out = bytearray(content)
    for _ in range(r.choice([1, 1, 2, 8, 64]) if out else 0):
        out[_place(r, content)] ^= 1 << r.randrange(8)
    return bytes(out)


def cut(r: Random, content: bytes) -> bytes:
    """Only the beginning."""
    return content[: r.choice([0, 1, 7, 8, 9, _place(r, content), _place(r, content), len(content) - 1])]


def spliced(r: Random, content: bytes, other: bytes) -> bytes:
    """The beginning of one and the end of the other."""
    return content[: _place(r, content)] + other[_place(r, other) :]


def overwritten(r: Random, content: bytes) -> bytes:
    """A run of other bytes in the place of some, or between them."""
    at, n = _place(r, content), r.choice([1, 4, 8, 100])
    run = bytes(r.choice([0, 255, r.randrange(256)]) for _ in range(n))
    return content[:at] + run + content[at + (n if r.random() < 0.7 else 0) :]


def shortened_or_repeated(r: Random, content: bytes) -> bytes:
    """A stretch that is missing, or that comes twice."""
    first, last = sorted((_place(r, content), _place(r, content)))
    return content[:first] + content[last:] if r.random() < 0.5 else content[:last] + content[first:]


def renumbered(r: Random, content: bytes) -> bytes:
    """Eight bytes that are a number with a meaning of its own: the ends of what sizes can be."""
    at = r.randrange(max(1, len(content) - 8))
    return content[:at] + struct.pack("<Q", r.choice(WORDS) % 2**64) + content[at + 8 :]


def mutated(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """One of these, drawn."""
    how = r.randrange(8)
    if how < 3:
        return flipped(r, content)
    if how == 3:
        return spliced(r, content, r.choice(others))
    return (cut, overwritten, shortened_or_repeated, renumbered)[how - 4](r, content)


def _place(r: Random, content: bytes) -> int:
    most = max(1, len(content))
    return r.randrange(most) if r.random() < 0.5 else r.randrange(min(most, EARLY))


def edited(r: Random, value: Any) -> Any:
    """A value as JSON has them with one place replaced, left out, copied, renamed, moved, or counted differently."""
    value = _copied(value)
    places = [place for place in _places(value) if place]
    if not places:
        return r.choice(ANYTHING)
    place, other = r.choice(places), _copied(_at(value, r.choice(places)))
    parent, name, how = _at(value, place[:-1]), place[-1], r.randrange(6)
    if how == 1:
        del parent[name]
    elif how == 2:
        parent[name] = other
    elif how == 3 and isinstance(parent, dict):
        parent[r.choice(TEXTS)] = parent.pop(name)
    elif how == 4 and isinstance(parent, list):
        parent.insert(r.randrange(len(parent) + 1), other)
    elif how == 5 and type(parent[name]) in (int, float):
        parent[name] = r.choice([parent[name] + 1, parent[name] - 1, -parent[name], parent[name] * 2**20])
    else:
        parent[name] = r.choice(ANYTHING)
    return value


def edited_json(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """JSON with one to four edits; sometimes with bytes changed, or nested beyond measure."""
    if r.random() < 0.2:
        return mutated(r, content, others)
    if r.random() < 0.02:
        return b'{"limits":' + b"[" * DEEP
    value = json.loads(content)
    for _ in range(r.choice([1, 1, 2, 4])):
        value = edited(r, value)
    return as_json(value)


def as_json(value: Any) -> bytes:
    """Without a care for what JSON or Unicode allows."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def edited_text(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Lines left out, repeated or exchanged, and words that are others; sometimes bytes changed."""
    if r.random() < 0.3:
        return mutated(r, content, others)
    lines = content.decode("utf-8", "replace").splitlines()
    for _ in range(r.choice([1, 1, 2, 5])):
        at = r.randrange(len(lines)) if lines else 0
        parts = [part for part in (",", "=", " ", "/") if lines and part in lines[at]]
        if not lines or r.random() < 0.2:
            lines.insert(at, lines[r.randrange(len(lines))] if lines else "")
        elif not parts or r.random() < 0.2:
            del lines[at]
        else:
            words = lines[at].split(part := r.choice(parts))
            words[r.randrange(len(words))] = str(r.choice([n for n in ANYTHING if n != 10**400]))
            lines[at] = part.join(words)
    return r.choice(["\n", "\n", "\n", "\r\n", "\r", "\0"]).join(lines).encode("utf-8", "surrogatepass")


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inside:
        yield from _places(item, (*at, name))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for name in place:
        value = value[name]
    return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
