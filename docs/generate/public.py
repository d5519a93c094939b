"""The page of Python: every public name, from its docstring."""

from __future__ import annotations

from importlib import import_module

import explorer as ex

_ABOUT = """# Python

`import explorer as ex` offers these names, and loads nothing heavy before one of them is used. Everything else in the
package may change. Accuracies, drops and sparsities are fractions, sizes are bytes and times seconds, unless a
name says otherwise; `(n, classes)` is a shape."""


def page() -> str:
    """A heading a name, and what mkdocstrings reads of it."""
    functions = [name for name in ex.__all__ if name[0].islower() and ex._PUBLIC[name][1]]
    classes = [name for name in ex.__all__ if name[0].isupper()]
    modules = [name for name in ex.__all__ if not ex._PUBLIC[name][1]]
    lines = [_ABOUT]
    for title, names in (("Functions", functions), ("Values", classes), ("Modules", modules)):
        lines.append(f"## {title}")
        lines += [
            f"::: {_path(name)}\n    options:\n      heading: ex.{name}\n      toc_label: {name}" for name in names
        ]
    return "\n\n".join(lines) + "\n"


def _path(name: str) -> str:
    module, attribute = ex._PUBLIC[name]
    if not attribute:
        return f"explorer.{module}"
    target = getattr(import_module(f"explorer.{module}"), attribute)
    return f"{target.__module__}.{target.__qualname__}"
