"""A folder of pruned weights, written block by block: whoever is killed loses one block."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from explorer.engine.blocks import BlockFiles, Propagate, PrunedBlock, block_paths, in_blocks, pruned_blocks
from explorer.errors import ExplorerError
from explorer.export.files import misread, same_tensors
from explorer.metrics.size import file_dtypes
from explorer.models.reader.shards import shards
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.store.atomic import replacing, write_text
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict

JOURNAL, SPEC, INDEX = "journal.json", "spec.json", "model.safetensors.index.json"
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx")
_LARGEST = 64 * 2**20  # of a file that is copied beside the weights


@dataclass(frozen=True)
class ByBlock:
    """A request to prune a network into a folder. ``source``: whose other files (config, tokenizer) go along."""

    spec: PruneSpec
    folder: Path
    propagate: Propagate = "pruned"
    source: Path | None = None

    def run(self, model: LoadedModel, data: Dataset) -> Iterator[PrunedBlock]:
        """Each block once its file is in its place; at the end the index, the request and the files that go along.

        Begun again with the same request on the same weights and data it goes on where it was. Raises ExplorerError
        for a folder that holds something else.
        """
        if self.spec.then is not None:
            what = "Block by block, whole units and single weights do not go in one request."
            raise ExplorerError(what, fix="Name a file, or leave the single weights out.")
        paths = block_paths(runnable(model))
        n_files = len(paths) + 1
        names = {path: f"model-{i + 1:05d}-of-{n_files:05d}.safetensors" for i, path in enumerate(paths)}
        form = _Form.of(model, self.source)
        files = _Files(self.folder, names, self._begun(model, data), form)
        where: dict[str, str] = {}
        for block in pruned_blocks(model, self.spec, data, propagate=self.propagate, files=files):
            if not block.is_resumed:
                files.write(block)
            where |= dict.fromkeys(block.tensors, names[block.path])
            yield block
        rest = form.stored(_rest(model, where))
        last = self.folder / f"model-{n_files:05d}-of-{n_files:05d}.safetensors"
        _write(rest, last)
        self._finish(model, where | dict.fromkeys(rest, last.name))

    def _begun(self, model: LoadedModel, data: Dataset) -> JsonDict:
        """The journal: of this very request, or a new one."""
        about: JsonDict = {
            "spec": in_blocks(model, self.spec).to_json(),
            "propagate": self.propagate,
            "model": model.identity,
            "data": data.digest,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / JOURNAL
        if not path.is_file():
            if any(self.folder.iterdir()):
                raise ExplorerError(f"{self.folder} is not empty.", fix="Give a new folder.")
            return {**about, "blocks": {}}
        try:
            journal = json.loads(path.read_text(encoding="utf-8"))
            blocks = {str(name): str(digest) for name, digest in journal.pop("blocks").items()}
        except (ValueError, KeyError, AttributeError):
            raise ExplorerError(f"{path} cannot be read.", fix="Give a new folder.") from None
        if journal != about:
            raise ExplorerError(
                f"{self.folder} holds another request, or another model or data.",
                why=f"Its {JOURNAL} says so.",
                fix="Give a new folder.",
            )
        return {**about, "blocks": blocks}

    def _finish(self, model: LoadedModel, where: Mapping[str, str]) -> None:
        total = sum(path.stat().st_size for path in self.folder.glob("model-*.safetensors"))
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
        for path in self._along():
            with replacing(self.folder / path.name) as temporary:
                shutil.copyfile(path, temporary)
        request = {"spec": self.spec.to_json(), "source": {"address": model.address, "digest": model.digest}}
        write_text(self.folder / SPEC, json.dumps(request, indent=1) + "\n")
        write_text(self.folder / INDEX, json.dumps(index, indent=1) + "\n")

    def _along(self) -> list[Path]:
        """The files of the source folder that are no weights: configuration, tokenizer, licence."""
        if self.source is None:
            return []
        files = [path for path in sorted(self.source.iterdir()) if path.is_file() and not path.name.startswith(".")]
        names = [path for path in files if not path.name.endswith((*_WEIGHTS, ".index.json"))]
        return [path for path in names if path.stat().st_size <= _LARGEST and path.name not in (JOURNAL, SPEC)]


@dataclass(frozen=True, eq=False)
class _Form:
    """How the model's own files hold its weights: their types, and which lie the other way round."""

    computed_as: Mapping[str, torch.dtype]
    stored_as: Mapping[str, torch.dtype]
    transposed: frozenset[str]

    @classmethod
    def of(cls, model: LoadedModel, source: Path | None) -> _Form:
        """As the model says it, and as the files of its folder are."""
        computed_as = {name: tensor.dtype for name, tensor in runnable(model).state_dict().items()}
        stored_as = dict(file_dtypes(model))
        if source is not None and any(source.glob("*.safetensors")):
            stored = shards(source).tensors
            floats = {each.dtype for each in stored.values() if each.dtype.is_floating_point}
            usual = floats.pop() if len(floats) == 1 else None
            for name, dtype in computed_as.items():
                if dtype.is_floating_point:
                    stored_as[name] = stored[name].dtype if name in stored else usual or stored_as.get(name, dtype)
        return cls(computed_as, stored_as, frozenset(model.meta.get("transposed") or ()))

    def stored(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As a file holds them."""
        turned = {n: t.t() if n in self.transposed else t for n, t in tensors.items()}
        return {n: t.to(self.stored_as.get(n, t.dtype)) for n, t in turned.items()}

    def computed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As the network computes with them."""
        turned = {n: t.t().contiguous() if n in self.transposed else t for n, t in tensors.items()}
        return {n: t.to(self.computed_as.get(n, t.dtype)) for n, t in turned.items()}


@dataclass(frozen=True, eq=False)
class _Files(BlockFiles):
    """The files of blocks and their journal in a folder; ``names`` of the files by block."""

    folder: Path
    names: Mapping[str, str]
    journal: JsonDict
    form: _Form

    def finished(self, path: str) -> Mapping[str, Tensor] | None:
        """From a file whose digest the journal has."""
        file, digest = self.folder / self.names[path], self.journal["blocks"].get(path)
        if digest is None or not file.is_file() or _sha256(file) != digest:
            return None
        return self.form.computed(load_file(file))

    def rounded(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Through the types of the files."""
        return self.form.computed(self.form.stored(tensors))

    def write(self, block: PrunedBlock) -> None:
        """Put a block's file in its place, then its line in the journal."""
        target = self.folder / self.names[block.path]
        _write(self.form.stored(block.tensors), target)
        self.journal["blocks"][block.path] = _sha256(target)
        write_text(self.folder / JOURNAL, json.dumps(self.journal, indent=1) + "\n")


def _rest(model: LoadedModel, where: Mapping[str, str]) -> dict[str, Tensor]:
    """What is in no block, as it was: what is tied once, and the buffers that the state holds."""
    module = runnable(model)
    again = {name for name, _ in module.named_parameters(remove_duplicate=False) if name not in model.weights}
    return {n: t.detach() for n, t in module.state_dict().items() if n not in where and n not in again}


def _write(tensors: Mapping[str, Tensor], target: Path) -> None:
    ours = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(target) as temporary:
        save_file(ours, temporary, metadata={"format": "pt"})
        if not same_tensors(ours, load_file(temporary)):
            raise misread(str(target))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
