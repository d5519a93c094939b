"""Where and when a number was measured."""

from __future__ import annotations

import datetime
import os
import platform
from functools import cache
from pathlib import Path

import torch


@cache
def machine(device: str = "cpu") -> str:
    """The processor (or accelerator), how many cores, the system and torch's version, in one line."""
    cores = os.cpu_count() or 1
    name = f"{_processor()}, {cores} core{'s' * (cores > 1)}"
    if device.startswith("cuda") and torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name(device)}, {name}"
    elif device != "cpu":
        name = f"{device}, {name}"
    return f"{name}, {platform.system()}, torch {torch.__version__}"


def today() -> str:
    """The date, as 2031-12-24."""
    return datetime.date.today().isoformat()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown processor"
