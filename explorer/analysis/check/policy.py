"""Which checks are made, and how strict each is: a policy, from TOML, with a digest."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from explorer.analysis.check import CHECKS
from explorer.analysis.check.base import CheckRule
from explorer.errors import ExplorerError
from explorer.params import member_to_json, params_of
from explorer.text.names import clean
from explorer.types.aliases import JsonDict
from explorer.types.brief import Brief

_BIGGEST = 1_000_000


def _defaults() -> tuple[CheckRule, ...]:
    return tuple(CHECKS.get(member.key) for member in CHECKS)


@dataclass(frozen=True, repr=False)
class Policy(Brief):
    """One rule of every kind of check, in the registry's order; those whose ``level`` is "off" are not made.

    >>> Policy.of({"accuracy": {"margin": 0.02}, "corruptions": False}).rule("accuracy").margin
    0.02
    """

    rules: tuple[CheckRule, ...]

    @classmethod
    def of(cls, asked: Mapping[str, object] | None = None) -> Policy:
        """The defaults, with what is ``asked``: for each check a table of its limits, False (off) or True."""
        asked = {} if asked is None else asked
        unknown = sorted(set(asked) - set(CHECKS.members))
        if unknown:
            what = f"There is no check called {clean(unknown[0])!r}."
            raise ExplorerError(what, fix=f"The checks: {', '.join(CHECKS.members)}.")
        return cls(tuple(_rule(rule, asked.get(rule.key)) for rule in _defaults()))

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """A policy as it is written down; ExplorerError for what is none."""
        return cls.of(table_of(text))

    def _in_brief(self) -> JsonDict:
        return {"digest": self.digest, "changes": self.changes()}

    def __iter__(self) -> Iterator[CheckRule]:
        return (rule for rule in self.rules if rule.level != "off")

    def rule(self, key: str) -> CheckRule:
        """The rule of that check."""
        return next(rule for rule in self.rules if rule.key == key)

    @property
    def digest(self) -> str:
        """Equal digest = the same checks with the same limits."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> JsonDict:
        """Every check with all its limits."""
        return {rule.key: {k: v for k, v in member_to_json(rule).items() if k != "key"} for rule in self.rules}

    def changes(self) -> JsonDict:
        """What differs from the defaults."""
        usual = Policy.of().to_json()
        parts = {key: {k: v for k, v in limits.items() if usual[key][k] != v} for key, limits in self.to_json().items()}
        return {key: limits for key, limits in parts.items() if limits}

    def to_toml(self) -> str:
        """The same as TOML, with what each limit is."""
        lines = []
        for rule in self.rules:
            lines += ["", f"# {rule.question}", f"[{rule.key}]"]
            for p in params_of(rule):
                lines.append(f"{p.name} = {json.dumps(getattr(rule, p.name))}  # {p.help}")
        return "\n".join(lines[1:]) + "\n"


def given_policy(policy: Policy | Mapping[str, object] | str | Path | None) -> Policy:
    """The policy itself, or one from a mapping or the path of a TOML file; None: the defaults."""
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, str | Path):
        return Policy.of(policy_table(policy))
    return Policy.of(policy)


def policy_table(path: str | Path) -> JsonDict:
    """What a TOML file says of the checks, unchecked."""
    return table_of(_read(Path(path)))


def table_of(text: str) -> JsonDict:
    """What TOML says of the checks, unchecked; ExplorerError where it is none."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a whole number of 5,000 digits is no TOMLDecodeError
        fix = "Write [accuracy], then margin = 0.01."
        raise ExplorerError("The policy is no TOML.", why=f"{error}.", fix=fix) from None


def _rule(usual: CheckRule, asked: object) -> CheckRule:
    if asked is None or asked is True:
        return usual
    if asked is False:
        asked = {"level": "off"}
    if not isinstance(asked, Mapping) or "key" in asked:
        what = f"{usual.key} = {clean(str(asked))!r} does not suit a policy."
        raise ExplorerError(what, fix=f"Write [{usual.key}] and its limits below it, or {usual.key} = false.")
    return CHECKS.from_json({**asked, "key": usual.key})


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _BIGGEST:
            raise ExplorerError(f"{path} is too large to be a policy.", fix="Give another file.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ExplorerError(f"{path} is not text.", fix="Give the path of a policy in TOML.") from None
    except OSError as error:
        raise ExplorerError(f"{path} could not be read.", why=f"{error.strerror}.", fix="Give another file.") from None
