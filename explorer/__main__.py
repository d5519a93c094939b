"""``python -m explorer COMMAND``, also installed as ``pruning-explorer``."""

from __future__ import annotations

import sys

from explorer.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
