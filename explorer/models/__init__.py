"""Where a model comes from: one file per source, one registry, one address for each.

``digits-cnn`` (bundled) · ``path/to/file.safetensors`` with ``arch=`` · ``package.module:factory``
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from explorer.errors import ExplorerError
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.models.factory import Factory
from explorer.models.request import CODE_SECONDS, ModelRequest
from explorer.models.sample import Sample, initial_weights, manifest
from explorer.models.weight_file import WeightFile, open_upload
from explorer.params import Registry
from explorer.text.names import clean
from explorer.types import LoadedModel
from explorer.types.aliases import JsonObject

__all__ = [
    "ARCHITECTURES",
    "SOURCES",
    "Architecture",
    "ModelSource",
    "initial_weights",
    "load",
    "open_upload",
    "samples",
]


class ModelSource(Protocol):
    """Turns the addresses it owns into models. ``form`` is how such an address is written."""

    key: ClassVar[str]
    form: ClassVar[str]

    def owns(self, address: str) -> bool:
        """Whether the address is one of this source's; the first that says yes gets it."""
        ...

    def load(self, request: ModelRequest) -> LoadedModel:
        """The model at ``request.address``; raises ExplorerError."""
        ...


SOURCES: Registry[ModelSource] = Registry("model source", (Sample, WeightFile, Factory))


def samples() -> list[str]:
    """The names of the bundled models; the one to start with comes first."""
    return list(manifest())


def load(
    address: str,
    *,
    arch: str | None = None,
    arch_args: JsonObject | None = None,
    trust_code: bool = False,
    code_timeout: float = CODE_SECONDS,
) -> LoadedModel:
    """The model an address names, in eval mode, without gradients, ready to be measured.

    ``arch`` (with ``arch_args``) is the architecture a file's weights belong to: a name from
    ``ARCHITECTURES``, or ``package.module:factory`` together with ``trust_code``. A file without
    one opens weights-only (``module`` is None). Weights that do not fit are refused; nothing ever
    runs with random weights. ``code_timeout``: seconds after which own code that does not come back is
    given up, in a trial before it runs here and in each piece of an evaluation; 0 is no limit, and no trial.
    Raises ExplorerError.
    """
    address = address.strip()
    request = ModelRequest(address, arch or None, arch_args or {}, trust_code, code_timeout)
    if arch and ":" not in arch:
        request.architecture()  # an unknown architecture is refused before any time is spent on the file
    for source in map(SOURCES.get, SOURCES.members):
        if source.owns(address):
            return source.load(request)
    raise ExplorerError(
        f"{clean(address)!r} is not the address of a model that can be opened.",
        why=f"Known are the bundled models ({', '.join(samples())}), files of weights and your own factories.",
        fix="Write one of: " + "; ".join(source.form for source in SOURCES) + ".",
    )
