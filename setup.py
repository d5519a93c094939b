"""What pyproject.toml cannot say: the scripts of the screens stand beside the package, and travel inside it.

``explorer app`` serves them from ``explorer/screens/`` where the package was installed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SCREENS = ("app.py", "server.py", ".streamlit/config.toml", "pages/*.py")


class WithScreens(build_py):
    """The package's modules, and the scripts that Streamlit runs."""

    def run(self) -> None:
        """Build the package, then copy the scripts into it; an editable install uses those of the tree."""
        super().run()
        if self.editable_mode:
            return
        for pattern in SCREENS:
            for script in ROOT.glob(pattern):
                copy = Path(self.build_lib, "explorer", "screens", script.relative_to(ROOT))
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(script, copy)


setup(cmdclass={"build_py": WithScreens})
