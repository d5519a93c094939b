"""What flows out of each layer: distributions channel by channel, dense and under a setting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.arguments import given_data, given_model, given_spec, split_of
from explorer.analysis.layer_activations.collecting import statistics
from explorer.analysis.layer_activations.result import ActivationStatistics
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import one_of, part, spec, whole
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel, SplitName
from explorer.types.aliases import JsonObject

SAMPLES = 256


@dataclass(frozen=True)
class LayerActivationsRequest(TaskRequest[ActivationStatistics]):
    """Run the first ``n_samples`` of ``split`` through the dense network and the one that ``spec`` leaves of it."""

    kind: ClassVar[str] = "layer_activations"
    unit: ClassVar[str] = "results"

    spec: PruneSpec = part(spec, PruneSpec())
    split: SplitName = part(one_of(("fit", "tune")), "fit")
    n_samples: int = part(whole(1), SAMPLES)

    def title(self, context: Context) -> str:
        """ "activations of digits-cnn"."""
        return f"activations of {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """One. Raises ExplorerError for a model that cannot run, and data without this split."""
        runnable(context.model)
        split_of(context.dataset, self.split)
        return 1

    def run(self, context: Context) -> Iterator[ActivationStatistics]:
        """The one result."""
        self.size(context)
        plan = make_plan(context.model, self.spec, context.scores(self.spec), context.dataset)
        yield statistics(context.model, split_of(context.dataset, self.split).first(self.n_samples), plan)


def usual_split(dataset: Dataset) -> SplitName:
    """The split whose activations are looked at where none is named: fit where there is one, else tune."""
    return "fit" if "fit" in dataset.splits else "tune"


def activations(
    model: LoadedModel | str,
    spec: PruneSpec | JsonObject | str | None = None,
    data: Dataset | str | None = None,
    *,
    split: SplitName | None = None,
    n_samples: int = SAMPLES,
) -> ActivationStatistics:
    """How the activations of every layer are distributed, channel by channel, in the dense network and under ``spec``.

    Of a layer that a nonlinearity reads, what comes out of that is counted (``after`` names it); of another its own
    outputs. A layer that runs neither as a linear layer nor as a convolution has none.

    Args:
        model: A model or its address; it is never written to.
        spec: A request, or its JSON; None prunes nothing, and there is the dense network alone.
        data: A dataset or its address; None: what the model was made for.
        split: "fit" or "tune"; None: fit where there is one.
        n_samples: How many samples, the first of the split.

    Returns:
        An ``ActivationStatistics``: for each layer a ``LayerActivations`` whose ``dense`` and ``pruned`` hold of each
        channel the counts in ``edges``, the zeros, mean and standard deviation, and the samples that excite it most.

    Raises:
        ExplorerError: The model cannot run, or the data have no such split.

    Examples:
        >>> import explorer as ex
        >>> layers = ex.activations("digits-mlp", ex.PruneSpec(allocation="global:sparsity=0.5"), n_samples=64)
        >>> layers["fc1"].after, layers["fc1"].dense.n_channels, layers["fc1"].dense.n
        ('relu', 256, 64)
        >>> 0 < layers["fc1"].dense.zero_share < 1
        True
    """
    loaded = given_model(model)
    dataset = given_data(data, loaded)
    request = LayerActivationsRequest(given_spec(spec), split or usual_split(dataset), n_samples)
    return next(request.run(Context(loaded, dataset)))
