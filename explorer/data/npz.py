"""Arrays in a NumPy archive: ``x`` and ``y``, or a pair for each split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from explorer.data.read_apart import arrays_apart
from explorer.data.request import DataRequest, normalise, unusable
from explorer.data.splitting import NAMES, counts, make_splits, ordered, tensors
from explorer.data.targets import Targets, converted, guessed
from explorer.errors import ExplorerError
from explorer.types import Dataset, Finding, Split, SplitName, tensors_digest
from explorer.types.inputs import is_floating, one_tensor
from explorer.types.tasks import StatedTask

SUFFIX_OF: dict[str, SplitName] = {
    "fit": "fit",
    "train": "fit",
    "tune": "tune",
    "val": "tune",
    "test": "test",
}
LAYOUT = "It needs x with one sample per row and y with one class (or numbers) per row, or x_fit, y_fit, x_tune, ..."


@dataclass(frozen=True)
class Npz:
    """``x`` (samples first) and ``y``, or x_fit, y_fit, x_tune, ... for each split.

    ``y`` holds one class a sample (whole numbers, or one-hot rows), numbers to predict (floating point: one,
    or a row, a sample), or the tokens that follow (whole numbers in the shape of x; negative: nothing to
    predict); ``task`` states which. uint8 pictures (not tables) are divided by 255 and normalised like
    pictures from a folder; other inputs are taken as they are unless mean and std are given. Pictures
    may be (n, h, w), (n, h, w, c) or (n, c, h, w): the model's input shape decides.
    """

    key: ClassVar[str] = "npz"
    form: ClassVar[str] = "npz:PATH"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, ...) float32, or (n, length) int64 tokens; y as :class:`explorer.types.Split` has it, or None."""
        if request.size is not None:
            raise ExplorerError("Arrays are not scaled.", fix="Leave size out, or save the arrays at the right size.")
        return from_arrays(arrays_apart(request.path, request.address), request)


def from_arrays(arrays: dict[str, np.ndarray], request: DataRequest) -> Dataset:
    """The dataset of arrays ``x`` and ``y``, or x_fit, y_fit, x_tune, ...; see :class:`Npz`."""
    suffixes = _suffixes(arrays, request)
    task, findings = _task(arrays, suffixes, request)
    pairs = _pairs(arrays, suffixes, task, request)
    findings = (*findings, *_bytes_read(arrays["x" + suffixes[0]], request))
    n_classes = _n_classes([y for _, y in pairs.values()], request)
    splits, why_not = _splits(pairs, request)
    meta = {
        "size": None,
        "mean": None if request.mean is None else list(request.mean),
        "std": None if request.std is None else list(request.std),
        "splits": None if request.splits is None else list(request.splits),
        "seed": request.seed,
        "n": counts(splits),
    }
    first = one_tensor(next(iter(splits.values())).x, "A set of arrays")
    return Dataset(
        address=request.address,
        splits=splits,
        classes=tuple(str(i) for i in range(n_classes)),
        digest=tensors_digest(tensors(splits)),
        why_no_split=why_not,
        meta=meta,
        images=first.dim() == 4 and first.shape[1] in (1, 3),
        findings=findings,
    )


Pair = tuple[Tensor, Tensor | None]


def _suffixes(arrays: dict[str, np.ndarray], request: DataRequest) -> list[str]:
    """What follows x in the names of the inputs; "" where the data are not divided."""
    suffixes = [name[1:] for name in arrays if name.startswith("x")]
    if not suffixes or ("" in suffixes and len(suffixes) > 1):
        raise unusable(request, f"It holds {', '.join(sorted(arrays)) or 'neither x nor y'}.", LAYOUT)
    return suffixes


def _task(
    arrays: dict[str, np.ndarray], suffixes: list[str], request: DataRequest
) -> tuple[StatedTask, tuple[Finding, ...]]:
    """What all labels together are for; "classes" where there are none."""
    labelled = [suffix for suffix in suffixes if "y" + suffix in arrays]
    labels = [arrays["y" + suffix] for suffix in labelled]
    if not labels or len({y.shape[1:] for y in labels}) > 1 or not labels[0].ndim:
        return request.task or "classes", ()
    are_texts = all(_are_texts(arrays["x" + suffix], arrays["y" + suffix]) for suffix in labelled)
    return guessed(Targets(np.concatenate(labels), are_texts), request)


def _pairs(
    arrays: dict[str, np.ndarray], suffixes: list[str], task: StatedTask, request: DataRequest
) -> dict[str, Pair]:
    """{split name, or "" when undivided: (x, y)}."""
    pairs: dict[str, Pair] = {}
    for suffix in suffixes:
        raw = arrays.get("y" + suffix)
        whole = (task == "tokens" and raw is not None) or _takes_whole_numbers(request)
        x = _whole_numbers(arrays["x" + suffix], request) if whole else _inputs(arrays["x" + suffix], request)
        if raw is not None and not raw.ndim:
            raise unusable(request, f"y{suffix} is one value, and a row for each sample is needed.", LAYOUT)
        y = None if raw is None else converted(raw, task, request)
        if not len(x) or (y is not None and len(x) != len(y)):
            why = f"x{suffix} has {len(x)} samples, y{suffix} has {0 if y is None else len(y)}."
            raise unusable(request, why, LAYOUT)
        pairs[SUFFIX_OF[suffix[1:]] if suffix else ""] = (x, y)
    return pairs


