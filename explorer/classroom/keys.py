"""What lets somebody in: a short code for students, a long key for the teacher, and a seat that only its student has.

Of key and seats only digests are stored. They are made by chance and long, so that a plain digest is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

# Without letters and digits that look alike, on a projector and in handwriting.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE, _GROUPS, _IN_GROUP, _SEAT_BYTES = 5, 4, 4, 12
_NEITHER = re.compile(r"[\s\-]+")
_LONGEST = 200


def new_code() -> str:
    """What a class writes on the board: "K7QFA"."""
    return _letters(_CODE)


def new_key() -> str:
    """The teacher's: "K7QF-ABCD-...", about 79 bits."""
    return "-".join(_letters(_IN_GROUP) for _ in range(_GROUPS))


def new_seat() -> str:
    """What a student's link holds, so that it finds its place again: 96 bits."""
    return secrets.token_urlsafe(_SEAT_BYTES)


def plain(text: object) -> str:
    """A code or key as it was typed, without spaces, hyphens and case; nothing for what is none."""
    return _NEITHER.sub("", text).upper() if isinstance(text, str) and len(text) <= _LONGEST else ""


def digest(secret: object) -> str:
    """What is stored of a seat."""
    text = secret if isinstance(secret, str) and len(secret) <= _LONGEST else ""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def digest_of_key(key: object) -> str:
    """What is stored of a key."""
    return digest(plain(key))


def same(one: str, other: str) -> bool:
    """Whether two digests or codes are equal; how long that takes says nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def _letters(n: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(n))
