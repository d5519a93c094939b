"""Block by block: the masks of the papers' loop, the bits of all at once, and a folder that survives being killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from explorer import data as sources
from explorer import models
from explorer.engine.blocks import in_blocks, pruned_blocks
from explorer.errors import ExplorerError
from explorer.export.by_block import ByBlock
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Split, tensors_digest

WANDA = PruneSpec("weight", "wanda:n_samples=70", "uniform:sparsity=0.5")


@pytest.fixture(scope="module")
def sample() -> tuple[LoadedModel, Dataset]:
    model = models.load("topics-gpt")
    return model, sources.load("topics", model=model)


def in_rows(weight: Tensor, x: Tensor) -> Tensor:
    """Wanda's weights of one layer: of each row the half with the lowest |w| ||x|| is zero."""
    product = weight.abs().double() * x.double().flatten(0, -2).square().sum(dim=0).sqrt()
    lost = product.argsort(dim=1, stable=True)[:, : weight.shape[1] // 2]
    return weight.scatter(1, lost, 0)


def wanda_by_loop(model: LoadedModel, x: Tensor) -> dict[str, Tensor]:
    """Algorithm 1 of arXiv:2306.11695: hook the layers of a block, prune it, run it again for the next one."""
    module = models.load("topics-gpt").module
    assert module is not None
    out: dict[str, Tensor] = {}
    with torch.no_grad():
        hidden = module.embed(x) + module.position  # type: ignore[operator]
        for i, block in enumerate(module.blocks):  # type: ignore[arg-type]
            seen: dict[str, Tensor] = {}
            layers = {name: part for name, part in block.named_modules() if isinstance(part, nn.Linear)}
            hooks = [
                part.register_forward_pre_hook(lambda _, args, name=name, seen=seen: seen.__setitem__(name, args[0]))
                for name, part in layers.items()
            ]
            block(hidden)
            for hook in hooks:
                hook.remove()
            for name, part in layers.items():
                part.weight.copy_(in_rows(part.weight, seen[name]))
                out[f"blocks.{i}.{name}.weight"] = part.weight.clone()
            hidden = block(hidden)
    return out


def test_each_block_sees_what_the_pruned_ones_before_it_give(sample: tuple[LoadedModel, Dataset]) -> None:
    model, data = sample
    by_loop = wanda_by_loop(model, data.splits["fit"].x[:70])
    blocks = list(pruned_blocks(model, WANDA, data))
    assert [block.path for block in blocks] == [f"blocks.{i}" for i in range(4)]
    ours = {name: tensor for block in blocks for name, tensor in block.tensors.items()}
    for name, weight in by_loop.items():
        # Sums in another order may turn a tie: one weight in ten thousand.
        assert int((ours[name] != weight).sum()) <= weight.numel() // 10_000, name
    assert all(block.n_pruned == block.n_weights // 2 for block in blocks)


@pytest.mark.parametrize("criterion", ["wanda:n_samples=70", "sparsegpt:n_samples=70", "row_magnitude"])
def test_with_dense_inputs_it_is_all_at_once_bit_for_bit(sample: tuple[LoadedModel, Dataset], criterion: str) -> None:
    model, data = sample
    spec = PruneSpec("weight", criterion, "uniform:sparsity=0.5")
    at_once = dict(masked(model, plan(model, in_blocks(model, spec), data=data)).module.named_parameters())
    for block in pruned_blocks(model, spec, data, propagate="dense"):
        for name, tensor in block.tensors.items():
            assert torch.equal(tensor, at_once[name]), name


def test_the_folder_holds_every_weight_once_with_an_index_and_the_request(
    sample: tuple[LoadedModel, Dataset], tmp_path: Path
) -> None:
    model, data = sample
    blocks = list(ByBlock(WANDA, tmp_path / "out").run(model, data))
    where = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())["weight_map"]
    assert set(where) == set(model.weights)
    assert len(set(where.values())) == 5
    new = {n: t for file in set(where.values()) for n, t in load_file(tmp_path / "out" / file).items()}
    for block in blocks:
        assert all(torch.equal(new[name], tensor) for name, tensor in block.tensors.items())
    assert torch.equal(new["embed.weight"], model.weights["embed.weight"])
    assert PruneSpec.from_json((tmp_path / "out" / "spec.json").read_text()) == WANDA


KILLED = """
import sys
from dataclasses import replace
from pathlib import Path
import explorer as ex
from explorer.export.by_block import ByBlock
model = ex.load("topics-gpt")
spec = ex.PruneSpec("weight", "wanda:n_samples=70", "uniform:sparsity=0.5")
for block in ByBlock(spec, Path(sys.argv[1])).run(model, ex.load_data("topics", model=model)):
    print(block.path, flush=True)
    sys.stdin.readline()
"""


def test_who_is_killed_loses_one_block_and_gets_the_same_files(
    sample: tuple[LoadedModel, Dataset], tmp_path: Path
) -> None:
    model, data = sample
    whole = list(ByBlock(WANDA, tmp_path / "whole").run(model, data))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().strip() == "blocks.0"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "blocks.1"
        process.send_signal(signal.SIGKILL)
    again = list(ByBlock(WANDA, tmp_path / "killed").run(model, data))
    assert [block.is_resumed for block in again] == [True, True, False, False]
    assert [block.n_pruned for block in again] == [block.n_pruned for block in whole]
    files = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "killed").iterdir())
    for name in files:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()


