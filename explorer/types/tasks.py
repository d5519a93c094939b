"""What a model is for, as its user states it."""

from __future__ import annotations

from typing import Literal, get_args

StatedTask = Literal["classes", "binary", "labels", "numbers", "tokens", "mask", "embedding", "custom"]
"""One class of several; class 1 or not, by one output; several labels at once, each present or not; numbers;
the next token; a class for each place of a picture; a vector that stands for the input; or whatever the user's own
metric makes of outputs and targets."""
STATED_TASKS: tuple[StatedTask, ...] = get_args(StatedTask)
