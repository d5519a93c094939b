"""A comparison of models as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from explorer.analysis.models_compared.result import ModelsCompared
from explorer.report import compared as words
from explorer.report import page

_MOST_CLASSES = 40
_MOST_SAMPLES = 100


def comparison_card(compared: ModelsCompared) -> str:
    """The whole page."""
    return page.page(f"Comparison: {words.subject(compared)}", _parts(compared))


def _parts(compared: ModelsCompared) -> Iterator[str]:
    yield f'<h1>Comparison</h1>\n<p class="subject">{page.text(words.subject(compared))}</p>'
    yield _table("Every model, each against the first", words.head(compared), words.rows(compared))
    yield from (f"<p>{page.text(sentence)}</p>" for sentence in words.sentences(compared))
    if compared.labels is not None and len(compared.classes) <= _MOST_CLASSES:
        yield "<h2>Classes</h2>"
        yield _table("Right answers of every class", words.class_head(compared), words.class_rows(compared))
        yield from map(_confusion, [compared] * len(compared.models), range(len(compared.models)))
    yield "<h2>Changed answers</h2>"
    for i, name in enumerate(compared.names):
        samples = compared.changed(i)
        if samples:
            shown = f"{min(len(samples), _MOST_SAMPLES):,} of {len(samples):,}"
            yield _table(
                f"Changed by {name}: {shown}", words.CHANGED_HEAD, words.changed_rows(compared, samples[:_MOST_SAMPLES])
            )
    yield "<h2>Weights</h2>"
    for model in compared.models[1:]:
        if model.against is not None:
            caption = f"Weights that are not zero: the first and {model.name}"
            yield _table(caption, words.WEIGHT_HEAD, words.weight_rows(model.against))
    yield f"<h2>Where they come from</h2>\n<pre>{_lines(words.tree(compared))}</pre>"
    yield f"<h2>The same again</h2>\n<pre>{page.text(compared.command)}</pre>"
    yield "<h2>What it depends on</h2>\n<dl>"
    yield from (f"<dt>{page.text(name)}</dt><dd>{page.text(text)}</dd>" for name, text in words.facts(compared))
    yield "</dl>"


def _confusion(compared: ModelsCompared, i: int) -> str:
    """The matrix of one model; behind each number of another than the first how many more that is."""
    matrix, first = compared.confusion(i).tolist(), compared.confusion(0).tolist()
    names = [compared.class_name(c) for c in range(len(matrix))]
    rows = [
        (name, *(_counted(n, n - before, i) for n, before in zip(row, row_before, strict=True)))
        for name, row, row_before in zip(names, matrix, first, strict=True)
    ]
    differs = " (in brackets: more than the first)" if i else ""
    return _table(f"Confusion of {compared.names[i]}{differs}: a row a class, a column an answer", ("", *names), rows)


def _counted(n: int, more: int, i: int) -> str:
    return f"{n:,}" if not i or not more else f"{n:,} ({more:+,})"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = [
        f'<tr><th scope="row">{page.text(first)}</th>{"".join(f"<td>{page.text(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    ]
    return page.table(caption, head, body)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(map(page.text, lines))
