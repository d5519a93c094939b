"""One line for people who have a module and want a pruned one."""

from __future__ import annotations

from torch import nn

from explorer import models
from explorer.analysis.arguments import given_data, given_spec
from explorer.errors import ExplorerError
from explorer.models.given_module import weights_of
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.slicing import sliced
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonObject


def prune(
    module: nn.Module,
    spec: PruneSpec | JsonObject | str,
    data: object = None,
    *,
    example: object = None,
    remove: bool = False,
) -> nn.Module:
    """A new module with the weights that ``spec`` prunes set to zero; ``module`` itself stays as it is.

    The result can be trained: its zeros are then trained too, so use a recovery to hold them.

    Args:
        module: Any ``torch.nn.Module``; it is copied.
        spec: The request, or its JSON.
        data: As for :func:`explorer.load_data`, for criteria that look at samples; its first inputs are an example.
        example: A batch of inputs; whole units and ``remove`` need one.
        remove: Cut the units out: the module is smaller, and it is a traced graph.

    Returns:
        A new module in the mode of the given one.

    Raises:
        ExplorerError: The request does not fit the module, or its units cannot be cut out.

    Examples:
        >>> import explorer as ex, torch
        >>> net = torch.nn.Linear(4, 2)
        >>> half = ex.prune(net, ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5"))
        >>> int((half.weight == 0).sum()), int((net.weight == 0).sum())
        (4, 0)
    """
    request = given_spec(spec)
    loaded, dataset = opened(module, data, example)
    if loaded.example is None and (remove or request.granularity.key != "weight"):
        what = "Whole units cannot be pruned without knowing what the module takes."
        raise ExplorerError(what, fix="Give example=, a batch of its inputs.")
    masks_plan = plan(loaded, request, data=dataset)
    pruned = (sliced if remove else masked)(loaded, masks_plan).module
    is_trained = any(parameter.requires_grad for parameter in module.parameters())
    first = next(module.parameters(), None)
    pruned = pruned if first is None else pruned.to(first.device)
    for parameter in pruned.parameters():
        parameter.requires_grad_(is_trained and parameter.is_floating_point())
    return pruned.train(module.training)


def opened(module: nn.Module, data: object, example: object) -> tuple[LoadedModel, Dataset | None]:
    """A module of one's own ready to be looked at, and its data. Without an example its weights alone are known."""
    if not isinstance(module, nn.Module):
        what = f"A {type(module).__name__} is no module."
        raise ExplorerError(what, fix="Give a torch.nn.Module, or use explorer.plan and explorer.masked.")
    if data is None and example is None:
        return weights_of(module), None
    if example is None:
        unread = given_data(data, weights_of(module))
        example = next(iter(unread.splits.values())).x[:1]
    loaded = models.load(module, example=example)
    return loaded, None if data is None else given_data(data, loaded)
