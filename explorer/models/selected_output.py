"""Which of several outputs of a module is measured: said by key, attribute, position or a function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.text.names import clean, listed

Choice = str | int | Callable[[object], object]


def selecting(module: nn.Module, choice: Choice) -> nn.Module:
    """The same module, whose forward gives the chosen output alone; parameters keep their names."""
    plain = type(module)
    forward = plain.forward

    @functools.wraps(forward)
    def chosen(self: nn.Module, *inputs: object, **named: object) -> object:
        return select(forward(self, *inputs, **named), choice)

    module.__class__ = type(plain.__name__, (plain,), {"forward": chosen, "__module__": plain.__module__})
    return module


def select(outputs: object, choice: Choice) -> object:
    """One of the outputs; ExplorerError, with what there is, where it is not among them."""
    if callable(choice):
        return choice(outputs)
    if isinstance(choice, int):
        values = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
        if isinstance(values, tuple | list) and -len(values) <= choice < len(values):
            return values[choice]
    elif isinstance(outputs, Mapping) and choice in outputs:
        return outputs[choice]
    elif hasattr(outputs, choice):
        return getattr(outputs, choice)
    raise ExplorerError(
        f"The module gives no output {clean(str(choice))!r}.",
        why=f"It gives {described(outputs)}.",
        fix="Give output= as a key, an attribute, a position, or a function of what forward returns.",
    )


def read_by_default(outputs: object) -> object:
    """What is meant where nobody chose: the output alone, or ``logits`` of several, else the first."""
    if isinstance(outputs, Mapping):
        return outputs.get("logits", next(iter(outputs.values()), None))
    if not isinstance(outputs, Tensor) and hasattr(outputs, "logits"):
        return outputs.logits
    return outputs[0] if isinstance(outputs, tuple | list) and outputs else outputs


def described(outputs: object) -> str:
    """What a module returns, in a few words."""
    if isinstance(outputs, Mapping):
        return f"a mapping with {listed([str(key) for key in outputs])}"
    if isinstance(outputs, tuple | list):
        return f"{len(outputs)} outputs in a {type(outputs).__name__}"
    if isinstance(outputs, Tensor):
        return f"a tensor of shape {tuple(outputs.shape)}"
    return f"a {type(outputs).__name__}"
