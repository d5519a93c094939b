"""How samples are cut into batches."""

from __future__ import annotations

from explorer.engine.layout import FIRST, batches, equal_batches, even_batches
from tests.every import for_each


@for_each("n", [1, 63, 64, 65, 1000])
@for_each("size", [1, 32, 256])
def test_batches_hold_every_sample_once_and_in_order(n: int, size: int) -> None:
    for cut in (batches(n, size), even_batches(n, size), equal_batches(0, n, size)):
        assert [i for part in cut for i in range(n)[part]] == list(range(n))


def test_the_first_batch_is_small_for_a_first_estimate() -> None:
    assert [part.stop - part.start for part in batches(1000, 256)] == [FIRST, 256, 256, 256, 168]
    assert batches(100, 32)[0] == slice(0, 16)


def test_equal_batches_are_nearly_equal_and_as_near_to_the_size_as_whole_ones_come() -> None:
    assert equal_batches(0, 320, 256) == [slice(0, 320)]
    assert equal_batches(320, 1000, 256) == [slice(320, 546), slice(546, 773), slice(773, 1000)]
    assert equal_batches(64, 96, 64) == [slice(64, 96)]
