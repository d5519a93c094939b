"""Networks that load weights in a way of their own: hooks that translate names, and state that is no tensor."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from torch import Tensor, nn

from explorer.text.names import listed
from explorer.types.aliases import JsonObject

EXTRA = "_extra_state"


def tensors_in_state(module: nn.Module) -> dict[str, Tensor]:
    """The state dict without what is no tensor."""
    return {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def extra_states(module: nn.Module, stored: JsonObject) -> tuple[dict[str, object], list[str]]:
    """What the module stores beside its tensors, from the file where that holds it, else as it is now; and a note."""
    state: dict[str, object] = dict(module.state_dict())
    own = {name: value for name, value in state.items() if not isinstance(value, Tensor) and name.endswith(EXTRA)}
    read = {
        name: next(stored[key] for key in stored if key == name or key.endswith(f".{name}"))
        for name in own
        if any(key == name or key.endswith(f".{name}") for key in stored)
    }
    absent = [name for name in own if name not in read]
    note = f"The file holds no plain {listed(absent)}: what the module itself has is used."
    return {**own, **read}, [note] if absent else []


def taken_its_own_way(module: nn.Module, tensors: Mapping[str, Tensor], stored: JsonObject) -> list[str] | None:
    """Let the module's own load hooks take the tensors; what to say of it, or None where it has none or refuses."""
    if not any(map(_is_own, module.modules())):
        return None
    extra, noted = extra_states(module, stored)
    first = {name.partition(".")[0] for name in tensors}
    shorter = {name.partition(".")[2]: tensor for name, tensor in tensors.items()}
    for state in (tensors, shorter) if len(first) == 1 and "" not in shorter else (tensors,):
        try:
            module.load_state_dict({**extra, **state}, strict=True)
        except (Exception, SystemExit):  # the user's own hooks may raise anything; the names are compared instead
            logging.getLogger(__name__).exception("The module does not take the weights by its own hooks.")
        else:
            return ["The network's own load hooks translated the names in the file.", *noted]
    return None


def _is_own(part: nn.Module) -> bool:
    """Whether a part translates a state dict before it takes it; torch's own classes know older names of theirs."""
    own = type(part)._load_from_state_dict is not nn.Module._load_from_state_dict
    return bool(part._load_state_dict_pre_hooks) or (own and not type(part).__module__.startswith("torch."))
