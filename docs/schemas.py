"""Writes the JSON Schemas in docs/schemas/ from the declarations: python docs/schemas.py"""

from __future__ import annotations

import json
from pathlib import Path

from explorer.recovery.schemas import schemas

FOLDER = Path(__file__).resolve().parent / "schemas"


def text_of(schema: object) -> str:
    """A schema as it is committed."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text_of(schema), encoding="utf-8")
