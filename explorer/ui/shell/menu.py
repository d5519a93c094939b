"""What the menu says of a page, beside the page itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One entry of the menu: ``name`` is that of its folder, its script in ``pages/`` and its address."""

    name: str
    title: str
    icon: str
    question: str
    has_facts: bool = False  # it draws the facts of the present setting itself, with what changes them

    @property
    def script(self) -> str:
        """Its script, as Streamlit wants it."""
        return f"pages/{self.name}.py"
