"""Networks by their name in a library, for a file of weights: ``timm:resnet18``, ``torchvision:resnet18``."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.assemble import Weights, pour
from explorer.models.fit.names import unwrapped
from explorer.models.libraries.downloads import not_here, snapshot
from explorer.models.libraries.folder import ModelFolder
from explorer.models.libraries.imported import Foreign, library
from explorer.models.reader import read_file
from explorer.text.names import clean, listed
from explorer.types import LoadedModel
from explorer.types.aliases import JsonDict


@dataclass(frozen=True, eq=False)
class Preparation:
    """What pictures go through before the network: edges in pixels, and what they are normalised with."""

    channels: int
    crop: int
    resize: int
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def meta(self) -> JsonDict:
        """The same for ``LoadedModel.meta``."""
        numbers = {"mean": list(self.mean), "std": list(self.std)}
        how = {"kind": "image", "resize": self.resize, "crop": self.crop, "interpolation": self.interpolation}
        shape = [self.channels, self.crop, self.crop]
        return {"input_shape": shape, "size": self.crop, **numbers, "preprocess": {**how, **numbers}}


class NetworkLibrary(Protocol):
    """A library that builds networks by name."""

    key: ClassVar[str]
    package: ClassVar[str]

    def names(self, package: Foreign) -> list[str]:
        """The networks that it can build for pictures of one size."""
        ...

    def empty(self, name: str, n_classes: int | None = None) -> tuple[nn.Module, tuple[str, ...]]:
        """The network with random weights, and the layers whose size is the number of classes."""
        ...

    def about(self, name: str, module: nn.Module, n_classes: int) -> tuple[Preparation, list[str] | None]:
        """How pictures are prepared for it, and the names of its classes where they are the library's."""
        ...

    def pretrained(self, name: str, allow: bool) -> tuple[Mapping[str, Tensor], tuple[str, ...]]:
        """The library's own weights, and what was noticed while they were read; ExplorerError where not at hand."""
        ...


@dataclass(frozen=True)
class Timm:
    """PyTorch Image Models."""

    key: ClassVar[str] = "timm"
    package: ClassVar[str] = "timm"

    def names(self, package: Foreign) -> list[str]:
        return [str(name) for name in package.list_models()]

    def empty(self, name: str, n_classes: int | None = None) -> tuple[nn.Module, tuple[str, ...]]:
        module = library("timm").create_model(name, **({} if n_classes is None else {"num_classes": n_classes}))
        head = module.pretrained_cfg.get("classifier") or ()
        return module, (head,) if isinstance(head, str) else tuple(head)

    def about(self, name: str, module: nn.Module, n_classes: int) -> tuple[Preparation, list[str] | None]:
        return prepared_by_timm(library("timm.data").resolve_model_data_config(module)), None

    def pretrained(self, name: str, allow: bool) -> tuple[Mapping[str, Tensor], tuple[str, ...]]:
        config = library("timm").get_pretrained_cfg(name)
        if config is None or not config.hf_hub_id:
            raise not_here(f"timm:{name}")
        place = config.hf_hub_id
        tagged = f"{config.architecture}.{config.tag}" if config.tag else str(config.architecture)
        path = snapshot(f"{place}{tagged}" if place.endswith("/") else place, allow)
        weights = ModelFolder(path.resolve(), path.resolve().parents[1]).weights()
        return weights.tensors, weights.repairs


def prepared_by_timm(config: Mapping[str, Foreign]) -> Preparation:
    """What timm's own transform for evaluation does."""
    channels, size, _ = config["input_size"]
    resize = int(size / config["crop_pct"])
    return Preparation(channels, size, resize, config["interpolation"], tuple(config["mean"]), tuple(config["std"]))


