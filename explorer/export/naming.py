"""What a file is called that somebody takes away: the model, the setting, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from explorer.params import params_of
from explorer.pruning.spec import PruneSpec
from explorer.text.names import file_stem

_LONGEST = 150


def export_name(address: str, *parts: str, settings: Iterable[PruneSpec] = (), share: float | None = None) -> str:
    """A file name without its ending: "digits-mlp-weight-lp_norm-global-50-0pct-pruned".

    After the model come the units, criteria and allocations of ``settings``, the ``share`` of the weights that is
    pruned, and ``parts``. Only letters, digits, hyphens and underscores; at most 150 characters, of which ``parts``
    are never cut off.
    """
    gone = () if share is None else (f"{100 * share:.1f}pct",)
    tail = [file_stem_of(part) for part in (*gone, *parts) if part]
    room = _LONGEST - sum(len(part) + 1 for part in tail)
    head = "-".join([file_stem(address), *_words(settings)])[: max(1, room)]
    return "-".join([head.rstrip("-_"), *tail])


def file_stem_of(words: str) -> str:
    """Words as a part of a file name: one hyphen for all that is neither letter, digit nor underscore."""
    spaced = "".join(c if c.isalnum() or c == "_" else " " for c in words)
    return "-".join(spaced.split())[:60]


def _words(settings: Iterable[PruneSpec]) -> list[str]:
    """Units, then criteria, then allocations, each once."""
    specs = [spec for first in settings for spec in (first, first.then) if spec is not None]
    named = [
        *(_member(spec.granularity) for spec in specs),
        *(_member(spec.criterion) for spec in specs),
        *(spec.allocation.key for spec in specs),
    ]
    return list(dict.fromkeys(named))


def _member(member: Any) -> str:
    """Its key, with every number or word of it that is not the usual one: "lp_norm-p-1"."""
    values = [(p.name, getattr(member, p.name), p.default) for p in params_of(member)]
    unusual = [f"{name}-{_text(value)}" for name, value, usual in values if _is_plain(value) and value != usual]
    return file_stem_of(" ".join([str(member.key), *unusual]))


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | str)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
