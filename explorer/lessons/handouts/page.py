"""A lesson as one page of HTML that prints well: no script, nothing from elsewhere."""

from __future__ import annotations

import html
import re

from explorer.lessons.languages import Translate
from explorer.lessons.lesson import (
    Block,
    ByHand,
    ChoiceQuestion,
    Claim,
    CurveQuestion,
    Do,
    Explain,
    Form,
    Lesson,
    Predict,
    Reveal,
    Why,
)
from explorer.text.numbers import percent_asked

_STYLE = """body { font: 11pt/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
body { color: #111; background: #fff; } h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; } .about { color: #555; margin-top: 0; }
.block { border: 1px solid #999; border-radius: .4rem; padding: .5rem .8rem; margin: .8rem 0; break-inside: avoid; }
.kind { font-size: .8rem; font-weight: 600; color: #444; margin: 0; }
.line { border-bottom: 1px solid #999; height: 1.7rem; }
.teacher { background: #f2f2f2; } ul { list-style: "\\2610  "; } svg { width: 100%; height: auto; }
@media print { body { margin: 0; } }"""
_CODE = re.compile(r"`([^`]+)`")


def text(lesson: Lesson, is_teachers: bool, t: Translate) -> str:
    """The whole page."""
    blocks = []
    for step in lesson.steps:
        blocks.append(f"<h2>{_inline(t(step.title))}</h2>")
        blocks += [_block(block, is_teachers, t) for block in step.blocks]
    notes = _notes(lesson, t) if is_teachers else ""
    title = html.escape(t(lesson.title))
    where = f"{lesson.minutes} {t('minutes')}, {t('on')} {lesson.model}. "
    about = html.escape(where + t("Every number is measured when the lesson is taken."))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f'<body><h1>{title}</h1><p class="about">{about}</p>\n{notes}' + "\n".join(blocks) + "\n</body></html>\n"
    )


def _notes(lesson: Lesson, t: Translate) -> str:
    rows = (
        (t("It corrects"), lesson.misconception),
        (t("What to say at the end"), lesson.answer),
        (t("Source"), lesson.source),
    )
    return "".join(
        f'<div class="block teacher"><p class="kind">{name}</p>{paragraphs(t(value))}</div>' for name, value in rows
    )


def _block(block: Block, is_teachers: bool, t: Translate) -> str:
    if isinstance(block, Explain):
        return paragraphs(t(block.text))
    if isinstance(block, Predict):
        return _boxed(t("Predict, before anything is measured"), paragraphs(t(block.question)) + _space(block.form, t))
    if isinstance(block, Reveal):
        return _boxed(t("Measured"), '<div class="line"></div>')
    if isinstance(block, Do):
        return _boxed(t("Do"), paragraphs(t(block.text)))
    if isinstance(block, Why):
        answer = f'<div class="teacher">{paragraphs(t(block.answer))}</div>' if is_teachers else ""
        return _boxed(t("Why? One sentence"), paragraphs(t(block.question)) + '<div class="line"></div>' * 2 + answer)
    if isinstance(block, Claim):
        boxes = f"<ul><li>{t('holds')}</li><li>{t('does not hold')}</li></ul>"
        return _boxed(t("Check by measuring"), paragraphs(t(block.claim)) + boxes)
    return _boxed(t("By hand"), paragraphs(_by_hand(block)))


def _by_hand(block: ByHand) -> str:
    return f"One output of {block.layer}: write down the patch, the kernel, the mask, the products and their sum."


def _boxed(kind: str, inner: str) -> str:
    return f'<div class="block"><p class="kind">{kind}</p>{inner}</div>'


def _space(form: Form, t: Translate) -> str:
    """Room for the answer: boxes, a line, or an empty chart."""
    if isinstance(form, ChoiceQuestion):
        return "<ul>" + "".join(f"<li>{html.escape(t(option))}</li>" for option in form.options) + "</ul>"
    if isinstance(form, CurveQuestion):
        return _empty_chart(form, t)
    return f"<p>________ {html.escape(form.unit)} (from {form.low:g} to {form.high:g})</p>"


def _empty_chart(form: CurveQuestion, t: Translate) -> str:
    wide, high, left = 480, 180, 46
    lines = []
    for i, level in enumerate(form.levels):
        x = left + 20 + i * (wide - left - 40) / (len(form.levels) - 1)
        lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="8" y2="{high - 30}" stroke="#ccc"/>')
        label = html.escape(percent_asked(level))
        lines.append(f'<text x="{x:.0f}" y="{high - 14}" font-size="11" text-anchor="middle">{label}</text>')
    for value, y in ((form.high, 12), (form.low, high - 30)):
        text = html.escape(f"{value:g}{form.unit}")
        lines.append(f'<text x="{left - 6}" y="{y}" font-size="11" text-anchor="end">{text}</text>')
        lines.append(f'<line x1="{left}" x2="{wide}" y1="{y}" y2="{y}" stroke="#999"/>')
    titles = html.escape(f"{t('up')}: {t(form.up)}; {t('across')}: {t(form.across)}")
    label = f'role="img" aria-label="{t("Empty chart.")} {titles}"'
    return f'<svg viewBox="0 0 {wide} {high}" {label}>{"".join(lines)}</svg><p>{titles}</p>'


def paragraphs(markdown: str) -> str:
    """Paragraphs with `code` in them; nothing else of Markdown is used in lessons."""
    return "".join(f"<p>{_inline(part)}</p>" for part in re.split(r"\n\s*\n", markdown.strip()))


def _inline(markdown: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(markdown))
