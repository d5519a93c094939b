"""What was asked of a model source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.models.architectures import ARCHITECTURES, Architecture


@dataclass(frozen=True)
class Request:
    """An address, the architecture its weights belong to, and whether the user's own code may run."""

    address: str
    arch: str | None = None
    arch_args: Mapping[str, Any] = field(default_factory=dict)
    trust_code: bool = False

    def architecture(self) -> Architecture | None:
        """The architecture that was asked for, or None; ExplorerError for an unknown one."""
        return None if self.arch is None else ARCHITECTURES.get(self.arch, **self.arch_args)
