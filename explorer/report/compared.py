"""A comparison of models in words and cells, the same on every face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from explorer.analysis.check.parts import PartOfSamples
from explorer.analysis.models_compared.changed import ChangedSample
from explorer.analysis.models_compared.result import ComparedModel, Difference, ModelsCompared
from explorer.analysis.models_compared.worse import WorsePictures
from explorer.metrics.base import FIRST_NAMES
from explorer.text.delta import delta_ends, delta_text, named
from explorer.text.numbers import (
    bytes_counted,
    change,
    count,
    interval,
    level,
    number,
    percent,
    points_between,
    times,
)
from explorer.types import Measurement

NOTHING = "–"
CHANGED_HEAD = (
    "sample",
    "right class",
    "before",
    "after",
    "direction",
    "probability before",
    "probability after",
    "change",
)


def subject(compared: ModelsCompared) -> str:
    """ "3 models on digits, split tune, 450 samples"."""
    n = len(compared.models)
    return f"{n} models on {compared.data['address']}, split {compared.split}, {compared.n:,} samples"


def head(compared: ModelsCompared) -> tuple[str, ...]:
    """What stands over :func:`rows`."""
    score = score_name(compared)
    names = ("model", score, "95 % interval", named(score), "95 % interval of the change", "changed", "loss")
    more = ("time",) if _is_timed(compared) else ()
    return (*names, "sparsity", "file", "MACs", *more)


def score_name(compared: ModelsCompared) -> str:
    """What all are evaluated by, in words."""
    name = compared.models[0].score.name
    return name if name in FIRST_NAMES else name.replace("_", " ")


def rows(compared: ModelsCompared) -> list[tuple[str, ...]]:
    """One row a model."""
    return [_row(model, _is_timed(compared)) for model in compared.models]


def _row(model: ComparedModel, is_timed: bool) -> tuple[str, ...]:
    against, macs = model.against, model.macs
    drop = None if against is None else against.drop
    changed = None if against is None else against.changed
    cells = (
        model.name,
        level(model.score),
        interval(model.score) or NOTHING,
        NOTHING if drop is None else delta_text(drop),
        NOTHING if drop is None else delta_ends(drop) or NOTHING,
        NOTHING if changed is None else percent(changed.value),
        NOTHING if model.loss is None else number(model.loss.value),
        NOTHING if model.sparsity is None else percent(model.sparsity.value),
        bytes_counted(model.size.value),
        NOTHING if macs is None else count(macs.value),
    )
    time = None if against is None else against.time
    return (*cells, NOTHING if time is None else times(time.value)) if is_timed else cells


def _is_timed(compared: ModelsCompared) -> bool:
    return any(model.against is not None and model.against.time is not None for model in compared.models)


def sentences(compared: ModelsCompared) -> Iterator[str]:
    """A line for each model but the first: its answers, its loss, its time, and where the two part."""
    for i, model in enumerate(compared.models):
        if model.against is not None:
            yield f"{model.name}: {' '.join(_about(compared, i, model.against))}"


def _about(compared: ModelsCompared, i: int, against: Difference) -> Iterator[str]:
    if against.changed is not None and not against.changed.value:
        yield "No answer changed."
    elif against.p is not None:
        yield (
            f"{against.lost:,} right answers became wrong, {against.won:,} wrong ones right, {against.other:,} wrong "
            f"ones wrong in another way (McNemar, exact, p = {number(against.p)})."
        )
    drops = compared.drops(i)
    worst = max(drops, key=lambda part: (part.drop, part.lost), default=None)
    if worst is not None and worst.drop > 0:
        yield f"The class {worst.name} loses most: {worst.lost:,} of its {worst.right:,} right answers."
    if against.loss is not None:
        yield f"Loss {_change(against.loss)}."
    if against.time is not None:
        ends = f" ({times(against.time.low)} – {times(against.time.high)})" if against.time.low is not None else ""  # type: ignore[arg-type]
        yield f"{times(against.time.value)} the first one's time{ends}."
    yield _parting(against)


def _change(loss: Measurement) -> str:
    ends = f" ({number(loss.low)} to {number(loss.high)})" if loss.low is not None else ""
    return f"{change(loss.value, loss.unit)}{ends}"


def _parting(against: Difference) -> str:
    compared = [each for each in against.layers if each.difference is not None]
    if against.parts_at is not None:
        return f"Their outputs part at {against.parts_at}."
    return f"The outputs of all {len(compared)} layers are the same." if compared else "No layer of both is comparable."


def class_head(compared: ModelsCompared) -> tuple[str, ...]:
    """What stands over :func:`class_rows`."""
    return ("class", "samples", *(name for i, name in enumerate(compared.names) for name in _names(i, name)))


def _names(i: int, name: str) -> tuple[str, ...]:
    return (name,) if i == 0 else (name, f"change ({i + 1})", f"95 % interval ({i + 1})")


def class_rows(compared: ModelsCompared) -> list[tuple[str, ...]]:
    """One row a class that has samples: the share that is right of each model, and the paired change."""
    counts = [compared.per_class(i) for i in range(len(compared.models))]
    drops = {(i, part.name): part for i in range(1, len(counts)) for part in compared.drops(i)}
    out = []
    for of_class in zip(*counts, strict=True):
        if of_class[0].n:
            name, cells = compared.class_name(of_class[0].index), []
            for i, one in enumerate(of_class):
                cells += [level(one.recall), *(_drop_cells(drops[i, name]) if i else ())]
            out.append((name, count(of_class[0].n), *cells))
    return out


def _drop_cells(part: PartOfSamples) -> tuple[str, str]:
    low, high = part.interval
    return delta_text(Measurement("drop", part.drop, "fraction", "measured")), points_between(-high, -low)


def changed_rows(compared: ModelsCompared, samples: Sequence[ChangedSample]) -> list[tuple[str, ...]]:
    """One row a sample under :data:`CHANGED_HEAD`."""
    return [
        (
            count(sample.index),
            NOTHING if sample.label is None else compared.class_name(sample.label),
            compared.class_name(sample.before),
            compared.class_name(sample.after),
            sample.direction,
            percent(sample.p_before),
            percent(sample.p_after),
            delta_text(Measurement("drop", -sample.change, "fraction", "measured")),
        )
        for sample in samples
    ]


def on_worse(worse: WorsePictures, names: tuple[str, str]) -> str:
    """ "contrast, severity 3, the first 64 pictures: digits-cnn has 60 right, digits-cnn, 80% pruned 41."""
    how = f"{worse.kind}, severity {worse.severity}" if worse.severity else "As they are"
    n, where = len(worse.pair), f"{how}, the first {len(worse.pair):,} pictures"
    if worse.n_right is None:
        return f"{where}: {int((~worse.pair.changed).sum()):,} of {n:,} are answered alike, measured."
    first, other = worse.n_right
    return f"{where}: {names[0]} has {first:,} right, {names[1]} has {other:,} right, measured."


