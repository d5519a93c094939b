"""The best plan under a budget."""

from explorer.analysis.search.search import search

__all__ = ["search"]
