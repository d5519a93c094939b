"""One page a criterion, granularity, allocation, schedule and step, from registries and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from docs.generate.measured import Measured, measured, schedule_curve
from explorer.params import Param, params_of
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.recovery import schedules
from explorer.recovery.steps import STEPS

# The registries by the folder of their pages, with their title in the menu and the word of the command line.
KINDS = {
    "criteria": ("Criteria", CRITERIA, "--criterion"),
    "granularities": ("Granularities", GRANULARITIES, "--granularity"),
    "allocations": ("Allocations", ALLOCATIONS, "--allocation"),
    "steps": ("Steps of a recovery", STEPS, "--recipe"),
}
SCHEDULES = "schedules"
_LINK = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_FORMULA = re.compile(r"score\[[^=]*\] = ")


@dataclass(frozen=True)
class Text:
    """A docstring in its parts: the first sentence, what follows, where it is weak, where it is from."""

    summary: str
    formula: str = ""
    body: tuple[str, ...] = field(default=())
    weak: str = ""
    source: str = ""


def menu() -> list[dict[str, list[dict[str, str]]]]:
    """The pages as the menu lists them."""
    entries: list[dict[str, list[dict[str, str]]]] = [
        {title: [{m.label: f"methods/{folder}/{m.key}.md"} for m in registry]}
        for folder, (title, registry, _) in KINDS.items()
    ]
    named = [{_title(name): f"methods/{SCHEDULES}/{name}.md"} for name in schedule_texts()]
    return [*entries, {"Schedules": named}]


def pages() -> dict[str, str]:
    """Each page by its name in the site."""
    members = {
        f"methods/{folder}/{member.key}.md": member_page(folder, member, measured(folder, member.key))
        for folder, (_, registry, _) in KINDS.items()
        for member in registry
    }
    return members | {f"methods/{SCHEDULES}/{name}.md": schedule_page(name) for name in schedule_texts()}


def parts_of(doc: str) -> Text:
    """A docstring taken apart."""
    summary, *paragraphs = [" ".join(part.split()) for part in doc.split("\n\n")]
    text = {"weak": "", "source": "", "formula": ""}
    body = []
    for paragraph in paragraphs:
        if paragraph.startswith("Source: "):
            text["source"] = paragraph.removeprefix("Source: ")
        elif paragraph.startswith("Weak where "):
            text["weak"] = paragraph.removeprefix("Weak where ")
        elif _FORMULA.match(paragraph) and not text["formula"]:
            text["formula"], rest = formula_and_rest(paragraph)
            body += [rest] if rest else []
        else:
            body.append(paragraph)
    return Text(summary, body=tuple(body), **text)


def formula_and_rest(paragraph: str) -> tuple[str, str]:
    """What is before the first mark outside all brackets, and what comes after it."""
    depth = 0
    for place, letter in enumerate(paragraph):
        depth += (letter in "([") - (letter in ")]")
        after = paragraph[place + 1 : place + 2]
        if letter in ".:;," and after in (" ", "") and depth == 0 and place > paragraph.index("="):
            rest = paragraph[place + 1 :].strip()
            return paragraph[:place], rest[:1].upper() + rest[1:]
    return paragraph, ""


def member_page(folder: str, member: type, curve: Measured | None) -> str:
    """The page of one member of a registry."""
    flag = KINDS[folder][2]
    text = parts_of(inspect.getdoc(member) or "")
    key, label = member.key, member.label  # type: ignore[attr-defined]
    lines = [f"# {label}", f"`{flag} {key}`. {_words(text.summary)}"]
    lines += ["## Formula", f"```text\n{text.formula}\n```"] if text.formula else []
    lines += map(_words, text.body)
    lines += ["## Parameters", parameter_table(params_of(member)) if params_of(member) else "It has none."]
    lines += ["## Where it is weak", _sentence(text.weak)]
    lines += ["## As measured here", curve.markdown()] if curve else []
    lines += ["## Source", _words(text.source) or "None: it is a way of counting, not a published method."]
    return "\n\n".join(lines) + "\n"


def parameter_table(params: tuple[Param, ...]) -> str:
    """A row a parameter."""
    head = ["| parameter | kind | values | default | what it does |", "|---|---|---|---|---|"]
    rows = [(f"`{p.name}`", p.type, p.range, _default(p), _words(p.help or p.label)) for p in params]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def schedule_texts() -> dict[str, Text]:
    """Each sparsity schedule with its line of the docstring."""
    listed, source = (inspect.getdoc(schedules.sparsity_at) or "").split("\n\n")[1:3]
    entries = dict(re.findall(r"^- (\w+): (.*?)[;.]$(?=\n- |\Z)", listed, re.MULTILINE | re.DOTALL))
    texts = {name: " ".join(entries[name].split()).split(". Weak where ") for name in schedules.SPARSITY_SCHEDULES}
    return {
        name: Text(what, weak=weak, source=parts_of(f"\n\n{source}").source) for name, (what, weak) in texts.items()
    }


def schedule_page(name: str) -> str:
    """The page of one schedule, with its curve, which is counted."""
    text = schedule_texts()[name]
    lines = [f"# {_title(name)}", f"`{name}`: a schedule of sparsity. {_words(text.summary)}."]
    lines += [
        schedule_curve(name),
        "Counted: sparsity while pruning goes from 0 to 90 %, against the share of the time that is over.",
    ]
    lines += ["## Where it is weak", f"{_sentence(text.weak)}.", "## Source", _words(text.source)]
    return "\n\n".join(lines) + "\n"


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _default(p: Param) -> str:
    return "needed" if p.required else f"`{p.default}`" if p.default != () else "none"


def _sentence(weak: str) -> str:
    return _words(weak[:1].upper() + weak[1:])


def _words(text: str) -> str:
    """Text of a docstring as Markdown: what could be taken for marks is none, and papers are links."""
    return _LINK.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", "".join(_escaped(text)))


def _escaped(text: str) -> Iterator[str]:
    for i, part in enumerate(text.split("``")):
        yield f"`{part}`" if i % 2 else re.sub(r"([\\*_\[\]<>|])", r"\\\1", part)
