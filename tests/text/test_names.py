"""Names from files, made safe for every place that shows them."""

from __future__ import annotations

import re

import pytest

from explorer.text import names
from explorer.text.names import clean_markdown

# What Streamlit's Markdown takes for a link in plain text (GitHub's autolink literals).
AUTOLINK = re.compile(r"(https?://|www(?=\.))[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE | re.ASCII)


def unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


@pytest.mark.parametrize(
    "name", ["http://elsewhere.invalid/a.png", "HTTPS://x.invalid", "see www.x.invalid now", "a@b.invalid"]
)
def test_an_address_in_a_name_is_no_link_and_reads_as_before(name: str) -> None:
    shown = unescaped(clean_markdown(name))

    assert AUTOLINK.search(name)
    assert not AUTOLINK.search(shown)
    assert shown.replace("\N{WORD JOINER}", "") == name


@pytest.mark.parametrize("name", ["block1.conv1", "a b", "*bold* [x](y) `c` $t$ :red[z] <b>"])
def test_an_ordinary_name_is_only_escaped(name: str) -> None:
    assert unescaped(clean_markdown(name)) == name


HOSTILE = '\x1b[31m<b>$x$</b>\u202e\n="a"' + "\udc80"


def test_a_clean_name_is_one_line_of_letters_that_print() -> None:
    for show in (names.clean, names.clean_terminal, names.clean_html, names.clean_plotly, names.clean_matplotlib):
        assert show(HOSTILE).isprintable(), show
        show(HOSTILE).encode()
    assert names.clean("a\tb\nc\x1bd") == "a b c\N{REPLACEMENT CHARACTER}d"


def test_a_long_name_keeps_both_of_its_ends_and_exactly_its_limit() -> None:
    for limit in (1, 2, 9, 80):
        shown = names.clean("a" * 300 + "b" * 300, limit)
        assert len(shown) == limit
        assert shown.strip("ab") == "…"
    assert names.clean("a" * 80) == "a" * 80


def test_a_cell_is_never_a_formula() -> None:
    for text in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert names.clean_cell(text).startswith("'"), text
    assert names.clean_cell("a=1") == "a=1"


def test_no_markup_of_the_reader_survives() -> None:
    assert names.clean_html('<a href="x">') == "&lt;a href=&quot;x&quot;&gt;"
    assert names.clean_plotly("<b>$x$") == "&lt;b&gt;&#36;x&#36;"
    assert names.clean_matplotlib("_$x$") == r" _\$x\$"


def test_a_file_name_of_any_system_is_its_last_part() -> None:
    shown = [names.file_name(path) for path in ("a/b.pt", r"C:\a\b.pt", "b.pt", "", "a/b/")]
    assert shown == ["b.pt", "b.pt", "b.pt", "file", "b"]
