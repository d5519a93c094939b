"""What each layer costs when it alone is pruned."""

from explorer.analysis.sensitivity.scan import Sensitivity, scan

__all__ = ["Sensitivity", "scan"]