def test_weights_of_16_bits_are_the_same_begun_again_as_in_one_go(
    sample: tuple[LoadedModel, Dataset], tmp_path: Path
) -> None:
    dense, data = sample
    model = replace(dense, meta={**dense.meta, "dtypes": dict.fromkeys(dense.weights, "bfloat16")})
    spec = PruneSpec("weight", "sparsegpt:n_samples=70", "uniform:sparsity=0.5")
    list(ByBlock(spec, tmp_path / "whole").run(model, data))
    stopped = ByBlock(spec, tmp_path / "stopped").run(model, data)
    next(stopped)
    next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    assert [block.is_resumed for block in ByBlock(spec, tmp_path / "stopped").run(model, data)][:2] == [True, True]
    for file in (tmp_path / "whole").glob("*.safetensors"):
        assert all(t.dtype == torch.bfloat16 for t in load_file(file).values())
        assert file.read_bytes() == (tmp_path / "stopped" / file.name).read_bytes()


def test_a_folder_of_another_request_is_refused(sample: tuple[LoadedModel, Dataset], tmp_path: Path) -> None:
    model, data = sample
    next(iter(ByBlock(WANDA, tmp_path / "out").run(model, data)))
    other = PruneSpec("weight", "wanda:n_samples=70", "uniform:sparsity=0.6")
    with pytest.raises(ExplorerError, match="holds another request"):
        list(ByBlock(other, tmp_path / "out").run(model, data))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(ExplorerError, match="is not empty"):
        list(ByBlock(WANDA, tmp_path / "full").run(model, data))


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        (PruneSpec("out_channel"), "only single weights"),
        (PruneSpec("weight", "lp_norm", "global:sparsity=0.5"), "compares all layers"),
        (PruneSpec("weight", "taylor", "uniform:sparsity=0.5"), "Taylor cannot be computed"),
    ],
)
def test_what_no_block_can_meet_on_its_own_is_refused(
    sample: tuple[LoadedModel, Dataset], spec: PruneSpec, match: str
) -> None:
    model, data = sample
    with pytest.raises(ExplorerError, match=match):
        next(iter(pruned_blocks(model, spec, data)))


def test_samples_that_are_padded_differently_are_refused() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(5, 4)
            self.blocks = nn.ModuleList([MaskedBlock(), MaskedBlock()])

        def forward(self, tokens: Tensor) -> Tensor:
            hidden, mask = self.embed(tokens), (tokens > 0)[..., None]
            for block in self.blocks:
                hidden = block(hidden, mask)
            return hidden

    class MaskedBlock(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
            out: Tensor = self.fc(hidden) * mask
            return out

    module = Masked().eval()
    weights = {name: p.detach() for name, p in module.named_parameters()}
    tokens = torch.randint(5, (6, 3), generator=torch.Generator().manual_seed(0))
    model = LoadedModel("masked", module, weights, tensors_digest(weights), tokens[:1])
    data = Dataset("tokens", {"fit": Split("fit", tokens, None)}, (), "d")
    with pytest.raises(ExplorerError, match="differ in more than their tokens"):
        list(pruned_blocks(model, PruneSpec("weight", "wanda", "uniform:sparsity=0.5"), data))
