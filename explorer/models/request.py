"""What was asked of a model source."""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.types.aliases import JsonObject

CODE_SECONDS = 120.0


@dataclass(frozen=True)
class ModelRequest:
    """An address, the architecture its weights belong to, whether and for how long the user's code may run, and whether
    something may be downloaded."""

    address: str
    arch: str | None = None
    arch_args: JsonObject = field(default_factory=dict)
    trust_code: bool = False
    code_timeout: float = CODE_SECONDS
    allow_download: bool = False

    def architecture(self) -> Architecture | None:
        """The architecture that was asked for, or None; ExplorerError for an unknown one."""
        return None if self.arch is None else ARCHITECTURES.get(self.arch, **self.arch_args)
