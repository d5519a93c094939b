"""How a full network was trained here: what its file says of it, and what is taken from a file that says so."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.types.aliases import JsonDict

KEY = "trained"
"""Where ``LoadedModel.meta`` and the description in a file hold it."""
_MOST, _LONGEST = 40, 200


def meta_of(about: JsonDict) -> JsonDict:
    """For ``LoadedModel.meta``: the training, and its settings for whoever trains the same network again."""
    return {KEY: about, "training": about}


def said_by(hint: Mapping[str, object]) -> JsonDict:
    """The same of a file that anybody may have written; nothing where it tells nothing sound."""
    about = hint.get(KEY)
    if not isinstance(about, Mapping) or not 0 < len(about) <= _MOST or not all(map(_is_plain, about.items())):
        return {}
    epochs = about.get("epochs")
    sound = isinstance(epochs, int) and not isinstance(epochs, bool) and 0 < epochs < 10**6
    return {KEY: dict(about)} if sound else {}


def _is_plain(item: tuple[object, object]) -> bool:
    return all(
        value is None or (isinstance(value, bool | int | float | str) and len(str(value)) <= _LONGEST) for value in item
    )
