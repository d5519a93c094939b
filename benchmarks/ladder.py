"""What a change in a late block costs beside a whole pass, for each way of taking a model apart, in turns.

    python -m benchmarks.ladder [--samples 192] [--rounds 7]

A 12-layer encoder is pruned in layer 10, again and again; the other side is the plain module with the same masks over
the same batches. Prints one JSON object; answers are compared in every round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.metrics.origin import machine, today
from explorer.pruning.apply import masked_weights, private_shell, set_parameters
from explorer.types import InputSet, LoadedModel, Plan, Split
from explorer.types.inputs import call

LAYERS, WIDTH, LENGTH, WORDS, CLASSES = 12, 96, 32, 1000, 10
CHANGED = "blocks.9.feed.0"  # of the tenth block


class Block(nn.Module):
    """Attention and a feed-forward part; ``looks`` says what its code asks of its inputs."""

    def __init__(self, looks: str) -> None:
        super().__init__()
        self.looks = looks
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.feed = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if self.looks == "types" and not isinstance(x, Tensor):
            raise TypeError("a tensor is needed")
        if self.looks == "numbers" and not bool(x.isfinite().all()):
            raise ValueError("the values are not finite")
        y = self.norms[0](x)
        heads = (*y.shape[:-1], 4, WIDTH // 4)
        query, key, value = (part(y).view(heads).transpose(1, 2) for part in (self.query, self.key, self.value))
        y = nn.functional.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).reshape(x.shape)
        x = x + self.out(y)
        return x + self.feed(self.norms[1](x))


class Encoder(nn.Module):
    """Words with a mask in, class scores out."""

    def __init__(self, looks: str) -> None:
        super().__init__()
        self.embed, self.position = nn.Embedding(WORDS, WIDTH), nn.Parameter(torch.randn(LENGTH, WIDTH))
        self.blocks = nn.ModuleList(Block(looks) for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        x = self.embed(ids) + self.position
        for block in self.blocks:
            x = block(x, mask[:, None, None, :])
        return {"logits": self.head(x[:, 0])}


@dataclass(frozen=True)
class Rounds:
    """Seconds of each side, and in how many rounds all answers were equal."""

    whole: list[float]
    again: list[float]
    n_equal: int


def measured(model: LoadedModel, split: Split, plans: list[Plan], evaluator: Evaluator) -> Rounds:
    """Both sides for every plan, in turns."""
    whole, again, n_equal = [], [], 0
    for plan in plans:
        start = time.perf_counter()
        evaluation = evaluator.final(plan)
        again.append(time.perf_counter() - start)
        start = time.perf_counter()
        answers = plain(model, plan, split, evaluator.batches)
        whole.append(time.perf_counter() - start)
        n_equal += torch.equal(answers, evaluation.predictions)
    return Rounds(whole, again, n_equal)


def plain(model: LoadedModel, plan: Plan, split: Split, batches: list[slice]) -> Tensor:
    """First choices of the plain module with masked weights."""
    if model.module is None:
        raise ValueError("a model that runs is needed")
    shell = private_shell(model.module)
    set_parameters(shell, masked_weights(model, plan))
    with torch.inference_mode():
        answers = [call(shell, split.x[part]) for part in batches]
    return torch.cat([answer["logits"].argmax(dim=1) for answer in answers])  # type: ignore[index]


def plans_for(model: LoadedModel, n: int) -> list[Plan]:
    """Plans that differ in the tenth block alone."""
    weight = model.weights[f"{CHANGED}.weight"].abs()
    whole = ex.plan(model, ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5"))
    ranked = weight.flatten().sort().values
    cuts = [ranked[int(len(ranked) * (0.2 + 0.6 * i / max(1, n - 1)))] for i in range(n)]
    return [
        replace(whole, masks={f"{CHANGED}.weight": weight > cut}, updates={}, digest=f"{i}")
        for i, cut in enumerate(cuts)
    ]


def row(looks: str, n_samples: int, rounds: int) -> dict[str, object]:
    torch.manual_seed(0)
    ids = torch.randint(1, WORDS, (n_samples, LENGTH))
    x = InputSet(named={"ids": ids, "mask": torch.arange(LENGTH) < torch.randint(8, LENGTH, (n_samples, 1))})
    model = ex.load(Encoder(looks).eval(), example={key: tensor[:1] for key, tensor in x.named.items()}, name=looks)
    split = Split("tune", x, None)
    evaluator = Evaluator(model, split, threads=1)
    plans = plans_for(model, rounds + 2)
    start = time.perf_counter()
    measured(model, split, plans[:2], evaluator)  # the first passes fill the cache
    first = time.perf_counter() - start
    result = measured(model, split, plans[2:], evaluator)
    ratios = [a / b for a, b in zip(result.whole, result.again, strict=True)]
    return {
        "path": evaluator.path,
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(min(ratios), 2), round(max(ratios), 2)],
        "equal_rounds": f"{result.n_equal} of {rounds}",
        "seconds_before": round(first, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = {looks: row(looks, given.samples, given.rounds) for looks in ("shapes", "types", "numbers")}
    about = {"layers": LAYERS, "changed": CHANGED, "samples": given.samples}
    print(json.dumps({**about, "code looks at": rows, "machine": machine("cpu"), "date": today()}, indent=1))


if __name__ == "__main__":
    main()