def worse_head(names: tuple[str, str]) -> tuple[str, ...]:
    """What stands over :func:`worse_rows`."""
    return ("right class", *names, f"{names[0]}: probability", f"{names[1]}: probability")


def worse_rows(worse: WorsePictures, compared: ModelsCompared, most: int) -> list[tuple[str, ...]]:
    """One row a picture: both answers, then how probable each model finds its own."""
    labels, sides = worse.pair.labels, (worse.pair.dense, worse.pair.candidate)
    return [
        (
            NOTHING if labels is None else compared.class_name(int(labels[i])),
            *(compared.class_name(int(side.choice[i])) for side in sides),
            *(percent(float(side.confidence[i])) for side in sides),
        )
        for i in range(min(most, len(worse.pair)))
    ]


def tree(compared: ModelsCompared) -> Iterator[str]:
    """Where the models come from, a line a step, what was made of another one indented below it."""
    depth: dict[str, int] = {}
    for node in compared.lineage:
        depth[node.key] = 0 if node.parent is None else depth[node.parent] + 1
        names = ", ".join(compared.names[i] for i in node.models)
        yield f"{'  ' * depth[node.key]}{node.kind}: {node.title}{f'  [{names}]' if names else ''}"


def weight_rows(against: Difference) -> list[tuple[str, ...]]:
    """One row a layer: how many weights are not zero in both, in one alone, in neither."""
    return [
        (each.layer, count(each.n), *((each.why_not, NOTHING, NOTHING, NOTHING) if each.why_not else cells))
        for each in against.weights
        for cells in [tuple(map(count, (each.both, each.only_first, each.only_other, each.neither)))]
    ]


WEIGHT_HEAD = ("layer", "weights", "in both", "only in the first", "only in the other", "in neither")


def facts(compared: ModelsCompared) -> tuple[tuple[str, str], ...]:
    """What makes the comparison reproducible, name by name."""
    looks = () if compared.looks_at_test is None else (("looks at the test split", count(compared.looks_at_test)),)
    versions = ", ".join(f"{name.removesuffix('_version')} {version}" for name, version in compared.versions.items())
    models = [(model.name, _identity(model)) for model in compared.models]
    about = [("data", f"{compared.data['address']}, digest {compared.data['digest']}"), *looks]
    about += [("seed", str(compared.seed)), ("versions", versions), ("machine", compared.machine)]
    return (*models, *about, ("date", compared.date))


def _identity(model: ComparedModel) -> str:
    of = model.identity
    file = "no file" if of.sha256 is None else f"{of.n_bytes or 0:,} B, sha256 {of.sha256}"
    return f"digest {of.digest}, {file}"