@dataclass(frozen=True)
class Torchvision:
    """The classifiers of torchvision."""

    key: ClassVar[str] = "torchvision"
    package: ClassVar[str] = "torchvision"

    def names(self, package: Foreign) -> list[str]:
        return [str(name) for name in library("torchvision.models").list_models(module=package.models)]

    def empty(self, name: str, n_classes: int | None = None) -> tuple[nn.Module, tuple[str, ...]]:
        models = library("torchvision.models")
        options: dict[str, object] = {} if n_classes is None else {"num_classes": n_classes}
        if "init_weights" in inspect.signature(models.get_model_builder(name)).parameters:
            options["init_weights"] = True
        module: nn.Module = models.get_model(name, weights=None, **options)
        linear = [path for path, part in module.named_modules() if _gives_classes(part, n_classes or 1000)]
        return module, tuple(linear)

    def about(self, name: str, module: nn.Module, n_classes: int) -> tuple[Preparation, list[str] | None]:
        weights = library("torchvision.models").get_model_weights(name).DEFAULT
        how, names = weights.transforms(), list(weights.meta["categories"])
        how = Preparation(
            3, how.crop_size[0], how.resize_size[0], how.interpolation.value, tuple(how.mean), tuple(how.std)
        )
        return how, names if len(names) == n_classes and len(set(names)) == n_classes else None

    def pretrained(self, name: str, allow: bool) -> tuple[Mapping[str, Tensor], tuple[str, ...]]:
        url = library("torchvision.models").get_model_weights(name).DEFAULT.url
        path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
        if not path.exists():
            if not allow:
                raise not_here(f"torchvision:{name}")
            _fetched(url, path)
        contents = read_file(path, clean(path.name))
        return {**contents.tensors, **{n: contents.tensors[o] for n, o in contents.aliases.items()}}, contents.repairs


def _gives_classes(part: nn.Module, n_classes: int) -> bool:
    outputs = getattr(part, "out_features", getattr(part, "out_channels", None))
    return isinstance(part, nn.Linear | nn.Conv2d) and outputs == n_classes


def _fetched(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(path), path.stem.rpartition("-")[2], progress=False)
    except (OSError, RuntimeError) as error:
        logging.getLogger(__name__).exception("%s was not fetched.", url)
        what, why = f"{clean(path.name)!r} could not be downloaded.", f"{clean(str(error), 200)}."
        raise ExplorerError(what, why=why, fix="Check the network.") from error


LIBRARIES: dict[str, NetworkLibrary] = {source.key: source for source in (Timm(), Torchvision())}


def library_of(arch: str | None) -> NetworkLibrary | None:
    """The library that an architecture such as ``timm:resnet18`` is of; None for every other."""
    return LIBRARIES.get((arch or "").partition(":")[0]) if ":" in (arch or "") else None


def in_network(source: NetworkLibrary, name: str, weights: Weights) -> LoadedModel:
    """The weights in the library's network of this name, for as many classes as they tell apart."""
    _check_name(source, name)
    try:
        module, head = source.empty(name)
        n_classes = _n_classes(head, unwrapped(weights.tensors)[0])
        if head and n_classes is not None and n_classes != _n_classes(head, module.state_dict()):
            module, head = source.empty(name, n_classes)
    except (RuntimeError, ValueError, TypeError) as error:
        logging.getLogger(__name__).exception("%s:%s was not built.", source.key, name)
        first = (str(error).splitlines() or [""])[0].rstrip(".")
        what, fix = f"{source.key}:{name} cannot be built here.", "Build it in Python, and give ex.load the module."
        raise ExplorerError(what, why=f"{clean(first, 200)}.", fix=fix) from error
    n_classes = _n_classes(head, module.state_dict()) or 0
    preparation, classes = source.about(name, module, n_classes)
    meta = {**preparation.meta(), "arch": f"{source.key}:{name}", "arch_args": {}, "library": source.key}
    if classes and not weights.meta.get("classes"):
        meta["classes"] = classes
    shape = (1, preparation.channels, preparation.crop, preparation.crop)
    example = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return pour(weights, module.eval(), meta, example, n_classes or None)


def _check_name(source: NetworkLibrary, name: str) -> None:
    names = source.names(library(source.package))
    if name.partition(".")[0] in names:
        return
    near = difflib.get_close_matches(name, names, 3)
    fix = f"Perhaps {listed(near)} is meant." if near else f"See the list of models of {source.package}."
    raise ExplorerError(f"{source.package} has no classifier {clean(name)!r}.", fix=fix)


def _n_classes(head: tuple[str, ...], tensors: Mapping[str, Tensor]) -> int | None:
    """How many classes the weights tell apart, by the last layer, under whatever prefix it stands."""
    for part in head:
        ending = f"{part}.weight"
        for name, tensor in tensors.items():
            if (name == ending or name.endswith(f".{ending}")) and tensor.dim() >= 2:
                return int(tensor.shape[0])
    return None
