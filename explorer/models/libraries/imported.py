"""Optional libraries: imported when they are asked for, with a sentence where they are missing."""

from __future__ import annotations

import importlib
import logging
from typing import Any, TypeAlias

from explorer.errors import ExplorerError

Foreign: TypeAlias = Any
"""What comes out of a library that says nothing of its types."""


def library(name: str) -> Foreign:
    """The module of this name; ExplorerError where it is not installed or cannot be imported here."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise _broken(name, error) from error
        what = f"{name} is not installed."
        fix = f"Install it beside the explorer: pip install {name}."
        raise ExplorerError(what, why="Its networks are built by its own code.", fix=fix) from None
    except (ImportError, RuntimeError, AttributeError) as error:  # another version of torch, operators that are missing
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> ExplorerError:
    logging.getLogger(__name__).exception("%s cannot be imported.", name)
    first = (str(error).splitlines() or [""])[0].rstrip(".")
    fix = f"Install a version of {name} that goes with this version of torch."
    return ExplorerError(f"{name} cannot be imported.", why=f"{first}.", fix=fix)
