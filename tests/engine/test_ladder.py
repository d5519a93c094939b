"""Every way of taking a model apart gives the plain module's bits, and says which one it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from explorer.engine.evaluator import Evaluator
from explorer.engine.tracers import ladder
from explorer.engine.tracers.chain import chain
from explorer.engine.tracers.exported import exported
from explorer.pruning.apply import masked_weights, private_shell, set_parameters
from explorer.types import Evaluation, InputSet, LoadedModel, Plan, Split, tensors_digest
from explorer.types.inputs import call
from tests.engine import models
from tests.every import for_each

pytestmark = pytest.mark.usefixtures("one_thread_here")


class Block(nn.Module):
    """A block of a transformer that looks at the options of its call."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.query, self.value, self.out = nn.LayerNorm(12), *(nn.Linear(12, 12) for _ in range(3))

    def forward(self, x: Tensor, **options: Tensor) -> tuple[Tensor, ...]:
        y = self.norm(x)
        scores = self.query(y) @ y.transpose(-1, -2)
        if "mask" in options and not isinstance(options["mask"], bool):
            scores = scores + options["mask"]
        x = x + self.out(torch.nn.functional.gelu(scores.softmax(-1) @ self.value(y)))
        return (x, scores)


class Encoder(nn.Module):
    """Blocks in a list with code between them that plain tracing does not follow."""

    def __init__(self, n_blocks: int = 4) -> None:
        super().__init__()
        self.embed, self.position = nn.Embedding(20, 12), nn.Parameter(torch.randn(6, 12))
        self.blocks = nn.ModuleList(Block() for _ in range(n_blocks))
        self.norm, self.head = nn.LayerNorm(12), nn.Linear(12, models.N_CLASSES)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> dict[str, object]:
        if not isinstance(ids, Tensor):
            raise TypeError("words are needed")
        x = self.embed(ids) + self.position
        added = torch.zeros(ids.shape) if mask is None else (1.0 - mask.float()) * -1e9
        for block in self.blocks:
            x = block(x, mask=added[:, None, :])[0]
        return {"logits": self.head(self.norm(x).mean(1)), "hidden": [x]}


class Careful(Encoder):
    """It decides by the numbers in its inputs, which no tracing follows, and writes to its own values."""

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.embed(ids) + self.position
        first = None
        for block in self.blocks:
            x = block(x)[0] if mask is None or bool(mask.any()) else x
            x *= 1.0 if float(x.detach().sum()) != 0.123 else 2.0
            first = x.clone() if first is None else first
        return self.head(self.norm(x + first).mean(1))


class Leaving(Encoder):
    """It goes through fewer blocks where a batch has many zeros: the first batch shows another way than later ones."""

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.embed(ids) + self.position
        n = 2 if bool((ids[:, 0] == 0).any()) else len(self.blocks)
        for block in self.blocks[:n]:
            x = block(x)[0]
        return self.head(self.norm(x).mean(1))


def loaded(make: Callable[[], nn.Module]) -> LoadedModel:
    torch.manual_seed(3)
    module = make().eval().requires_grad_(False)
    weights = {key: p.detach() for key, p in module.named_parameters()}
    return LoadedModel("own", module, weights, tensors_digest(weights), samples(1), models.N_CLASSES)


def samples(n: int) -> InputSet:
    ids = torch.randint(1, 20, (n, 6), generator=torch.Generator().manual_seed(5))
    return InputSet(named={"ids": ids, "mask": ids > 3})


def plain(model: LoadedModel, plan: Plan, x: InputSet) -> Tensor:
    assert model.module is not None
    shell = private_shell(model.module)
    set_parameters(shell, masked_weights(model, plan))
    with torch.no_grad():
        returned = call(shell, x)
    return returned["logits"] if isinstance(returned, dict) else returned


def evaluated(model: LoadedModel, split: Split, path: str) -> Evaluator:
    """An evaluator that runs as ``path`` says, and counted right for many plans, one after the other."""
    evaluator = Evaluator(model, split, batch_size=32)
    assert evaluator.path.startswith(path), evaluator.path
    matrices = [name for name, weight in model.weights.items() if weight.dim() > 1]
    for name in [*matrices, *reversed(matrices), None]:
        plan = models.plan(model, 0.7, only=name)
        evaluation: Evaluation = evaluator.final(plan)
        batches = [plain(model, plan, split.x[part]) for part in evaluator.batches]
        assert torch.equal(evaluation.predictions, torch.cat(batches).argmax(dim=1)), name
    return evaluator


def test_code_that_looks_at_its_inputs_types_is_exported_and_reuses_what_is_before_a_change() -> None:
    model = loaded(Encoder)
    evaluator = evaluated(model, Split("tune", samples(100), None), "prefix cache, exported graph")
    assert evaluator.cache.n_bytes > 0


@for_each("make", [Careful, Leaving])
@for_each("place", [70, 0])
def test_code_that_looks_at_its_inputs_numbers_runs_block_by_block(make: Callable[[], nn.Module], place: int) -> None:
    model = loaded(make)
    x = samples(100)
    x.named["ids"][place, 0] = 0
    evaluator = evaluated(model, Split("tune", x, None), "block chain of blocks (")
    assert evaluator.cache.n_bytes > 0


def test_a_change_in_a_late_block_runs_none_of_the_blocks_before_it() -> None:
    class Counted(Block):
        n_calls = 0

        def forward(self, x: Tensor, **options: Tensor) -> tuple[Tensor, ...]:
            Counted.n_calls += 1
            return super().forward(x, **options)

    class Counting(Careful):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([*(Counted() for _ in range(3)), Block()])

    model = loaded(Counting)
    split = Split("tune", samples(64), None)
    evaluator = Evaluator(model, split)
    evaluator.final(models.plan(model, 0.3, only="blocks.3.out.weight"))
    before = Counted.n_calls
    evaluation = evaluator.final(plan := models.plan(model, 0.8, only="blocks.3.out.weight"))
    assert Counted.n_calls == before
    assert torch.equal(evaluation.predictions, plain(model, plan, samples(64)).argmax(dim=1))


@for_each("tracer", [exported, chain])
def test_a_traced_model_holds_the_parameters_under_their_own_names(tracer: Callable[..., object]) -> None:
    model = loaded(Encoder)
    assert model.module is not None
    evaluator = Evaluator(model, Split("tune", samples(8), None))
    traced = tracer(private_shell(model.module), samples(1))
    program = type(evaluator.ready.programs[0])(
        traced.steps, traced.graph, {id(p): name for name, p in model.module.named_parameters()}
    )
    assert program.parameters == set(model.weights)


def test_a_model_that_cannot_be_taken_apart_runs_as_a_whole_and_says_why() -> None:
    model = models.load("stubborn")
    assert model.module is not None
    *_, last = ladder(lambda: private_shell(model.module), model.example)
    assert last.path.startswith("whole: ")
    evaluator = Evaluator(model, models.split(model, 80))
    assert evaluator.path.startswith("whole: ")
