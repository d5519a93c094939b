"""Where a model comes from: one file per source, one registry, one address for each.

``digits-cnn`` (bundled) · ``path/to/file.safetensors`` with ``arch=`` · a folder of transformers ·
``package.module:factory``; or a module itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from torch import nn

from explorer.errors import ExplorerError
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.models.factory import Factory
from explorer.models.given_module import ModuleRequest, load_module
from explorer.models.libraries.by_name import LibraryNetwork
from explorer.models.libraries.hugging_face import HuggingFace
from explorer.models.request import CODE_SECONDS, ModelRequest
from explorer.models.sample import Sample, initial_weights, manifest
from explorer.models.selected_output import Choice
from explorer.models.weight_file import WeightFile, open_upload
from explorer.params import Registry
from explorer.text.names import clean
from explorer.types import LoadedModel
from explorer.types.aliases import JsonObject
from explorer.types.files import paths

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


SOURCES: Registry[ModelSource] = Registry("model source", (Sample, LibraryNetwork, HuggingFace, WeightFile, Factory))


def samples() -> list[str]:
    """The names of the bundled models, in the order of their manifest.

    Returns:
        Addresses for :func:`load`.

    Examples:
        >>> import explorer as ex
        >>> "digits-resnet" in ex.samples(), len(ex.samples())
        (True, 6)
    """
    return list(manifest())


def load(
    model: str | nn.Module,
    *,
    example: object = None,
    name: str | None = None,
    classes: Sequence[str] | int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    output: Choice | None = None,
    task: str | None = None,
    arch: str | None = None,
    arch_args: JsonObject | None = None,
    trust_code: bool = False,
    code_timeout: float = CODE_SECONDS,
    allow_download: bool = False,
) -> LoadedModel:
    """The model an address names, or a module itself, in eval mode, without gradients, ready to be measured.

    Args:
        model: An address, or a ``torch.nn.Module``, which is copied and never written to.
        example: A batch of a module's inputs: a tensor, a tuple or a dict of tensors.
        name: What a module is called; None: its class.
        classes: Names of the outputs in order, or their number.
        mean: Normalises images, one number a channel.
        std: The same.
        output: Which of several outputs is measured: a key, an attribute, a position, or a function.
        task: What the outputs mean (classes, binary, labels, numbers, tokens, mask, embedding, custom).
        arch: The architecture of a file: a name, ``timm:name``, ``torchvision:name``, or your factory. Without one a
            file opens weights-only (``module`` is None); nothing runs with random weights.
        arch_args: Arguments of that architecture.
        trust_code: Lets ``package.module:factory`` run.
        code_timeout: For so many seconds; 0: for ever.
        allow_download: Lets ids of models be fetched.

    Returns:
        A model that no stage writes to; equal ``identity`` is equal weights and an equal way to run.

    Raises:
        ExplorerError: The address names nothing, the file is damaged, or it does not fit the architecture.

    Examples:
        >>> import explorer as ex, torch
        >>> ex.load(torch.nn.Linear(64, 10), example=torch.zeros(1, 64), name="tiny").n_parameters
        650
    """
    if isinstance(model, nn.Module):
        _refuse_options("an address", arch=arch, arch_args=arch_args)
        return load_module(ModuleRequest(model, example, name, classes, mean, std, output, task))
    if not isinstance(model, str):
        what = f"A {type(model).__name__} is no model."
        raise ExplorerError(what, fix="Give a torch.nn.Module with example=, or the address of a model.")
    _refuse_options("a module", example=example, name=name, classes=classes, mean=mean, std=std, task=task)
    address = _with_output(model.strip(), output)
    return _opened(ModelRequest(address, arch or None, arch_args or {}, trust_code, code_timeout, allow_download))


def _with_output(address: str, output: Choice | None) -> str:
    """The address of an ONNX file with the name of the output that is measured; others take none."""
    if output is None:
        return address
    if not isinstance(output, str) or not paths.with_part(address)[0].lower().endswith(".onnx"):
        _refuse_options("a module, or by name with an ONNX file,", output=output)
    return f"{paths.with_part(address)[0]}#{output}"


def _refuse_options(owner: str, **options: object) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ExplorerError(f"{given[0]}= goes with {owner} alone.", fix=f"Leave {given[0]} out.")


def _opened(request: ModelRequest) -> LoadedModel:
    if request.arch and ":" not in request.arch:
        request.architecture()  # an unknown architecture is refused before any time is spent on the file
    for source in map(SOURCES.get, SOURCES.members):
        if source.owns(request.address):
            return source.load(request)
    raise ExplorerError(
        f"{clean(request.address)!r} is not the address of a model that can be opened.",
        why=f"Known are the bundled models ({', '.join(samples())}), files of weights and your own factories.",
        fix="Write one of: " + "; ".join(source.form for source in SOURCES) + ".",
    )
