"""Writes the list of fingerprints anew: ``python -m explorer.models.libraries.fingerprinting``.

It builds every network of the libraries that are installed, without memory for its weights; that takes some minutes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import torch

from explorer.models.libraries.fingerprints import LIST, fingerprint
from explorer.models.libraries.imported import library
from explorer.models.libraries.networks import LIBRARIES


def _networks() -> Iterator[tuple[str, str, str]]:
    """(head, fingerprint, address) of every network that can be built without memory."""
    for key, source in LIBRARIES.items():
        for name in source.names(library(source.package)):
            try:
                with torch.device("meta"):
                    module, head = source.empty(name)
            except (RuntimeError, ValueError, TypeError, NotImplementedError):
                logging.getLogger(__name__).exception("%s:%s is not listed.", key, name)
                continue
            if head:
                yield " ".join(head), fingerprint(module.state_dict(), head), f"{key}:{name}"


def main() -> None:
    """Write the list."""
    listed: dict[str, dict[str, list[str]]] = {}
    for head, digest, address in _networks():
        listed.setdefault(head, {}).setdefault(digest, []).append(address)
    LIST.write_text(json.dumps(listed, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
