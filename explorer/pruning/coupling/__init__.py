"""Which channels are coupled, and why."""

from explorer.pruning.coupling.groups import coupling

__all__ = ["coupling"]
