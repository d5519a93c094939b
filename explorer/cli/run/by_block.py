"""``prune`` into a folder: block by block, with a journal."""

from __future__ import annotations

from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data
from explorer.errors import ExplorerError
from explorer.export.by_block import ByBlock
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel


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
    named = model.meta.get("path") or model.address.partition(":")[2] or model.address
    path = Path(str(named))
    return path if path.is_dir() else None
