"""How long it takes from a model's address to its first estimate, for one model of each source.

    python -m benchmarks.doors [--samples 256] [--only onnx]

Each source is opened in a process of its own, so that memory is its own, too. Prints one JSON object: seconds to open
(``ex.load``), seconds to the first estimate from 64 samples after that, the most memory held, the rung of the ladder
of tracers, and the reuse: how many times less processor time a change in a late layer takes than a whole pass of the
plain module.
Sources whose library is not installed are named with the reason.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.metrics.origin import machine, today
from explorer.pruning.apply import masked_weights, private_shell, set_parameters
from explorer.types import Inputs, LoadedModel, Split
from explorer.types.inputs import call, mapped

HALF = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
_ROUNDS = 9
Door = tuple[object, dict[str, Any]]  # what ex.load is given


def net() -> nn.Module:
    """A small convolutional network."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*layers, *head).eval()


def module(folder: Path) -> Door:
    return net(), {"example": torch.zeros(1, 3, 32, 32)}


def bundled(folder: Path) -> Door:
    return "digits-resnet", {}


def own_file(folder: Path) -> Door:
    state = ex.load("digits-resnet").module
    if state is None:
        raise ValueError("the bundled model runs")
    torch.save(state.state_dict(), folder / "w.pt")
    return str(folder / "w.pt"), {"arch": "digits-resnet"}


def own_factory(folder: Path) -> Door:
    return "benchmarks.doors:factory", {"trust_code": True}


def factory() -> nn.Module:
    """The network as a factory of one's own gives it."""
    built: Any = net()
    built.input_shape = (3, 32, 32)
    return built  # type: ignore[no-any-return]


def hf_folder(folder: Path) -> Door:
    import transformers

    torch.manual_seed(0)
    sizes = {"hidden_size": 128, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 256}
    config = transformers.BertConfig(**sizes, vocab_size=2000, max_position_embeddings=64)
    transformers.BertForSequenceClassification(config).save_pretrained(folder / "bert")
    return str(folder / "bert"), {}


def timm(folder: Path) -> Door:
    import timm as library

    torch.save(library.create_model("test_resnet", num_classes=10).state_dict(), folder / "t.pt")
    return str(folder / "t.pt"), {"arch": "timm:test_resnet"}


def torchvision(folder: Path) -> Door:
    from torchvision import models

    torch.save(models.get_model("squeezenet1_1", weights=None, num_classes=10).state_dict(), folder / "v.pt")
    return str(folder / "v.pt"), {"arch": "torchvision:squeezenet1_1"}


def onnx(folder: Path) -> Door:
    path, axes = folder / "net.onnx", {"x": {0: "n"}, "y": {0: "n"}}
    x = torch.zeros(2, 3, 32, 32)
    torch.onnx.export(net(), (x,), str(path), dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes=axes)
    return str(path), {}


DOORS: dict[str, Callable[[Path], Door]] = {
    door.__name__: door for door in (module, bundled, own_file, own_factory, hf_folder, timm, torchvision, onnx)
}


def measured(name: str, n_samples: int) -> dict[str, object]:
    """One source, in this process."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(ImportError):
            from tests.torchvision_operators import define_missing_operators

            define_missing_operators()
        address, options = DOORS[name](Path(place))
        start = time.perf_counter()
        model: LoadedModel = ex.load(address, **options)  # type: ignore[arg-type]
        opened = time.perf_counter()
        split = Split("tune", _samples(model, n_samples), torch.arange(n_samples) % (model.n_classes or 2))
        evaluator = Evaluator(model, split)
        next(evaluator.run(ex.plan(model, HALF)))
        first = time.perf_counter()
        return {
            "parameters": model.n_parameters,
            "seconds_to_open": round(opened - start, 2),
            "seconds_to_first_estimate": round(first - opened, 2),
            "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "rung": evaluator.path,
            **_reuse(model, split, evaluator),
        }


def _samples(model: LoadedModel, n: int) -> Inputs:
    if model.example is None:
        raise ValueError("a model that runs is needed")
    generator = torch.Generator().manual_seed(1)

    def like(x: Tensor) -> Tensor:
        rows = x[:1].expand(n, *x.shape[1:]).contiguous()
        return torch.randn(rows.shape, generator=generator) if x.is_floating_point() else rows

    return mapped(model.example, like)


def _reuse(model: LoadedModel, split: Split, evaluator: Evaluator) -> dict[str, object]:
    """Processor time of the plain module over the evaluator's, where the last prunable layer but one changes."""
    whole = ex.plan(model, HALF)
    late = [name for name in whole.masks][-2:][0]
    evaluator.final(whole)
    shell, plain, again = private_shell(model.module or nn.Module()), [], []
    ranked = model.weights[late].abs().flatten().sort().values
    for i in range(_ROUNDS):
        mask = model.weights[late].abs() > ranked[int(len(ranked) * (0.3 + 0.05 * i))]
        plan = replace(whole, masks={**whole.masks, late: mask}, updates={}, digest=f"{i}")
        start = time.process_time()
        answers = evaluator.final(plan).predictions
        again.append(time.process_time() - start)
        set_parameters(shell, masked_weights(model, plan))
        start = time.process_time()
        with torch.inference_mode():
            outputs = [call(shell, split.x[part]) for part in evaluator.batches]
        plain.append(time.process_time() - start)
        chosen = torch.cat([_logits(output).argmax(1) for output in outputs])
        if not torch.equal(chosen, answers):
            raise ValueError("the evaluator answers otherwise than the plain module")
    return {"changed": late, "reuse": round(statistics.median(plain) / statistics.median(again), 1)}


def _logits(output: object) -> Tensor:
    value = output if isinstance(output, Tensor) else output.logits  # type: ignore[attr-defined]
    return value  # type: ignore[no-any-return]


def main() -> None:
    """Print what every door takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--only", choices=DOORS)
    parser.add_argument("--here", action="store_true", help="in this process, and print this source alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.here:
        with contextlib.redirect_stdout(sys.stderr):
            answer = measured(args.only or "module", args.samples)
        print(json.dumps(answer))
        return
    doors = {name: _apart(name, args.samples) for name in ([args.only] if args.only else DOORS)}
    print(json.dumps({"doors": doors, "samples": args.samples, "machine": machine(), "date": today()}, indent=1))


def _apart(name: str, n_samples: int) -> dict[str, object]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.doors", "--only", name, "--here"]
    ended = subprocess.run([*command, "--samples", str(n_samples)], capture_output=True, text=True, check=False)
    if ended.returncode:
        return {"not_measured": (ended.stderr.strip().splitlines() or ["it ended without a word"])[-1][:200]}
    answer: dict[str, object] = json.loads(ended.stdout)
    return answer


if __name__ == "__main__":
    main()
