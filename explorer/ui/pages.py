"""All pages in the order of the menu. A new page: a folder here, a script in ``pages/`` and one line below."""

from __future__ import annotations

from explorer.ui.check import PAGE as CHECK
from explorer.ui.classroom import PAGE as CLASSROOM
from explorer.ui.compare import PAGE as COMPARE
from explorer.ui.explore import PAGE as EXPLORE
from explorer.ui.learn import PAGE as LEARN
from explorer.ui.quantize import PAGE as QUANTIZE
from explorer.ui.recover import PAGE as RECOVER
from explorer.ui.search import PAGE as SEARCH
from explorer.ui.sensitivity import PAGE as SENSITIVITY
from explorer.ui.shell import cache, hiding
from explorer.ui.shell.menu import Page
from explorer.ui.structure import PAGE as STRUCTURE
from explorer.ui.tradeoff import PAGE as TRADEOFF
from explorer.ui.weights import PAGE as WEIGHTS

MEMBERS: tuple[Page, ...] = (
    EXPLORE,
    SENSITIVITY,
    TRADEOFF,
    SEARCH,
    RECOVER,
    QUANTIZE,
    CHECK,
    COMPARE,
    STRUCTURE,
    WEIGHTS,
    LEARN,
)


def shown() -> tuple[Page, ...]:
    """The pages of this visitor's menu: that of the class where one is led, none that is hidden but the first."""
    members = MEMBERS if cache.classroom() is None else (*MEMBERS, CLASSROOM)
    hidden = hiding.names()
    return tuple(page for page in members if page is members[0] or page.name not in hidden)
