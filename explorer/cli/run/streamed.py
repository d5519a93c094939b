"""``inspect --stream`` and ``prune --stream``: from the files, piece by piece, for checkpoints of any size."""

from __future__ import annotations

from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.errors import ExplorerError
from explorer.export.streamed import Streamed, streamed
from explorer.models.reader.shards import shards
from explorer.pruning.allocation import Global, Uniform
from explorer.pruning.spec import PruneSpec
from explorer.text.numbers import percent, percent_asked
from explorer.types.aliases import JsonDict

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_HEAD = ("tensor", "dtype", "shape", "weights", "zeros", *(f"|w| {percent_asked(share)}" for share in SHARES))


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
