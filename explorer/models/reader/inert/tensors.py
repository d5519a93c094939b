"""Tensors out of raw storages, every one of them inside its storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.models.reader.formats import SAVE_AGAIN
from explorer.models.reader.inert.stubs import Stub
from explorer.types.files.reading.refusal import RefusedError

BROKEN = RefusedError("It is damaged: a tensor in it does not lie within what the file holds.", SAVE_AGAIN)
# The classes of typed storages by their names, as pickles have them.
STORAGES = {
    **{"FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16},
    **{"BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32},
    **{"ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool},
    **{"ComplexFloatStorage": torch.complex64, "ComplexDoubleStorage": torch.complex128, "UntypedStorage": torch.uint8},
    **{"QInt8Storage": torch.int8, "QUInt8Storage": torch.uint8, "QInt32Storage": torch.int32},
}


@dataclass(eq=False)
class Storage:
    """Numbers of a file, of one type; ``read`` gives their bytes."""

    dtype: torch.dtype
    read: Callable[[], bytes]
    _bytes: Tensor | None = None

    def as_type(self, dtype: torch.dtype) -> Tensor:
        """All of it, as numbers of a type."""
        if self._bytes is None:
            raw = bytearray(self.read())
            self._bytes = torch.frombuffer(raw, dtype=torch.uint8) if raw else torch.empty(0, dtype=torch.uint8)
        width = dtype.itemsize
        return self._bytes[: self._bytes.numel() // width * width].view(dtype)


@dataclass(eq=False)
class Later:
    """A tensor that is made once all has been read: in old files storages come after the objects."""

    storage: object
    offset: object
    size: object
    stride: object
    dtype: torch.dtype | None = None
    quantizer: object = None

    def tensor(self) -> Tensor:
        """The tensor; RefusedError where it does not lie within its storage."""
        size, stride = _whole(self.size), _whole(self.stride)
        if not isinstance(self.storage, Storage) or type(self.offset) is not int or len(size) != len(stride):
            raise BROKEN
        numbers = self.storage.as_type(self.dtype or self.storage.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if self.offset < 0 or (0 not in size and last >= numbers.numel()):
            raise BROKEN
        view = numbers.as_strided(size, stride, self.offset) if 0 not in size else numbers.new_empty(size)
        return view if self.quantizer is None else _dequantized(view, self.quantizer)


def _whole(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple | list) or len(value) > 16 or any(type(n) is not int or n < 0 for n in value):
        raise BROKEN
    return tuple(value)


def _dequantized(numbers: Tensor, quantizer: object) -> Tensor:
    """The numbers that quantized ones stand for: (q - zero point) x scale, for all or for each index of one axis."""
    if not isinstance(quantizer, tuple) or len(quantizer) not in (3, 4):
        raise BROKEN
    scale, zero = (value.tensor() if isinstance(value, Later) else value for value in quantizer[1:3])
    if isinstance(scale, float) and type(zero) is int:
        return (numbers.to(torch.int32) - zero).float() * scale
    axis = quantizer[3] if len(quantizer) == 4 else None
    if not (isinstance(scale, Tensor) and isinstance(zero, Tensor) and type(axis) is int and 0 <= axis < numbers.dim()):
        raise BROKEN
    shape = [-1 if dim == axis else 1 for dim in range(numbers.dim())]
    if scale.numel() != numbers.shape[axis] or zero.numel() != numbers.shape[axis]:
        raise BROKEN
    return ((numbers.double() - zero.double().view(shape)) * scale.double().view(shape)).float()


def rebuilt(storage: object, offset: object, size: object, stride: object, *_: object) -> Later:
    """In the place of ``_rebuild_tensor`` and its next version."""
    return Later(storage, offset, size, stride)


def rebuilt_with_type(*values: object) -> object:
    """In the place of the version that says its type."""
    if len(values) < 7:
        raise BROKEN
    storage, offset, size, stride = values[:4]
    return Later(storage, offset, size, stride, dtype_of(values[6]))


def rebuilt_quantized(*values: object) -> object:
    """In the place of the version for quantized tensors."""
    if len(values) < 5:
        raise BROKEN
    storage, offset, size, stride, quantizer = values[:5]
    return Later(storage, offset, size, stride, None, quantizer)


def rebuilt_parameter(data: object, *_: object) -> object:
    """A parameter is the tensor in it."""
    return data


def rebuilt_from_type(function: object, _kind: object, args: object, *_: object) -> object:
    """A tensor of a subclass is rebuilt as the tensor that it is."""
    plain = function in (rebuilt, rebuilt_with_type, rebuilt_parameter, rebuilt_quantized)
    return function(*args) if plain and callable(function) and isinstance(args, tuple) else Stub()


def dtype_of(value: object) -> torch.dtype | None:
    """The type of numbers that a stand-in is named after; None for anything else."""
    name = getattr(value, "origin", "").removeprefix("torch.")
    dtype = getattr(torch, name, None) if name.isidentifier() else None
    return dtype if isinstance(dtype, torch.dtype) else None


REBUILDERS: dict[tuple[str, str], Callable[..., object]] = {
    ("torch._utils", "_rebuild_tensor"): rebuilt,
    ("torch._utils", "_rebuild_tensor_v2"): rebuilt,
    ("torch._utils", "_rebuild_tensor_v3"): rebuilt_with_type,
    ("torch._utils", "_rebuild_qtensor"): rebuilt_quantized,
    ("torch._utils", "_rebuild_parameter"): rebuilt_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuilt_parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): rebuilt_from_type,
}
