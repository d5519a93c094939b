"""The layer table: every parameter once, with the reason where it cannot be pruned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from explorer.pruning.weight_counts import weight_counts
from explorer.ranking.together import not_finite
from explorer.types import LayerInfo, LayerTable, LoadedModel

_NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)


_BIAS = "A bias: too few numbers to be worth pruning; it goes with its channel."
_LENGTH = "The lengths of weight normalisation: one scale for each channel."


def layer_table(model: LoadedModel) -> LayerTable:
    """Every parameter of the model once (tied weights once, under their first name).

    Args:
        model: The model; it is only read.

    Returns:
        A table of layers by name, in the model's order: kind, shape, number of weights, and why one cannot be pruned.

    Examples:
        >>> import explorer as ex
        >>> table = ex.layers(ex.load("digits-mlp"))
        >>> table.n_prunable, [layer.name for layer in table.prunable]
        (50432, ['fc1', 'fc2', 'fc3'])
    """
    if model.module is None:
        broken = weight_counts(model).n_not_finite
        described = (_Described(name, t, name in broken) for name, t in model.weights.items())
        return LayerTable(tuple(_from_file(parameter, model.weights) for parameter in described))
    owners = {f"{path}.{key}" if path else key: m for path, m in model.module.named_modules() for key in _own(m)}
    aliases: dict[int, list[str]] = {}
    for name, parameter in model.module.named_parameters(remove_duplicate=False):
        aliases.setdefault(id(parameter), []).append(name)
    parameters = dict(model.module.named_parameters())
    broken = not_finite(parameters)
    return LayerTable(
        tuple(
            _from_module(
                _Described(name, parameter, name in broken, tuple(aliases[id(parameter)][1:]), name in model.matrices),
                owners[name],
            )
            for name, parameter in parameters.items()
        )
    )


def layers_of_file(tensors: Mapping[str, Tensor]) -> LayerTable:
    """The layers of a file that cannot be run, from their names, shapes and dtypes alone: meta tensors will do."""
    return LayerTable(tuple(_from_file(_Described(name, tensor, False), tensors) for name, tensor in tensors.items()))


@dataclass(frozen=True)
class _Described:
    """A parameter with what was seen of it; ``broken``: it holds numbers that are none; ``is_matrix``: by its use."""

    name: str
    tensor: Tensor
    broken: bool
    aliases: tuple[str, ...] = ()
    is_matrix: bool = False


def already_zero(model: LoadedModel, layers: LayerTable) -> dict[str, Tensor]:
    """Masks of the prunable weights that are exactly zero before anything is pruned here: True keeps.

    Parameters without a zero have no mask.
    """
    names = {layer.parameter for layer in layers.prunable}
    return {name: mask for name, mask in model.nonzero.items() if name in names}


def _is_bias(key: str) -> bool:
    return key.startswith("bias") or key.endswith("bias")


def _is_length(name: str, beside: Mapping[str, Tensor]) -> bool:
    """Whether this is the length that belongs to a direction: weight_g of weight_v, original0 of original1."""
    pairs = (("_g", "_v"), ("original0", "original1"))
    return any(name.endswith(one) and name.removesuffix(one) + other in beside for one, other in pairs)


def _own(module: nn.Module) -> list[str]:
    return [key for key, value in module._parameters.items() if value is not None]


def _from_file(parameter: _Described, all_of_them: Mapping[str, Tensor]) -> LayerInfo:
    reason = None
    if _is_bias(parameter.name.rpartition(".")[2]):
        reason = _BIAS
    elif parameter.tensor.dim() < 2:
        reason = "A vector (bias, scale or statistic): too few weights to be worth pruning."
    elif _is_length(parameter.name, all_of_them):
        reason = _LENGTH
    return _info(parameter, "tensor", reason)


def _from_module(parameter: _Described, owner: nn.Module) -> LayerInfo:
    path, _, key = parameter.name.rpartition(".")
    reason: str | None = None
    if isinstance(owner, _NORMS):
        reason = "A normalisation layer's scale or shift: it goes with its channel."
    elif _is_bias(key):
        reason = _BIAS
    elif _is_length(parameter.name, dict(owner.named_parameters(path, recurse=False))):
        reason = _LENGTH
    elif parameter.tensor.dim() < 2:
        reason = "A vector: too few weights to be worth pruning."
    elif isinstance(owner, ParametrizationList):
        reason = "It is parametrized: a weight is computed from it, and zeros in it are none in the weight."
    elif "weight" not in key and not parameter.is_matrix:
        reason = f"A free parameter of {type(owner).__name__}, not the weight matrix of a layer."
    return _info(parameter, type(owner).__name__, reason)


def _info(parameter: _Described, kind: str, reason: str | None) -> LayerInfo:
    name = parameter.name
    return LayerInfo(
        name=name.removesuffix(".weight") or name,
        parameter=name,
        kind=kind,
        shape=tuple(parameter.tensor.shape),
        block=block_of(name),
        why_not=reason or _values_forbid(parameter.tensor, parameter.broken),
        aliases=parameter.aliases,
    )


def _values_forbid(tensor: Tensor, broken: bool) -> str | None:
    if tensor.numel() == 0:
        return "It is empty."
    if not tensor.is_floating_point():
        return f"Its numbers are {str(tensor.dtype).removeprefix('torch.')}, not floating point."
    if broken:
        return "It holds NaN or infinite values, so its weights cannot be ranked."
    return None


def block_of(parameter: str) -> str:
    """The group a layer is shown in: the path up to its first number, else its first part."""
    path = parameter.split(".")[:-1]
    parts = path[:-1] or path
    for position, part in enumerate(parts):
        if part.isdigit():
            return ".".join(parts[: position + 1])
    return parts[0] if parts else parameter
