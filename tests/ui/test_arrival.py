"""A link to any page opens it, on a server that nobody has visited yet, too."""

from __future__ import annotations

from explorer.ui import pages
from explorer.ui.shell import arrival


def test_every_page_but_the_first_is_reached_by_its_own_address() -> None:
    addresses = {entry.url_path for entry in arrival.entries()}
    assert addresses == {page.name if page is not pages.MEMBERS[0] else "" for page in pages.MEMBERS}
