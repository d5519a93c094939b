"""Where a parameter stands in an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Origin:
    """The name of the tensor in the file, and how a parameter lies in it.

    ``turned``: its two dimensions are turned there. ``blocks``: it is made of these of the ``of`` equal parts that the
    file's tensor has, one after the other; all of it where there are none.
    """

    name: str
    turned: bool = False
    blocks: tuple[int, ...] = ()
    of: int = 1

    def read(self, stored: Tensor) -> Tensor:
        """The parameter, from what stands in the file."""
        if self.blocks:
            parts = stored.reshape(self.of, -1, *stored.shape[2:])[list(self.blocks)]
            return parts.reshape(-1, *stored.shape[2:]).contiguous()
        return (stored.t() if self.turned else stored).contiguous()

    def write(self, parameter: Tensor, stored: Tensor) -> None:
        """Put the parameter into its place in ``stored``, in the type that it has there."""
        value = parameter.detach().cpu().to(stored.dtype)
        if self.blocks:
            parts = stored.view(self.of, -1)
            parts[list(self.blocks)] = value.reshape(len(self.blocks), -1)
        else:
            stored.copy_(value.t() if self.turned else value)
