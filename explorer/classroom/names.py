"""The names that students get: an adjective and an animal, by chance, so that nobody has to give their own."""

from __future__ import annotations

import random
from collections.abc import Collection

from explorer.errors import ExplorerError

_KINDLY = (
    "agile amber brave bright calm clever cosmic curious daring eager fair fancy gentle golden happy honest jolly keen "
    "kind lively lucky mellow merry mighty neat nimble noble patient polite proud quick quiet rapid royal silver "
    "smart steady sunny swift tidy vivid warm wise witty"
)
_FAUNA = (
    "badger beaver bison camel cheetah condor crane dolphin eagle falcon ferret finch fox gecko gibbon heron hippo "
    "ibex jaguar koala lemur lion lynx marmot marten moose newt ocelot orca otter owl panda penguin puffin raven "
    "salmon seal sparrow stork swan tapir tiger toucan turtle walrus wolf wombat zebra"
)
ADJECTIVES, ANIMALS = tuple(_KINDLY.split()), tuple(_FAUNA.split())


def new_name(taken: Collection[str], chance: random.Random | None = None) -> str:
    """A name that is not ``taken``. Raises ExplorerError where all are."""
    free = [name for name in map("-".join, _pairs()) if name not in taken]
    if not free:
        raise ExplorerError("There is no name left.", fix="Begin another class.")
    return (chance or random.SystemRandom()).choice(free)


def _pairs() -> list[tuple[str, str]]:
    return [(adjective, animal) for adjective in ADJECTIVES for animal in ANIMALS]
