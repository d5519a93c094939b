"""The user's own installed code: ``package.module:factory`` makes the module."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import nn

from explorer.errors import ExplorerError
from explorer.models.assemble import Weights, conversions, findings, pour
from explorer.models.matrices import matrices
from explorer.models.own_module import OwnModule, opened
from explorer.models.own_trial import tried
from explorer.models.plain_weights import made_plain
from explorer.models.request import ModelRequest
from explorer.models.unsteady import disagreements
from explorer.models.usable import is_empty
from explorer.text.names import clean
from explorer.types import Finding, LoadedModel, tensors_digest
from explorer.types.aliases import JsonDict

PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
RESERVED = {"hf", "timm", "torchvision", "upload", "http", "https"}


@dataclass(frozen=True)
class Factory:
    """Calls a function of the user's that returns a module with its weights.

    The module says what it takes: ``module.input_shape = (3, 32, 32)`` (one input without the batch),
    or ``module.example``, a batch of it (a tensor, a tuple or a dict of tensors); ``module.n_classes``
    is counted from its output when absent. Optional: ``module.mean``, ``module.std`` and
    ``module.classes`` (the names of its classes, in order). With a shape alone, noise is tried as
    input first, then whole numbers where the module embeds words.
    As this runs code, it works from the command line and from Python only.
    """

    key: ClassVar[str] = "factory"
    form: ClassVar[str] = "package.module:factory (your own installed code)"

    def owns(self, address: str) -> bool:
        """Whether the address looks like module:function."""
        return bool(PATTERN.fullmatch(address)) and address.partition(":")[0] not in RESERVED

    def load(self, request: ModelRequest) -> LoadedModel:
        """The module the factory returns, with the weights the factory gave it; weights alone where it takes more."""
        own, meta = self._own(request.address, request)
        if is_empty(own.module):
            why, fix = "Its tensors are on the meta device.", "Load its weights in the factory."
            raise ExplorerError(f"{request.address} returned a module without numbers.", why=why, fix=fix)
        folding = made_plain(own.module)
        tensors = {**dict(own.module.named_parameters()), **dict(own.module.named_buffers())}
        weights = {name: p.detach() for name, p in own.module.named_parameters()}
        model = LoadedModel(
            address=request.address,
            module=own.module,
            weights=weights,
            digest=tensors_digest(tensors),
            example=own.example,
            n_classes=own.n_classes,
            repairs=(*conversions(own.dtypes), *folding),
            findings=(*findings({name: tensor.detach() for name, tensor in tensors.items()}), *_unsteady(own)),
            meta={"source": "factory", "label": request.address, **meta, "dtypes": dict(own.dtypes)},
            code_seconds=request.code_timeout or None,
            matrices=matrices(own.module, own.example),
        )
        return _runnable(model, own)

    def pour(self, request: ModelRequest, weights: Weights) -> LoadedModel:
        """A file's weights in the module that the factory named as ``arch`` returns."""
        own, meta = self._own(str(request.arch), request)
        model = pour(weights, own.module, meta, own.example, own.n_classes)
        return _runnable(replace(model, code_seconds=request.code_timeout or None), own)

    def _own(self, address: str, request: ModelRequest) -> tuple[OwnModule, JsonDict]:
        if not request.trust_code:
            raise ExplorerError(
                f"{clean(address)!r} runs code.",
                why="Opening it would import and call that function.",
                fix="If it is your own: in Python add trust_code=True, on the command line --trust-code.",
            )
        tried(address, request.arch_args, request.code_timeout)
        own = opened(address, request.arch_args)
        shape = own.input_shape
        meta: JsonDict = {"arch": address, "arch_args": dict(request.arch_args), "input_shape": list(shape) or None}
        meta["size"] = shape[-1] if len(shape) == 3 else None
        meta |= {name: list(getattr(own.module, name)) for name in ("mean", "std") if _is_numbers(own.module, name)}
        if names := _class_names(own.module):
            meta["classes"] = names
        return own, meta


def _runnable(model: LoadedModel, own: OwnModule) -> LoadedModel:
    """The model, or its weights alone where it cannot be run here."""
    if own.why_not is not None or own.example is None:
        named = {name for name, _ in own.module.named_parameters(remove_duplicate=False)}
        buffers = {name: tensor for name, tensor in own.module.state_dict().items() if name not in named}
        return replace(model, module=None, example=None, why_not_runnable=own.why_not, buffers=buffers)
    return model


def _unsteady(own: OwnModule) -> tuple[Finding, ...]:
    return () if own.example is None else disagreements(own.module, own.example)


def _is_numbers(module: nn.Module, name: str) -> bool:
    value = getattr(module, name, None)
    return isinstance(value, tuple | list) and bool(value) and all(isinstance(v, int | float) for v in value)


def _class_names(module: nn.Module) -> list[str]:
    stated = getattr(module, "classes", None)
    names = list(stated) if isinstance(stated, tuple | list) else []
    return names if all(isinstance(name, str) for name in names) else []
