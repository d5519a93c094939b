"""Edits of one model evaluated in groups, all of a group's edits batch by batch."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from itertools import islice

from explorer.engine.edits import Batch, Edit, Walk
from explorer.engine.evaluator import Evaluator
from explorer.engine.layout import even_batches
from explorer.engine.tally import BatchResult, Tallies, per_sample, per_sample_of_each
from explorer.types import Evaluation
from explorer.types.stopping import result

Dense = dict[int, BatchResult]  # the dense model's results, by a batch's first sample
Update = tuple[int, Evaluation]  # which edit, and what is known about it
GROUP_SECONDS = 0.7  # work in a group: results come steadily, and stopping is quick
TOGETHER = 8  # batches whose doubtful samples are decided in one run
PATIENCE = 0.7  # seconds after which partial results are given


def evaluate_edits(
    evaluator: Evaluator,
    edits: Sequence[Edit],
    *,
    may_start: Callable[[int], bool] = lambda index: True,
    per_place: int | None = None,
    walk: Walk | None = None,
) -> Generator[Update, None, None]:
    """Each edit's complete evaluation, in the order in which they begin in the model.

    Where a group takes long its partial evaluations come first. ``wanted`` is asked before
    an edit is started; at most ``per_place`` edits that begin at one place share a group.
    ``walk`` runs them; by default in float32. Stop iterating at any time.
    """
    walk = walk or Walk(evaluator.ready, evaluator.cache.limit)
    if not walk.look_ahead(edits, len(evaluator.split)):
        evaluator.dense()
    dense: Dense = {}
    for group in groups(walk, edits, may_start, per_place):
        yield from _evaluated(evaluator, walk, group, edits, dense)


def groups(
    walk: Walk, edits: Sequence[Edit], may_start: Callable[[int], bool], per_place: int | None
) -> Generator[list[int], None, None]:
    """Edits in the order in which they begin, as many together as take about ``GROUP_SECONDS``.

    Those of a group are released when the next one is asked for.
    """
    program = walk.ready.programs[0]
    queue = deque(sorted((edit.place(program), index) for index, edit in enumerate(edits)))
    pace = GROUP_SECONDS
    while queue:
        size = max(1, int(GROUP_SECONDS / pace))
        group = _next_group(queue, may_start, size, per_place or len(edits), whole_places=walk.full)
        if not group:
            continue
        start = time.perf_counter()
        yield group
        pace = max(1e-5, (time.perf_counter() - start) / len(group))
        for index in group:
            edits[index].release()


def _next_group(
    queue: deque[tuple[int, int]], may_start: Callable[[int], bool], size: int, per_place: int, *, whole_places: bool
) -> list[int]:
    """The next edits; with ``whole_places`` as many as begin where the last one does."""
    group: list[int] = []
    last, n_alike = -1, 0
    while queue:
        place, index = queue[0]
        n_alike = n_alike + 1 if place == last else 1
        if n_alike > per_place or (len(group) >= size and not (whole_places and place == last)):
            break
        last = place
        queue.popleft()
        if may_start(index):
            group.append(index)
    return group


def _evaluated(
    evaluator: Evaluator, walk: Walk, group: Sequence[int], edits: Sequence[Edit], dense: Dense
) -> Generator[Update, None, None]:
    """One group, all of it batch by batch."""
    start = last_shown = time.perf_counter()
    tallies = Tallies(len(evaluator.split), evaluator.batch_size, evaluator.device, evaluator.asked)
    chosen = [edits[i] for i in group]
    upcoming = iter(_tasks(evaluator, walk))
    running: deque[Future[list[BatchResult]]] = deque()
    try:
        for task in islice(upcoming, 1 if walk.learns else evaluator.threads):
            running.append(evaluator.submit(_results, evaluator, walk, chosen, task, dense))
        while running:
            for tallied in result(running.popleft()):
                tallies.add(tallied)
            for task in islice(upcoming, evaluator.threads - len(running)):
                running.append(evaluator.submit(_results, evaluator, walk, chosen, task, dense))
            now = time.perf_counter()
            if running and now - last_shown > PATIENCE:
                yield from zip(group, tallies.evaluations(now - start), strict=True)
                last_shown = time.perf_counter()
    finally:
        for future in running:
            future.cancel()
    seconds = time.perf_counter() - start
    yield from zip(group, tallies.evaluations(seconds), strict=True)


def _tasks(evaluator: Evaluator, walk: Walk) -> list[list[slice]]:
    """Batches that a thread takes together; the first one goes alone where the walk learns from it."""
    parts = even_batches(len(evaluator.split), evaluator.batch_size)
    first = 1 if walk.learns else 0
    size = max(1, min(TOGETHER if walk.learns else 1, -(-(len(parts) - first) // (2 * evaluator.threads))))
    alone = [parts[:1]] if walk.learns else []
    return alone + [parts[at : at + size] for at in range(first, len(parts), size)]


def _results(
    evaluator: Evaluator, walk: Walk, edits: Sequence[Edit], parts: Sequence[slice], dense: Dense
) -> list[BatchResult]:
    """For each of a task's batches the results of all edits; the dense model's are kept in ``dense``."""
    split, results = evaluator.split, []
    batches = [Batch(part.start, split.x[part]) for part in parts]
    for part, batch, outputs in zip(parts, batches, walk.outputs(batches, edits), strict=True):
        labels, targets = (None if of is None else of[part] for of in (split.y, split.targets))
        if part.start not in dense:
            of_walk = walk.dense(batch)
            if of_walk is None:
                dense[part.start] = evaluator.dense_results().at(part)
            else:
                dense[part.start] = per_sample(of_walk, labels, None, evaluator.asked, targets)
        results.append(per_sample_of_each(outputs, labels, dense[part.start], evaluator.asked, targets))
    return results
