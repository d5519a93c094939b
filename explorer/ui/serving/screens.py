"""The screens are imported before the first visitor comes.

Several visitors at once, as when a class comes back after a restart, would import the same modules in threads of their
own and in different orders; Python then hands out modules that are half made.
"""

from __future__ import annotations

from importlib import import_module


def load() -> None:
    """Import every page, one after another. Call it where a server runs already: caches want that."""
    pages = import_module("explorer.ui.pages")
    for page in (*pages.MEMBERS, pages.CLASSROOM):
        import_module(f"explorer.ui.{page.name}.page")