def _bytes_read(x: np.ndarray, request: DataRequest) -> tuple[Finding, ...]:
    """How inputs of one byte each were read."""
    if x.dtype != np.uint8 or _takes_whole_numbers(request):
        return ()
    if x.ndim > 2:
        return (Finding("ok", "x holds bytes: read as pictures, divided by 255.", "", "Save x as float to keep it."),)
    if request.std is not None:
        return ()
    what = "x is a table of bytes: taken as it is, not divided by 255."
    return (Finding("warn", what, "Bytes are divided where they are pictures.", "If they are pixels, give std 255."),)


def _splits(pairs: dict[str, Pair], request: DataRequest) -> tuple[dict[str, Split], dict[str, str]]:
    if "" in pairs:
        return make_splits(*pairs[""], request.splits, request.seed)
    if request.splits is not None:
        raise ExplorerError(f"{request.address} is divided already.", fix="Leave splits out.")
    present: dict[str, Split] = {name: ordered(name, *pairs[name], request.seed) for name in NAMES if name in pairs}
    why = "The archive has arrays for splits, but none for this one."
    return present, {name: why for name in NAMES if name not in present}


def _n_classes(labels: list[Tensor | None], request: DataRequest) -> int:
    """How many classes labels and model know; 0 where labels are no classes."""
    label_arrays = [y for y in labels if y is not None]
    if label_arrays and label_arrays[0].dtype == torch.bool:
        return int(label_arrays[0].shape[1])
    if request.task == "custom" or any(y.dim() != 1 or y.is_floating_point() for y in label_arrays):
        return 0
    n_of_model = max(2, request.model.n_classes) if request.model and request.model.n_classes else 0
    return max([n_of_model, *(int(y.max()) + 1 for y in label_arrays if len(y))])


def _are_texts(x: np.ndarray, y: np.ndarray) -> bool:
    """Whole numbers in, as many whole numbers out."""
    return x.ndim == 2 and x.shape[1] > 1 and x.shape == y.shape and x.dtype.kind in "iu" and y.dtype.kind in "iu"


def _float_type(raw: np.ndarray, request: DataRequest) -> torch.dtype:
    """float64 where the model computes in it and the samples came so; else float32."""
    example = None if request.model is None else request.model.example
    is_double = isinstance(example, Tensor) and raw.dtype == np.float64 and example.dtype == torch.float64
    return torch.float64 if is_double else torch.float32


def _takes_whole_numbers(request: DataRequest) -> bool:
    example = None if request.model is None else request.model.example
    return example is not None and not is_floating(example)


def _whole_numbers(raw: np.ndarray, request: DataRequest) -> Tensor:
    """Words and the like, as they are: int64, never scaled."""
    if raw.ndim < 1 or (raw.dtype.kind == "f" and not np.all(raw == np.floor(raw))):
        why = "x holds numbers with a point, and the model takes whole numbers, such as words of a vocabulary."
        raise unusable(request, why, "Save x as whole numbers.")
    return torch.from_numpy(raw.astype(np.int64))


def _inputs(raw: np.ndarray, request: DataRequest) -> Tensor:
    if raw.dtype.kind not in "fiub":
        raise unusable(request, f"x is of the type {raw.dtype}.", "Give it as numbers.")
    if raw.ndim < 2:
        raise unusable(request, f"x has the shape {raw.shape}.", LAYOUT)
    native = np.ascontiguousarray(raw, dtype=raw.dtype.newbyteorder("="))
    pixels = native.dtype == np.uint8 and native.ndim > 2
    x = _arranged(torch.from_numpy(native), request.from_model("input_shape"))
    x = x.float().div_(255) if pixels else x.to(_float_type(raw, request))
    if not torch.isfinite(x).all():
        raise unusable(request, "x holds NaN or infinite numbers.", "Repair or remove these samples.")
    if pixels or request.mean is not None or request.std is not None:
        x = normalise(x, *request.normalisation(x.shape[1]))
    return x.contiguous()


def _arranged(x: Tensor, order: list[int] | None) -> Tensor:
    """Channels put where the model wants them; unchanged when the shape fits, or no model says."""
    if order is None or list(x.shape[1:]) == list(order) or len(order) != 3:
        return x
    if x.dim() == 3 and order[0] == 1:
        return x[:, None]
    if x.dim() == 4 and x.shape[-1] == order[0]:
        return x.permute(0, 3, 1, 2)
    return x
