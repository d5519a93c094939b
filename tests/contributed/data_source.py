"""A data source as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.data.digits import Digits
from explorer.data.request import DataRequest
from explorer.types import Dataset


@dataclass(frozen=True)
class Mirrored:
    """The bundled digits, seen in a mirror."""

    key: ClassVar[str] = "mirrored"
    form: ClassVar[str] = "mirrored"

    def load(self, request: DataRequest) -> Dataset:
        digits = Digits().load(replace(request, address="digits"))
        splits = {name: replace(split, x=split.x.flip(-1)) for name, split in digits.splits.items()}
        return replace(digits, address=request.address, splits=splits, digest="digits in a mirror")
