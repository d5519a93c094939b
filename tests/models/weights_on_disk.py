"""Small files of weights that tests write, and what every refusal must look like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models import ARCHITECTURES

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RESNET20 = SHARED / "resnet20-12fca82f.th"
CIFAR = SHARED / "cifar10-test-2000"
WHY_SKIPPED = "../shared/data is not beside the project"


def mlp_state(seed: int = 0) -> dict[str, Tensor]:
    """The random weights of a digits-mlp."""
    torch.manual_seed(seed)
    return dict(ARCHITECTURES.get("digits-mlp").build().state_dict())


def raw_safetensors(header: Any, body: bytes = b"") -> bytes:
    """A safetensors file from a header (an object, or its text) and the numbers."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return len(text).to_bytes(8, "little") + text + body


def assert_plain(error: ExplorerError) -> None:
    """One plain sentence after another: what, why, how to mend it; nothing of torch's own words."""
    text = str(error)
    assert error.what.endswith(".")
    assert error.fix.endswith(".")
    for banned in ("weights_only", "Traceback", "\x1b", "\n", "pickle", "torch.serialization", "file an issue"):
        assert banned not in text, banned
    assert len(text) < 700
