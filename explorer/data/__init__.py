"""What a model is evaluated on: one file per source, one registry, one address for each.

``digits`` · ``topics`` · ``folder:PATH`` · ``npz:PATH`` · ``csv:PATH`` · ``text:PATH`` · ``hf:PATH`` · ``none``
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import ClassVar, Protocol, Unpack

from explorer.data.arrow_folder import ArrowFolder
from explorer.data.at_hand import ADDRESS, from_objects
from explorer.data.class_names import named
from explorer.data.csv_table import Csv
from explorer.data.digits import Digits
from explorer.data.folder import Folder
from explorer.data.generated import Generated
from explorer.data.language.texts import Texts
from explorer.data.npz import Npz
from explorer.data.own_tasks import stated
from explorer.data.prefix import first_samples, how_many
from explorer.data.request import DataKeywords, DataOptions, DataRequest, numbers, shares, square, stated_task
from explorer.data.topics import Topics
from explorer.errors import ExplorerError
from explorer.params import Registry
from explorer.params.options import options_from
from explorer.types import Dataset, LoadedModel
from explorer.types.inputs import sample_shape


class DataSource(Protocol):
    """Turns an address ``key`` or ``key:place`` into a dataset."""

    key: ClassVar[str]
    form: ClassVar[str]

    def load(self, request: DataRequest) -> Dataset:
        """The dataset that ``request.place`` names; raises ExplorerError."""
        ...


SOURCES: Registry[DataSource] = Registry(
    "data source", (Digits, Topics, Folder, Npz, Csv, Texts, ArrowFolder, Generated)
)


@options_from(DataOptions)
def load(
    source: object,
    *,
    model: LoadedModel | None = None,
    **keywords: Unpack[DataKeywords],
) -> Dataset:
    """The dataset an address names, or of what is at hand, each split in a fixed, shuffled, stratified order.

    Args:
        source: An address; ``(inputs, targets)`` as tensors, arrays or tables; inputs alone; a ``Dataset`` or a
            ``DataLoader`` of torch; or a dict with fit, tune and test of these.
        model: Tells the size, the channels and the normalisation its weights were trained with.
        size: The edge of images in pixels, in the place of the model's.
        mean: One number, or one a channel, in the place of the model's.
        std: The same.
        splits: "fit/tune/test" as shares, for data not divided yet.
        seed: Of the shuffling and the division.
        task: What targets are (classes, binary, labels, numbers, tokens, mask, custom), or that outputs are vectors
            (embedding); None: guessed, and said.
        classes: The names of the classes, or their number.
        samples: At most so many of tune and of test: the first of their stratified order, a fair part. All of fit
            stay. It is said, and counts as other data.

    Returns:
        A dataset; ``splits`` has each :class:`Split` by name, inputs as ``(n, ...)``, targets as the task says.

    Raises:
        ExplorerError: The address names nothing, or what is there cannot be used.

    Examples:
        >>> import explorer as ex, torch
        >>> data = ex.load_data((torch.zeros(8, 4), torch.arange(8) % 2), splits="0.5/0.25/0.25")
        >>> {name: len(split) for name, split in data.splits.items()}
        {'fit': 4, 'tune': 2, 'test': 2}
    """
    if isinstance(source, Dataset):
        return source
    asked = DataOptions(**keywords)
    address = source.strip() if isinstance(source, str) else ADDRESS
    request = DataRequest(
        address=address,
        place=address.partition(":")[2],
        model=model,
        size=square(asked.size),
        mean=numbers("mean", asked.mean),
        std=numbers("std", asked.std),
        splits=shares(asked.splits),
        seed=asked.seed,
        task=stated_task(asked.task or (None if model is None or address == "none" else model.meta.get("task"))),
    )
    dataset = stated(_read(source, request), request.task)
    if model is not None:
        _check_fit(dataset, model)
    if asked.classes is not None:
        dataset = named(dataset, asked.classes)
    n = how_many(asked.samples)
    if n is not None:
        dataset = first_samples(dataset, n)
    options = {name: value for name, value in asdict(asked).items() if value != getattr(DataOptions, name)}
    return replace(dataset, options=options) if options else dataset


def _read(source: object, request: DataRequest) -> Dataset:
    if not isinstance(source, str):
        return from_objects(source, request)
    key = request.address.partition(":")[0]
    if key not in SOURCES.members:
        raise ExplorerError(
            f"{source!r} is not an address of data.",
            fix="Write one of: " + ", ".join(s.form for s in SOURCES) + ".",
        )
    return SOURCES.get(key).load(request)


def _check_fit(dataset: Dataset, model: LoadedModel) -> None:
    """Refuse data that the model cannot be run on, or whose classes it cannot tell apart."""
    n_classes = None if model.n_classes is None else max(2, model.n_classes)  # one output tells two apart
    if n_classes is not None and len(dataset.classes) > n_classes:
        raise ExplorerError(
            f"{dataset.address} has {len(dataset.classes)} classes, {model.address} tells {n_classes} apart.",
            fix="Choose the data this model was trained for; if labels are numbers to predict, state task numbers.",
        )
    shape = None if model.example is None else sample_shape(model.example)
    shapes = dict.fromkeys(sample_shape(split.x) for split in dataset.splits.values())
    if shape is not None and set(shapes) - {shape}:
        raise ExplorerError(
            f"{dataset.address} holds inputs of shape {next(each for each in shapes if each != shape)}.",
            why=f"{model.address} takes inputs of shape {shape}.",
            fix="Give another size, or choose the data this model was trained for.",
        )
