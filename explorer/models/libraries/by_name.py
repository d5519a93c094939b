"""``timm:name`` and ``torchvision:name``: a network with the library's own weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.models.assemble import Weights
from explorer.models.libraries.downloads import allowed
from explorer.models.libraries.networks import LIBRARIES, in_network, library_of
from explorer.models.request import ModelRequest
from explorer.text.names import clean
from explorer.types import LoadedModel


@dataclass(frozen=True)
class LibraryNetwork:
    """A classifier of timm or torchvision; with a file of your own, its name is the architecture."""

    key: ClassVar[str] = "library"
    form: ClassVar[str] = "timm:name or torchvision:name"

    def owns(self, address: str) -> bool:
        """Whether the address begins with the name of one of the libraries."""
        return address.partition(":")[0] in LIBRARIES and ":" in address

    def load(self, request: ModelRequest) -> LoadedModel:
        """The network with the weights that its library trained. ExplorerError where they are not on this machine."""
        source, name = library_of(request.address), request.address.partition(":")[2]
        if source is None or request.arch is not None:
            what = f"{clean(request.address)} is an architecture itself."
            raise ExplorerError(what, fix=f"Name your file, with {clean(request.address)} as its architecture.")
        tensors, repairs = source.pretrained(name, allowed(request.allow_download))
        about = {"source": source.key, "label": request.address}
        return in_network(source, name, Weights(request.address, request.address, tensors, {}, repairs, meta=about))
