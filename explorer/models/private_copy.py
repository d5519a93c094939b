"""A module of the user's as a copy of our own, with plain weights: what happens to one does not touch the other."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from explorer.models.plain_weights import made_plain
from explorer.models.usable import failed
from explorer.text.names import listed
from explorer.types.tensors import held_tensors

_WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}


def private_copy(module: nn.Module, label: str) -> tuple[nn.Module, list[str]]:
    """The module in eval mode on the processor, sharing no tensor with the original, and what was changed in it.

    Wrappers of torch.compile and of parallel training are taken off. Weights that are computed from other tensors in
    each pass (parametrizations, weight norm, spectral norm, masks of torch.nn.utils.prune) become plain ones with the
    same values. Raises ExplorerError for a module that cannot be copied.
    """
    inner, repairs = _unwrapped(module)
    memo: dict[int, object] = {id(tensor): _own(tensor) for tensor in held_tensors(inner)}
    try:
        mine = copy.deepcopy(inner, memo)
    except (Exception, SystemExit) as error:
        fix = "Let it hold nothing that copy.deepcopy cannot copy."
        raise failed(f"{label} cannot be copied, and the original is never written to.", error, fix) from error
    devices = {str(tensor.device) for tensor in mine.state_dict().values()} - {"cpu"}
    mine = mine.to("cpu").eval()
    repairs += [f"It was on {listed(sorted(devices))}; the copy is on the processor."] if devices else []
    repairs += made_plain(mine)
    mine.requires_grad_(False)
    return mine, repairs


def _unwrapped(module: nn.Module) -> tuple[nn.Module, list[str]]:
    repairs = []
    while (attribute := _WRAPPERS.get(type(module).__name__)) in module._modules:
        repairs.append(f"The wrapper {type(module).__name__} was taken off.")
        module = module.get_submodule(str(attribute))
    return module, repairs


def _own(tensor: Tensor) -> Tensor:
    mine = tensor.detach().clone()
    return nn.Parameter(mine, requires_grad=False) if isinstance(tensor, nn.Parameter) else mine
