"""A page printed to PDF by Chromium, where it is installed; nothing in it is asked for from elsewhere."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_SECONDS = 120


def print_page(html: str, place: Path) -> None:
    """Write the page as PDF. Raises ExplorerError without Chromium, or where it does not print."""
    program = browser()
    if program is None:
        raise ExplorerError(
            "No PDF was written.", why="No Chromium is installed here.", fix="Print the page of --html to PDF instead."
        )
    with tempfile.TemporaryDirectory() as folder:
        page, pdf = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/p",
        ]
        _run([program, *options, f"--print-to-pdf={pdf}", page.as_uri()])
        if not pdf.is_file():
            raise ExplorerError("No PDF was written.", why="Chromium did not print.", fix="Print the page of --html.")
        try:
            shutil.copyfile(pdf, place)
        except OSError as error:
            raise cannot_write(place, error) from error


def browser() -> str | None:
    """The Chromium of this machine; None without one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logging.getLogger(__name__).exception("Chromium did not print.")
        raise ExplorerError("No PDF was written.", why=f"{error}.", fix="Print the page of --html.") from error
