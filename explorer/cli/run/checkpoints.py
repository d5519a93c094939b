"""Folders of weights: pruned block by block, or inspected and pruned from their files piece by piece."""

from __future__ import annotations

from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data
from explorer.errors import ExplorerError
from explorer.export.by_block import ByBlock
from explorer.export.streamed import Streamed, streamed
from explorer.models.reader.shards import shards
from explorer.pruning.allocation import Global, Uniform
from explorer.pruning.spec import PruneSpec
from explorer.text.numbers import percent, percent_asked
from explorer.types import LoadedModel
from explorer.types.aliases import JsonDict

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_HEAD = ("tensor", "dtype", "shape", "weights", "zeros", *(f"|w| {percent_asked(share)}" for share in SHARES))


def is_folder(output: str) -> bool:
    """Whether the name of an output is that of a folder: it has no ending of a file."""
    return not Path(output).suffix or Path(output).is_dir()


def by_block(args: Arguments, model: LoadedModel, spec: PruneSpec) -> int:
    """Prune and write one block after another; a folder that was begun is finished."""
    if args.form == "sliced":
        raise ExplorerError("A folder holds masked weights.", fix="Leave --form sliced out, or name a file.")
    folder = Path(args.output)
    source = folder_of(model)
    if source is not None and folder.exists() and folder.samefile(source):
        raise ExplorerError(f"{folder} is the model's own folder.", why="It would be lost.", fix="Give another name.")
    blocks = []
    for block in ByBlock(spec, folder, args.propagate, source).run(model, load_data(args, model)):
        blocks.append(block)
        how = "was there already" if block.is_resumed else f"{block.seconds:.1f} s"
        printing.note(f"{block.path}: {printing.count(block.n_pruned)} of {printing.count(block.n_weights)} go, {how}")
    n_pruned, n_weights = sum(b.n_pruned for b in blocks), sum(b.n_weights for b in blocks)
    if args.json:
        rows = [
            {"block": b.path, "pruned": b.n_pruned, "weights": b.n_weights, "resumed": b.is_resumed} for b in blocks
        ]
        whole = {"form": "blocks", "folder": str(folder), "pruned": n_pruned, "weights": n_weights, "blocks": rows}
        printing.say_json(whole)
        return 0
    printing.say(
        f"Wrote {printing.clean_terminal(folder)}: {len(blocks)} blocks, an index and spec.json.",
        f"{printing.count(n_pruned)} of {printing.count(n_weights)} weights of the blocks are zero; "
        "what is in no block stays as it was.",
        "The zeros are stored, so the folder is as large as the dense one.",
    )
    return 0


def folder_of(model: LoadedModel) -> Path | None:
    """The folder that a model was opened from, whose other files go along; None where it was no folder."""
    prepared = model.meta.get("preprocess") or {}
    named = (model.address.partition(":")[2], model.address, prepared.get("folder"))
    folders = (Path(str(name)) for name in named if name)
    return next((folder for folder in folders if folder.is_dir()), None)


def inspect_files(args: Arguments) -> int:
    """Print a row for every tensor; magnitudes of those that can be pruned."""
    counted = _counted(args)
    rows = [_row(counted, name) for name in counted.shards.tensors]
    if args.json:
        about = {"files": len(counted.shards.files), "bytes": counted.shards.n_bytes, "n_prunable": counted.n_weights}
        printing.say_json({"model": {"address": args.model}, **about, "tensors": rows})
        return 0
    n_all = sum(stored.n_weights for stored in counted.shards.tensors.values())
    printing.say(
        f"{printing.clean_terminal(args.model)}: {printing.count(n_all)} numbers in {len(counted.shards.files)} files, "
        f"{printing.count(counted.n_weights)} prunable",
        "",
        *printing.table(_HEAD, [_cells(row) for row in rows], left=2),
    )
    return 0


def prune_files(args: Arguments, spec: PruneSpec) -> int:
    """Write every file anew with zeros in place of the lowest magnitudes."""
    share = _share(spec)
    counted = _counted(args)
    counts = counted.counts(share, everywhere_alike=isinstance(spec.allocation, Uniform))
    for path in counted.write(Path(args.output), counts):
        printing.note(f"wrote {path.name}")
    n_pruned = sum(counts.values())
    if args.json:
        result = {"form": "files", "folder": args.output, "pruned": n_pruned, "weights": counted.n_weights}
        printing.say_json({**result, "counts": counts})
        return 0
    printing.say(
        f"Wrote {printing.clean_terminal(args.output)}: {len(counted.shards.files)} files as large as before.",
        f"{printing.count(n_pruned)} of {printing.count(counted.n_weights)} weights are zero "
        f"({percent(n_pruned / max(1, counted.n_weights))}).",
    )
    return 0


def _counted(args: Arguments) -> Streamed:
    return streamed(shards(args.model.removeprefix("hf:")))


def _share(spec: PruneSpec) -> float:
    """The sparsity of a request that magnitudes alone answer; ExplorerError for every other."""
    if spec.granularity.key != "weight" or spec.criterion.key != "lp_norm" or spec.limits:
        why = "Anything else runs the network, or needs more than one layer in memory."
        fix = "Leave --stream out, or --criterion, --granularity and limits."
        raise ExplorerError("From files only single weights go by their magnitude.", why=why, fix=fix)
    if not isinstance(spec.allocation, Global | Uniform):
        raise ExplorerError(
            f"From files the allocation {spec.allocation.key} is not counted.", fix="Choose global or uniform."
        )
    return spec.allocation.sparsity


def _row(counted: Streamed, name: str) -> JsonDict:
    stored, rank = counted.shards.tensors[name], counted.ranks.get(name)
    quantiles = None if rank is None or not len(rank) else rank.quantiles(SHARES)
    return {
        "name": name,
        "dtype": str(stored.dtype).removeprefix("torch."),
        "shape": list(stored.shape),
        "n_weights": stored.n_weights,
        "n_zeros": None if rank is None else rank.index.below(1),
        "quantiles": None if quantiles is None else dict(zip(map("{:g}".format, SHARES), quantiles, strict=True)),
        "file": stored.path.name,
    }


def _cells(row: JsonDict) -> list[str]:
    values = row["quantiles"] or {}
    return [
        row["name"],
        row["dtype"],
        " x ".join(map(str, row["shape"])) or "scalar",
        printing.count(row["n_weights"]),
        "" if row["n_zeros"] is None else printing.count(row["n_zeros"]),
        *(printing.number(values.get(f"{share:g}")) for share in SHARES),
    ]
