"""Names from files, made safe for Streamlit's labels."""

from __future__ import annotations

import re

import pytest

from explorer.text.names import plain

# What Streamlit's Markdown takes for a link in plain text (GitHub's autolink literals).
AUTOLINK = re.compile(r"(https?://|www(?=\.))[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE | re.ASCII)


def unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


@pytest.mark.parametrize(
    "name", ["http://elsewhere.invalid/a.png", "HTTPS://x.invalid", "see www.x.invalid now", "a@b.invalid"]
)
def test_an_address_in_a_name_is_no_link_and_reads_as_before(name: str) -> None:
    shown = unescaped(plain(name))

    assert AUTOLINK.search(name)
    assert not AUTOLINK.search(shown)
    assert shown.replace("\N{WORD JOINER}", "") == name


@pytest.mark.parametrize("name", ["block1.conv1", "a b", "*bold* [x](y) `c` $t$ :red[z] <b>"])
def test_an_ordinary_name_is_only_escaped(name: str) -> None:
    assert unescaped(plain(name)) == name
