"""Whole blocks: which they are, what is left without them, and how much they turn their stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer import data, models
from explorer.analysis import collapse
from explorer.pruning.apply import masked
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, PruningGroup, Split
from explorer.types.inputs import InputSet
from tests.torchvision_operators import define_missing_operators


def groups_of(model: LoadedModel) -> dict[str, PruningGroup]:
    granularity = PruneSpec("depth").granularity  # type: ignore[arg-type]
    return {group.name: group for group in granularity.groups(model, layer_table(model))}


def without(share: float, criterion: str = "lp_norm") -> PruneSpec:
    return PruneSpec("depth", criterion, f"global:sparsity={share}")  # type: ignore[arg-type]


class Staged(nn.Module):
    """Stages as in published networks: chains of blocks in chains, and a block that narrows the picture."""

    class Block(nn.Module):
        def __init__(self, n_in: int, n_out: int) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(n_in, n_out, 3, padding=1), nn.Conv2d(n_out, n_out, 3, padding=1)
            self.pool, self.more = nn.AvgPool2d(2) if n_in < n_out else nn.Identity(), n_out - n_in

        def forward(self, x: Tensor) -> Tensor:
            short = self.pool(x)
            return F.relu(self.b(F.relu(self.a(short))) + F.pad(short, (0, 0, 0, 0, 0, self.more)))

    class Mixed(nn.Module):
        """A block of which one layer is beside no shortcut."""

        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.a(x)
            return x + self.b(F.relu(x))

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        first = nn.Sequential(self.Block(4, 4), self.Block(4, 4))
        self.stages = nn.ModuleList([first, nn.Sequential(self.Block(4, 8), self.Block(8, 8))])
        self.mixed = self.Mixed()
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return self.fc(self.mixed(x).mean((2, 3)))


def staged() -> LoadedModel:
    torch.manual_seed(0)
    return models.load(Staged().eval(), example=torch.randn(2, 3, 8, 8))


def test_the_blocks_are_the_links_of_the_chains_and_those_that_must_stay_say_why() -> None:
    groups = groups_of(staged())
    assert groups["layer blocks"].unit_names == ("stages.0.0", "stages.0.1", "stages.1.1")
    assert "another shape" in (groups["stages.1.0"].why_not or "")
    assert "mixed.a is in it and beside no shortcut" in (groups["mixed"].why_not or "")
    assert "in no block" in (groups["stem"].why_not or "")
    samples = {"digits-resnet": ("block1",), "digits-vit": ("blocks.0", "blocks.1", "blocks.2")}
    for name, blocks in samples.items():
        assert groups_of(models.load(name))["layer blocks"].unit_names == blocks


def test_without_all_its_blocks_a_network_is_what_lies_between_them() -> None:
    model = staged()
    ours = plan(model, without(1.0))
    assert ours.gone == ("stages.0.0", "stages.0.1", "stages.1.1")
    assert ours.units == (3, 3)
    assert "Left out: stages.0.0, stages.0.1, stages.1.1." in ours.notes
    assert list(collapse.before(model, ours)) == []  # what leaves its shortcut is not empty
    small, network = sliced(model, ours).module, model.module
    assert isinstance(network, Staged)
    x = torch.randn(3, 3, 8, 8)
    narrowing = network.stages[1][0]  # type: ignore[index]
    by_hand = network.fc(network.mixed(narrowing(F.relu(network.stem(x)))).mean((2, 3)))
    torch.testing.assert_close(small(x), by_hand)
    left = {name for name, _ in small.named_parameters()}
    assert not any(name.startswith(("stages.0", "stages.1.1")) for name in left)
    n_gone = sum(p.numel() for name, p in network.named_parameters() if name.startswith(("stages.0", "stages.1.1")))
    assert sum(p.numel() for p in small.parameters()) == model.n_parameters - n_gone


def hooked(module: nn.Module, paths: tuple[str, ...], x: Tensor) -> list[Tensor]:
    """1 - cosine of what hooks see go in and come out, one value for each vector."""
    seen: dict[str, Tensor] = {}

    def watch(path: str) -> Any:
        def hook(_: nn.Module, args: tuple[Tensor], out: Tensor) -> None:
            a, b = (t if t.dim() == 3 else t.flatten(1) for t in (args[0], out))
            seen[path] = 1 - F.cosine_similarity(a.double(), b.double(), dim=-1)

        return hook

    handles = [module.get_submodule(path).register_forward_hook(watch(path)) for path in paths]
    with torch.no_grad():
        module(x)
    for handle in handles:
        handle.remove()
    return [seen[path] for path in paths]


def test_the_influence_of_a_block_is_what_hooks_see_turn() -> None:
    digits = data.load("digits")
    for name, paths in (("digits-vit", ("blocks.0", "blocks.1", "blocks.2")), ("digits-resnet", ("block1",))):
        model = models.load(name)
        assert model.module is not None
        ours = score(model, without(0.5, "block_influence:n_samples=100"), digits).values["layer blocks"]
        by_hooks = hooked(model.module, paths, digits.splits["fit"].x[:100])
        torch.testing.assert_close(ours, torch.stack([value.mean() for value in by_hooks]), rtol=1e-5, atol=1e-7)


def llama() -> tuple[Any, Any]:
    define_missing_operators()
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=64, hidden_size=32, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=48,
    )  # fmt: skip
    module = transformers.LlamaForCausalLM(config).eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter, 1.0 if parameter.dim() == 1 else 0.0, 0.3)
    return transformers, module


def test_a_llama_without_a_layer_is_the_librarys_own_with_one_layer_less() -> None:
    transformers, module = llama()
    model = models.load(module, example=InputSet(named={"input_ids": torch.randint(0, 64, (2, 9))}))
    ours = plan(model, without(0.25))
    (gone,) = ours.gone
    small = sliced(model, ours).module
    shorter = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**(module.config.to_dict() | {"num_hidden_layers": 3}))
    )
    stay = [i for i in range(4) if f"model.layers.{i}" != gone]
    weights = {k: v for k, v in module.state_dict().items() if not k.startswith("model.layers.")}
    for new, old in enumerate(stay):
        layer = module.get_submodule(f"model.layers.{old}").state_dict()
        weights |= {f"model.layers.{new}.{k}": v for k, v in layer.items()}
    shorter.load_state_dict(weights)
    ids = torch.randint(0, 64, (3, 9))
    with torch.no_grad():
        expected, answer = shorter.eval()(input_ids=ids).logits, small(ids)["logits"]
    torch.testing.assert_close(answer, expected, rtol=1e-4, atol=1e-5)
    assert sum(p.numel() for p in small.parameters()) == sum(p.numel() for p in shorter.parameters())


def test_padding_plays_no_part_in_the_influence_of_a_block() -> None:
    _, module = llama()
    ids, mask = torch.randint(0, 64, (16, 9)), torch.ones(16, 9, dtype=torch.long)
    mask[:, 6:] = 0
    model = models.load(module, example=InputSet(named={"input_ids": ids[:2], "attention_mask": mask[:2]}))
    influences = []
    for padding in (0, 5):
        x = InputSet(named={"input_ids": ids.where(mask > 0, padding), "attention_mask": mask})
        texts = Dataset("texts", {"fit": Split("fit", x, None)}, (), f"digest {padding}")
        influences.append(score(model, without(0.5, "block_influence"), texts).values["layer blocks"])
    torch.testing.assert_close(influences[0], influences[1], rtol=1e-6, atol=1e-9)


@pytest.mark.slow
def test_the_layers_of_published_transformers_can_go() -> None:
    define_missing_operators()
    transformers = pytest.importorskip("transformers")
    text = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    wide, ids = {**text, "intermediate_size": 48, "max_position_embeddings": 40}, torch.randint(0, 64, (2, 9))
    picture = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    picture |= {"image_size": 16, "patch_size": 4}
    networks = {
        "Bert": ("ForSequenceClassification", wide), "Roberta": ("ForSequenceClassification", wide),
        "GPT2": ("LMHeadModel", {"vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 4}),
        "Mistral": ("ForCausalLM", {**wide, "num_key_value_heads": 2, "head_dim": 8}),
        "Qwen2": ("ForCausalLM", {**wide, "num_key_value_heads": 2}), "GPTNeoX": ("ForCausalLM", wide),
        "OPT": ("ForCausalLM", {**text, "ffn_dim": 48, "word_embed_proj_dim": 32, "max_position_embeddings": 40}),
        "T5": ("EncoderModel", {**text, "d_model": 32, "d_kv": 8, "d_ff": 48}),
        "Phi": ("ForCausalLM", wide), "ViT": ("ForImageClassification", picture),
    }  # fmt: skip
    for name, (kind, options) in networks.items():
        torch.manual_seed(0)
        module = getattr(transformers, name + kind)(getattr(transformers, f"{name}Config")(**options)).eval()
        texts = InputSet(named={"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        x = torch.randn(2, 3, 16, 16) if "image_size" in options else texts
        model = models.load(module, example=x)
        ours = plan(model, without(0.34))
        # What the first block of T5 looks up for its attention, all others read.
        assert len(groups_of(model)["layer blocks"].unit_names) == (2 if name == "T5" else 3), name
        small = sliced(model, ours).module
        other = torch.randn(3, 3, 16, 16) if isinstance(x, Tensor) else texts.map(lambda t: t.flip(0))
        assert largest_difference(masked(replace(model), ours).module, small, other) <= 1e-5, name
        assert sum(p.numel() for p in small.parameters()) < 0.9 * model.n_parameters, name
