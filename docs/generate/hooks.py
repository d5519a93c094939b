"""What mkdocs adds to the written pages: the README as the first page, and pages made from registries and parsers."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.generate import commands, formats, methods, public, runtimes  # noqa: E402

# Pages that stand at the top of the repository, by their names in the site.
AT_THE_TOP = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}


def on_config(config: MkDocsConfig) -> None:
    """The pages of methods get their places in the menu."""
    (section,) = (part for part in config.nav or [] if "Methods" in part)
    section["Methods"] += methods.menu()


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages that are written nowhere, and the notebooks that pages link to."""
    for name, text in generated().items():
        _add(files, config, name, text)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _add(files, config, f"notebooks/{notebook.name}", notebook.read_text(encoding="utf-8"))
    _add(files, config, "LICENSE.txt", (ROOT / "LICENSE").read_text(encoding="utf-8"))
    return files


def generated() -> dict[str, str]:
    """Every page that is made, by its name in the site."""
    tops = {name: at_the_top((ROOT / source).read_text(encoding="utf-8")) for name, source in AT_THE_TOP.items()}
    made = {"commands.md": commands.page(), "python.md": public.page(), "runtimes.md": runtimes.page()}
    return {**tops, **made, "files.md": formats.page(), **methods.pages()}


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links out of docs/ lead to what stands for them in the site; a picture with two themes is shown in its own."""
    text = markdown.replace("](../notebooks/", "](notebooks/")
    for name, source in AT_THE_TOP.items():
        text = text.replace(f"](../{source}", f"]({name}")
    return re.sub(r"\]\(((?:[\w-]+/)*explore)-(light|dark)\.png\)", r"](\1-\2.png#only-\2)", text)


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Names in docstrings are written for editors; a page shows them as code."""
    return re.sub(r":(?:func|class|meth|mod):<code>(?:explorer\.)?([^<]*)</code>", r"<code>\1</code>", html)


def at_the_top(text: str) -> str:
    """A page of the repository's top as a page of docs/: links lead from there."""
    text = re.sub(r"(\]\(|srcset=\"|src=\")docs/", r"\1", text)
    for name, source in AT_THE_TOP.items():
        text = text.replace(f"]({source}", f"]({name}")
    return text.replace("](LICENSE)", "](LICENSE.txt)")


def _add(files: Files, config: MkDocsConfig, name: str, text: str) -> None:
    from mkdocs.structure.files import File

    files.append(File.generated(config, name, content=text))
