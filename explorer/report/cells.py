"""An outcome's numbers in words, the same on every face."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.analysis.check.base import Outcome, Status
from explorer.analysis.check.result import Check, Identity, Verdict
from explorer.text.delta import delta_ends, delta_text
from explorer.text.names import model_name
from explorer.text.numbers import (
    between,
    bytes_counted,
    count,
    number,
    percent,
    percent_asked,
    points_asked,
    times,
)
from explorer.types import Measurement

HEAD = ("check", "status", "value", "95 % interval", "limit", "n", "origin")
ORDER: Mapping[Status, int] = {"fail": 0, "cannot tell": 1, "warn": 2, "pass": 3, "does not apply": 4}
NOTHING = "–"
_MINUS = "\N{MINUS SIGN}"


def cells(outcome: Outcome) -> tuple[str, ...]:
    """One row under :data:`HEAD`."""
    m = outcome.value
    if m is None:
        return (outcome.label, outcome.status, *(NOTHING,) * 5)
    n = NOTHING if m.n is None else count(m.n)
    return (outcome.label, outcome.status, value(m), ends(m) or NOTHING, limit(outcome) or NOTHING, n, m.origin)


def value(m: Measurement) -> str:
    """The number in its own unit; a drop as the change that it is."""
    if m.unit == "fraction":
        return delta_text(m) if m.name == "drop" else percent(m.value)
    if m.unit == "bytes":
        return bytes_counted(m.value)
    return times(m.value) if m.unit == "x" else number(m.value)


def ends(m: Measurement) -> str:
    """Its interval, where it has one."""
    if m.low is None or m.high is None:
        return ""
    if m.unit == "fraction":
        return delta_ends(m) if m.name == "drop" else between(m.low, m.high)
    if m.unit == "x":
        return f"{times(m.low)} – {times(m.high)}"
    return f"{number(m.low)} – {number(m.high)}"


def limit(outcome: Outcome) -> str:
    """What it was held against, with the sign of the value."""
    m, at = outcome.value, outcome.limit
    if m is None or at is None:
        return ""
    if m.unit == "fraction":
        if m.name == "drop":
            return f"{_MINUS}{points_asked(at)}" if at else points_asked(at)
        return percent_asked(at) if outcome.key != "calibration" else percent(at)
    if m.unit == "bytes":
        return bytes_counted(at)
    return times(at) if m.unit == "x" else number(at)


def verdict_sentence(check: Check) -> str:
    """ "Fail: 2 of 13 checks fail." """
    failed = [o.label for o in check.outcomes if o.status == "fail" and o.decides]
    open_ = [o.label for o in check.outcomes if o.status == "cannot tell" and o.decides]
    n = sum(o.status != "does not apply" for o in check.outcomes)
    if failed:
        return f"Fail: {len(failed)} of {n} checks fail ({', '.join(failed)})."
    if open_:
        needed = f" About {check.n_needed:,} samples would tell." if check.n_needed else ""
        return f"Cannot tell: too few samples for {len(open_)} of {n} checks ({', '.join(open_)}).{needed}"
    warned = sum(o.status == "warn" for o in check.outcomes)
    return f"Pass: {n - warned} of {n} checks pass" + (f", {warned} warn." if warned else ".")


def subject(check: Check) -> str:
    """ "pruned.safetensors against digits-cnn, on digits, split tune, 450 samples"."""
    names = f"{name_of(check.candidate)} against {name_of(check.dense)}"
    return f"{names}, on {check.data['address']}, split {check.split}, {check.n:,} samples"


def name_of(identity: Identity) -> str:
    """The name of a model; of what a request leaves of another one, that it is pruned."""
    name = model_name(identity.address)
    return f"{name}, pruned" if identity.is_request else name


def facts(check: Check) -> tuple[tuple[str, str], ...]:
    """What makes the check reproducible, name by name."""
    looks = () if check.looks_at_test is None else (("looks at the test split", count(check.looks_at_test)),)
    versions = ", ".join(f"{name.removesuffix('_version')} {version}" for name, version in check.versions.items())
    return (
        ("candidate", _identity(check.candidate)),
        ("dense model", _identity(check.dense)),
        ("data", f"{check.data['address']}, digest {check.data['digest']}"),
        *looks,
        ("policy", f"digest {check.policy.digest}"),
        ("seed", str(check.seed)),
        ("versions", versions),
        ("machine", check.machine),
        ("date", check.date),
    )


def _identity(identity: Identity) -> str:
    file = "no file" if identity.sha256 is None else f"{identity.n_bytes or 0:,} B, sha256 {identity.sha256}"
    return f"{name_of(identity)}, digest {identity.digest}, {file}"


def word(verdict: Verdict) -> str:
    """The verdict for a heading."""
    return verdict.capitalize()
