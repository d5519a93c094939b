"""Calling a network: what goes in, what comes out, and whether there are classes to learn from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError, Refusal
from explorer.types import LoadedModel
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs, moved


def runnable(model: LoadedModel) -> nn.Module:
    """The network itself, which nobody may write to. Raises ExplorerError for a model opened weights-only."""
    if model.module is None:
        raise ExplorerError("This model cannot be run.", why=model.why_not_runnable or "", fix="Give its architecture.")
    return model.module


def fitting(x: Inputs, module: nn.Module) -> Inputs:
    """The samples on the network's device, in its dtype if they are numbers with a point."""
    parameters = list(module.parameters())
    if not parameters:
        return x
    dtype = next((p.dtype for p in parameters if p.is_floating_point()), None)
    return moved(x, parameters[0].device, dtype)


def output_of(returned: object) -> GraphValue:
    """What is meant in what a network returns: it alone, or the first or ``logits`` of several."""
    if isinstance(returned, dict):
        return returned.get("logits", next(iter(returned.values()), None))
    if not isinstance(returned, Tensor) and hasattr(returned, "logits"):
        return returned.logits
    return returned[0] if isinstance(returned, tuple | list) and returned else returned


def class_scores(returned: object) -> Tensor:
    """The (n, classes) scores in what a network returns, with their gradient. Raises ExplorerError for all else."""
    scores = output_of(returned)
    if not isinstance(scores, Tensor) or scores.dim() != 2:
        raise ExplorerError("The model gives no row of class scores for each sample.", fix="Choose a classifier.")
    return two_scores(scores)


def two_scores(scores: Tensor) -> Tensor:
    """(n, 1) logits of class 1 as the scores (n, 2) of two classes with the same probabilities; else as they are.

    The softmax of (0, z) is the sigmoid of z, and its first choice is class 1 where z > 0.
    """
    if scores.dim() != 2 or scores.shape[1] != 1:
        return scores
    return torch.cat([torch.zeros_like(scores), scores], dim=1)


def are_tokens(labels: Tensor) -> bool:
    """Whether these are the tokens of texts: (n, length) whole numbers."""
    return labels.dim() == 2 and not labels.is_floating_point() and labels.dtype != torch.bool


def why_no_classes(labels: Tensor | None) -> Refusal | None:
    """Why cross entropy makes no sense of these labels, in a sentence; None where it does, or there are none."""
    if labels is None or (labels.dim() == 1 and not labels.is_floating_point()):
        return None
    kind = "numbers" if labels.is_floating_point() else "several for each sample"
    return Refusal(f"The labels are {kind}; cross entropy takes one class for each sample.")
