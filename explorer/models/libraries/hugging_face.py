"""Networks of the transformers library: a folder with ``config.json``, or an id of the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.models.libraries.as_model import as_model
from explorer.models.libraries.downloads import allowed, snapshot
from explorer.models.libraries.folder import CONFIG, ModelFolder, model_folder
from explorer.models.libraries.transformers_network import network
from explorer.models.request import ModelRequest
from explorer.text.names import clean
from explorer.types import LoadedModel

_PREFIX = "hf:"


@dataclass(frozen=True)
class HuggingFace:
    """The network that a folder describes, with exactly the weights in it; nothing of the folder is run."""

    key: ClassVar[str] = "hf"
    form: ClassVar[str] = "path/to/folder with config.json, or hf:org/name (transformers)"

    def owns(self, address: str) -> bool:
        """Whether the address begins with ``hf:``, or is a folder with a ``config.json``."""
        return address.startswith(_PREFIX) or model_folder(address) is not None

    def load(self, request: ModelRequest) -> LoadedModel:
        """The network of the folder. ExplorerError unless every weight of it is in the folder, and no other."""
        if request.arch is not None:
            what = f"{clean(request.address)} brings its own architecture."
            raise ExplorerError(what, fix="Leave the architecture out.")
        folder = _folder(request)
        return as_model(request.address, network(folder, folder.described(CONFIG), clean(folder.path.name)))


def _folder(request: ModelRequest) -> ModelFolder:
    place = request.address.removeprefix(_PREFIX)
    if (folder := model_folder(place)) is not None:
        return folder
    path = snapshot(place, allowed(request.allow_download))
    return ModelFolder(path.resolve(), path.resolve().parents[1])
