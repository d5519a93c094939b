"""The words of the field, each defined once: tooltips, README and lessons take them from here.

Examples:
    >>> import explorer as ex
    >>> ex.terms.term("sparsity").key
    'sparsity'
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.errors import ExplorerError


@dataclass(frozen=True)
class Term:
    """One word, in one or two sentences that fit a tooltip.

    ``synonyms`` are what others call the same thing; ``source`` is where the definition
    comes from, empty where it is this project's own.
    """

    key: str
    name: str
    definition: str
    synonyms: tuple[str, ...] = ()
    source: str = ""


_BLALOCK = "Blalock et al. 2020, arXiv:2003.03033"

TERMS: tuple[Term, ...] = (
    Term(
        "sparsity",
        "Sparsity",
        "Zero weights divided by prunable weights: pruned here, or zero already. 80 % means that one in five is left.",
    ),
    Term("density", "Density", "1 - sparsity: the share of the prunable weights that is left."),
    Term(
        "unit",
        "Unit",
        "What is removed as a whole: one weight, one channel, one head. A unit goes or stays; it is never halved.",
        ("group",),
    ),
    Term(
        "granularity",
        "Granularity",
        "What counts as one unit. Single weights keep accuracy best; whole channels make the network really smaller "
        "and faster.",
        ("structure", "pattern"),
    ),
    Term(
        "criterion",
        "Criterion",
        "How the importance of a unit is computed. Units with the lowest score go first.",
        ("saliency", "score"),
        _BLALOCK,
    ),
    Term(
        "rank_stability",
        "Rank stability",
        "Spearman rank correlation of the scores by two halves of the samples, over all units. 1: other samples would "
        "have given the same order; near 0: chance decides.",
    ),
    Term(
        "magnitude",
        "Magnitude",
        "The absolute value |w| of a weight, or the norm of a unit's weights. The classic criterion: small ones go.",
        ("L1", "L2", "norm"),
        "Han et al. 2015, arXiv:1506.02626",
    ),
    Term(
        "allocation",
        "Allocation",
        "How many units each layer gives up: the same share everywhere, global over the whole model, or a line of "
        "its own for each layer.",
        ("budget distribution",),
    ),
    Term(
        "scope",
        "Scope",
        "Which units compete with one another. Local: those of one layer. Global: those of the whole model, so that "
        "layers end up with different sparsities.",
        (),
        _BLALOCK,
    ),
    Term(
        "threshold",
        "Threshold",
        "The line you drag. Units with a score below it go; their exact number is counted, ties are broken "
        "in index order.",
        ("cut-off",),
    ),
    Term(
        "mask",
        "Mask",
        "One yes or no for each weight: yes keeps it, no makes it zero. Sparsity is counted from masks, so a weight "
        "that was zero before does not count as pruned.",
    ),
    Term(
        "schedule",
        "Schedule",
        "When pruning happens: at once, or in several rounds with training between them.",
        (),
        _BLALOCK,
    ),
    Term(
        "fine_tuning",
        "Fine-tuning",
        "Training what pruning left, on the fit split, with the masks held: what is pruned stays zero.",
        ("retraining",),
        "Han et al. 2015, arXiv:1506.02626",
    ),
    Term(
        "batch_norm_refresh",
        "Batch-norm refresh",
        "The running means and variances of batch norms estimated again on the pruned network; no weight changes.",
        ("recalibration",),
        "Li et al. 2020, arXiv:2007.02491",
    ),
    Term(
        "rewinding",
        "Rewinding",
        "The kept weights go back to what they were before training, or early in it; the mask holds.",
        (),
        "Frankle & Carbin 2019, arXiv:1803.03635",
    ),
    Term(
        "distillation",
        "Distillation",
        "Training towards the outputs of the dense network, softened by a temperature, beside the labels.",
        (),
        "Hinton et al. 2015, arXiv:1503.02531",
    ),
    Term(
        "zero_audit",
        "Zero audit",
        "After each epoch: how many pruned weights are not exactly zero. It must be none.",
    ),
    Term(
        "recipe",
        "Recipe",
        "The steps that a network went through, in order, with every setting and seed; it can be replayed.",
    ),
    Term(
        "lottery_ticket",
        "Lottery ticket",
        "A mask under which the weights from before training reach the accuracy of the dense network once trained.",
        ("winning ticket",),
        "Frankle & Carbin 2019, arXiv:1803.03635",
    ),
    Term(
        "control",
        "Control",
        "What a method must beat before it is worth anything: pruning by chance, and plain magnitude.",
        ("baseline",),
        _BLALOCK,
    ),
    Term(
        "protocol",
        "Protocol",
        "What was done to a network beside pruning: steps, epochs, data, optimiser. Only equal ones are compared.",
        (),
        _BLALOCK,
    ),
    Term(
        "compression_ratio",
        "Compression ratio",
        "All parameters of the model divided by the parameters that are left. It counts parameters, not bytes on disk.",
        (),
        _BLALOCK,
    ),
    Term(
        "quantization",
        "Quantization",
        "Weights as whole numbers of few bits, with one scale for each output channel; int8 takes a quarter of "
        "float32. Simulated: computed in float with the rounded weights.",
        ("int8",),
        "Jacob et al. 2018, arXiv:1712.05877",
    ),
    Term(
        "theoretical_speedup",
        "Theoretical speedup",
        "Multiply-adds of the dense model divided by those that involve a weight that is left. A dense kernel also "
        "multiplies zeros: masks alone make nothing faster.",
        (),
        _BLALOCK,
    ),
    Term(
        "macs",
        "MACs",
        "Multiply-accumulate operations for one input. One MAC is two FLOPs.",
        ("multiply-adds", "multiply-accumulates"),
    ),
    Term(
        "channel",
        "Output channel",
        "One feature map of a convolution or one neuron of a linear layer, with everything that belongs to it: its "
        "weights, its bias and its batch-norm entries.",
        ("filter", "neuron", "feature map"),
        "Li et al. 2017, arXiv:1608.08710",
    ),
    Term(
        "coupled_channels",
        "Coupled channels",
        "Channels that can only go together, because their outputs are added or because a layer passes them on one "
        "by one. One line controls them all.",
        ("dependency group",),
        "Fang et al. 2023, arXiv:2301.12900",
    ),
    Term(
        "locked",
        "Locked layer",
        "A locked layer keeps all its weights, whatever is asked of the model.",
        ("frozen for pruning",),
    ),
    Term("floor", "Floor", "The least sparsity a layer must reach."),
    Term("cap", "Cap", "The greatest sparsity a layer may reach."),
    Term(
        "fit_split",
        "Fit split",
        "Samples for training and calibration. No number on the screen is measured on them.",
        ("training set",),
    ),
    Term(
        "tune_split",
        "Tune split",
        "Samples on which every drag, sweep and scan is measured. Choosing the best of many settings on them "
        "flatters the choice a little.",
        ("validation set",),
    ),
    Term(
        "test_split",
        "Test split",
        "Samples kept locked for the final verdict. Each look at them is counted and shown, because many looks make "
        "it a tune split.",
        ("held-out set",),
    ),
    Term("counted", "Counted", "Exact, by counting: the same on every machine."),
    Term("estimated", "Estimated", "Computed from a formula or a model of the cost, not observed."),
    Term(
        "measured",
        "Measured",
        "Observed by running the model: with the number of samples, a 95 % interval, the machine and the date.",
    ),
    Term(
        "interval",
        "95 % interval",
        "The range of true values that fits what was observed: found this way, 19 of 20 intervals contain the truth. "
        "It narrows with more samples.",
        ("confidence interval",),
        "Wilson 1927, doi:10.1080/01621459.1927.10502953",
    ),
    Term(
        "drop",
        "Δ accuracy",
        "Pruned accuracy minus dense accuracy on the very same samples: negative is worse. Pairing makes its interval "
        "far narrower than that of two separate accuracies. A drop is the same number with the sign turned.",
        ("drop", "accuracy loss", "change"),
    ),
    Term(
        "agreement",
        "Agreement",
        "The share of samples on which the pruned model predicts the same class as the dense one. It needs no labels "
        "and does not say who is right.",
    ),
    Term(
        "sensitivity",
        "Sensitivity",
        "How much accuracy is lost when one layer alone is pruned up to a given sparsity.",
        (),
        "Li et al. 2017, arXiv:1608.08710",
    ),
    Term(
        "pareto_front",
        "Pareto front",
        "The settings that no other tried setting beats in both size and accuracy.",
        ("efficient frontier",),
    ),
)

_BY_KEY = {term.key: term for term in TERMS}


def term(key: str) -> Term:
    """The term of that key; an unknown key is refused with the known ones."""
    if key not in _BY_KEY:
        raise ExplorerError(f"There is no term called {key!r}.", fix="Choose one of: " + ", ".join(_BY_KEY) + ".")
    return _BY_KEY[key]


def tooltip(key: str) -> str:
    """The definition, what others call it, and its source, in one line of plain text."""
    entry = term(key)
    also = f" Also called: {', '.join(entry.synonyms)}." if entry.synonyms else ""
    source = f" Source: {entry.source}." if entry.source else ""
    return entry.definition + also + source
