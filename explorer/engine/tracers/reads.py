"""Which parameters a model reads while it runs, outside of the modules that hold them too."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, call


class _Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the parameters among the arguments of every operation, by the memory that they share with their views."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: torch would import its compiler, for seconds, only to keep it off."""
        return False

    def __init__(self, names: dict[int, set[str]], counts: Callable[[], bool]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()
        self._all, self._counts = names, counts

    def __torch_dispatch__(
        self, func: Operation, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        if self._counts():
            for value in tree_leaves((args, kwargs)):
                if isinstance(value, Tensor):
                    self.names |= self._all.get(value.untyped_storage()._cdata, set())
        return func(*args, **(kwargs or {}))


def parameters_read(model: nn.Module, x: Inputs, counts: Callable[[], bool]) -> set[str]:
    """The names of the parameters that operations read in one pass, as long as ``counts`` says so."""
    names: dict[int, set[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(parameter.untyped_storage()._cdata, set()).add(name)
    reads = _Reads(names, counts)
    with reads:
        call(model, x)
    return reads.names
