"""Tables as ``datasets.Dataset.save_to_disk`` leaves them (Arrow streams), in the reading process.

Its ``main`` takes ROOT and FOLDER: each column of numbers comes out as it is in memory, each column of text in the
report; pictures are decoded by the readers of pictures, so their bytes are left out here.
"""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from explorer.errors import ExplorerError
from explorer.types.files import paths
from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.limits import computing_seconds, restrict, start_clocks, waiting_seconds
from explorer.types.files.reading.refusal import RefusedError

ArrowThing: TypeAlias = Any  # pyarrow tells no types
MAX_BYTES = 4 * 2**30
MAX_JSON = 16 << 20
MAX_TEXT = 128 << 20
MAX_FILES = 1000
_AGAIN = "Save it again with save_to_disk, or give the data set itself in Python."


def main(root: str, folder: str) -> int:
    """Leave the columns of one split in ``folder``, or a refusal."""
    try:
        answer = _read(Path(root), Path(folder))
    except RefusedError as refusal:
        answer = {"why": refusal.why, "fix": refusal.fix}
    except ImportError:
        answer = {"why": "It needs pyarrow.", "fix": "pip install pyarrow"}
    except ExplorerError as error:
        answer = {"what": error.what, "why": error.why, "fix": error.fix}
    except Exception:  # a damaged file may raise anything at all
        logging.getLogger(__name__).exception("The table could not be read.")
        answer = {"why": "It is damaged, or no folder of datasets.", "fix": _AGAIN}
    write_report(Path(folder), answer)
    return 0


def _read(root: Path, folder: Path) -> dict[str, object]:
    state, info = _json(root, "state.json"), _json(root, "dataset_info.json")
    entries = state.get("_data_files")
    names = [entry.get("filename") for entry in entries] if isinstance(entries, list) else []
    if not names or len(names) > MAX_FILES or not all(isinstance(name, str) and "/" not in name for name in names):
        raise RefusedError("It names no files of data.", _AGAIN)
    if state.get("_indices_data_files"):
        raise RefusedError(
            "It holds a selection of rows beside all of them.", "Call flatten_indices() and save it again."
        )
    n_bytes = sum((root / name).stat().st_size for name in names)
    if n_bytes > MAX_BYTES:
        raise RefusedError("It is larger than 4 GiB.", "Save a selection of its rows.")
    start_clocks(computing_seconds(n_bytes), waiting_seconds(n_bytes))
    import pyarrow as pa

    restrict(4 * n_bytes + (256 << 20))
    tables = []
    for name in names:
        with paths.opened(root / name, within=root) as source, pa.ipc.open_stream(source.file) as reader:
            tables.append(reader.read_all())
    return _columns(pa.concat_tables(tables), info, folder)


def _json(root: Path, name: str) -> dict[str, object]:
    if not (root / name).is_file():
        raise RefusedError(f"It has no {name}.", "Name a folder that save_to_disk has made.")
    with paths.opened(root / name, within=root) as source:
        content = source.file.read(MAX_JSON + 1)
    document = json.loads(content) if len(content) <= MAX_JSON else None
    if not isinstance(document, dict):
        raise RefusedError(f"{name} is no object.", _AGAIN)
    return document


def _columns(table: ArrowThing, info: dict[str, object], folder: Path) -> dict[str, object]:
    numbers: dict[str, object] = {}
    texts: dict[str, object] = {}
    left_out: list[str] = []
    n_text = 0
    for k, name in enumerate(table.column_names):
        column = table.column(name)
        if column.null_count:
            raise RefusedError(f"Column {name[:60]!r} has missing values.", "Fill them, or remove the rows.")
        if str(column.type) in ("string", "large_string"):
            texts[name] = column.to_pylist()
            n_text += sum(map(len, texts[name]))  # type: ignore[call-overload]
        elif (array := _array(name, column)) is not None:
            array.tofile(folder / f"c{k}")
            numbers[name] = {"file": k, "dtype": array.dtype.str, "shape": list(array.shape)}
        else:
            left_out.append(name)
    if n_text > MAX_TEXT:
        raise RefusedError("It holds more than 128 MiB of text.", "Save a selection of its rows.")
    return {"n": table.num_rows, "numbers": numbers, "texts": texts, "left_out": left_out, "classes": _classes(info)}


def _array(name: str, column: ArrowThing) -> np.ndarray | None:
    """Numbers, or lists of numbers of one length at every level; None for anything else."""
    shape = [len(column)]
    values = column.combine_chunks()
    while "list" in str(values.type):
        n = shape[-1] if len(shape) == 1 else math.prod(shape)
        flat = values.flatten()
        if len(flat) % max(1, n) or (n and len({*_lengths(values)}) > 1):
            raise RefusedError(f"The rows of column {name[:60]!r} differ in length.", "Pad them to one length.")
        shape.append(len(flat) // max(1, n))
        values = flat
    kind = str(values.type)
    if not kind.startswith(("int", "uint", "float", "double", "half", "bool")) or values.null_count:
        return None
    array = np.ascontiguousarray(values.to_numpy(zero_copy_only=False))
    return array.reshape(shape) if array.dtype.kind in "buif" else None


def _lengths(values: object) -> list[int]:
    import pyarrow.compute as pc

    return [int(n) for n in pc.unique(pc.list_value_length(values)).to_pylist()]


def _classes(info: dict[str, object]) -> dict[str, list[str]]:
    """The names of the classes of each column that has them."""
    features = info.get("features")
    named = {}
    for name, feature in features.items() if isinstance(features, dict) else ():
        names = feature.get("names") if isinstance(feature, dict) else None
        if isinstance(names, list):
            named[str(name)] = [str(one) for one in names]
    return named
