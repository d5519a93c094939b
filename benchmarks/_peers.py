"""The sensitivity loops of two other libraries, as their sources have them, on samples in memory.

Logging, files and configuration are left out, nothing that computes is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.types import Split

Counts = dict[tuple[str, float], int]  # right answers by parameter and level


def distiller(module: nn.Module, split: Split, levels: Sequence[float], batch_size: int) -> Iterator[Counts]:
    """One layer's cells at a time.

    Source: Distiller, ``distiller/sensitivity.py`` (``perform_sensitivity_analysis``, group
    "element") and ``distiller/thresholding.py`` (``create_mask_level_criterion``). For each
    weight of 2 or 4 dimensions the model is copied once; for each level the ``topk`` smallest
    magnitudes give a threshold, the mask is made by comparing with it, and the whole set is
    evaluated: top-1, top-5 and loss, as its ``test`` does.
    """
    for name, weight in module.state_dict().items():
        if weight.dim() not in (2, 4):
            continue
        copied = copy.deepcopy(module)
        found: Counts = {}
        for level in levels:
            parameter = copied.get_parameter(name)
            lowest, _ = torch.topk(parameter.abs().view(-1), int(level * parameter.numel()), largest=False, sorted=True)
            mask = torch.gt(torch.abs(parameter), lowest[-1]).type(parameter.type())
            parameter.data.mul_(mask)
            found[name, level] = _distiller_test(copied, split, batch_size)
        yield found


def _distiller_test(module: nn.Module, split: Split, batch_size: int) -> int:
    module.eval()
    right, losses = 0, []
    with torch.no_grad():
        for x, y in zip(split.x.split(batch_size), split.y.split(batch_size), strict=True):  # type: ignore[union-attr]
            output = module(x)
            losses.append(functional.cross_entropy(output, y).item())
            five = output.detach().topk(min(5, output.shape[1]), 1, True, True)[1]
            correct = five == y.unsqueeze(1)
            right += int(correct[:, 0].sum())
            int(correct.any(dim=1).sum())
    return right


def nni(module: nn.Module, split: Split, levels: Sequence[float], batch_size: int) -> Iterator[Counts]:
    """One layer's cells at a time; before the first layer the baseline.

    Source: NNI, ``nni/compression/pytorch/utils/sensitivity_analysis.py``
    (``SensitivityAnalysis.analysis``, prune type "fine-grained") and its level pruner. Only
    convolutions are analysed; the pruned layer's wrapper multiplies weight and mask at each
    forward pass; weights are restored after each layer. The validation function is the
    user's: accuracy here.
    """
    original = copy.deepcopy(module.state_dict())
    worked = copy.deepcopy(module)
    _accuracy(worked, split, batch_size)
    for name, layer in worked.named_modules():
        if not isinstance(layer, nn.Conv2d):
            continue
        found: Counts = {}
        for level in sorted(levels):
            weight = layer.weight.data
            magnitudes = weight.abs()
            threshold = torch.topk(magnitudes.view(-1), int(weight.numel() * level), largest=False)[0].max()
            mask = torch.gt(magnitudes, threshold).type_as(weight)
            handle = layer.register_forward_pre_hook(_masking(mask))
            found[f"{name}.weight", level] = _accuracy(worked, split, batch_size)
            handle.remove()
        worked.load_state_dict(original)
        yield found


def _masking(mask: Tensor) -> Callable[[nn.Module, object], None]:
    def apply(layer: nn.Module, _inputs: object) -> None:
        layer.weight.data = layer.weight.data.mul_(mask)  # type: ignore[union-attr, operator]

    return apply


def _accuracy(module: nn.Module, split: Split, batch_size: int) -> int:
    module.eval()
    right = 0
    with torch.no_grad():
        for x, y in zip(split.x.split(batch_size), split.y.split(batch_size), strict=True):  # type: ignore[union-attr]
            right += int((module(x).argmax(dim=1) == y).sum())
    return right
