"""Architectures by name: what a file of weights is poured into. One file per member."""

from __future__ import annotations

from typing import ClassVar, Protocol

from torch import nn

from explorer.models.architectures.cifar_resnet import (
    CifarResNet20,
    CifarResNet32,
    CifarResNet44,
    CifarResNet56,
    CifarResNet110,
)
from explorer.models.architectures.digits_cnn import DigitsCnn
from explorer.models.architectures.digits_gru import DigitsGru
from explorer.models.architectures.digits_mlp import DigitsMlp
from explorer.models.architectures.digits_resnet import DigitsResNet
from explorer.models.architectures.digits_vit import DigitsVit
from explorer.models.architectures.topics_gpt import TopicsGpt
from explorer.params import Registry


class Architecture(Protocol):
    """A recipe for a module: fields are its parameters, ``build()`` makes it.

    ``input_shape`` is one input without the batch. ``mean`` and ``std`` (one number per
    channel) are the normalisation its published weights were trained with. One that reads tokens
    has ``n_tokens``, how many there are. The module's
    weights are random until a file is poured in: only ``models.load`` hands out modules.
    """

    key: ClassVar[str]
    description: ClassVar[str]
    input_shape: ClassVar[tuple[int, ...]]
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]

    @property
    def n_classes(self) -> int:
        """How many logits come out."""
        ...

    def build(self) -> nn.Module:
        """A new module of this architecture; (n, *input_shape) -> (n, n_classes) logits."""
        ...


ARCHITECTURES: Registry[Architecture] = Registry(
    "architecture",
    (
        DigitsMlp,
        DigitsCnn,
        DigitsResNet,
        DigitsGru,
        DigitsVit,
        TopicsGpt,
        CifarResNet20,
        CifarResNet32,
        CifarResNet44,
        CifarResNet56,
        CifarResNet110,
    ),
)
