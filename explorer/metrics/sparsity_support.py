"""Which runtime can make use of which zeros today: a dated table, each row with where it was read.

Zeros save time only where the software that runs the network knows their pattern. What was not found
written down, or measured, is said to be unknown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import torch

from explorer.metrics.latency import latency
from explorer.metrics.origin import machine, today
from explorer.metrics.size import n_of_m_pattern
from explorer.text.numbers import percent_asked
from explorer.types import Measurement, Plan

Pattern = Literal["none", "units", "two_of_four", "n_of_m", "blocks", "scattered"]
Faster = Literal["yes", "sometimes", "no", "unknown"]

PATTERNS: dict[Pattern, str] = {
    "none": "no zeros",
    "units": "whole units, cut out",
    "two_of_four": "2 of every 4 kept",
    "n_of_m": "n of every m kept, other than 2:4",
    "blocks": "blocks or kernels of zeros",
    "scattered": "single zeros anywhere",
}


@dataclass(frozen=True)
class Support:
    """One runtime and one pattern of zeros. ``faster``: does a forward pass take less time? ``as_of``: when read."""

    runtime: str
    pattern: Pattern
    hardware: str
    since: str
    faster: Faster
    condition: str
    source: str
    as_of: str

    def to_json(self) -> dict[str, str]:
        """One JSON-able row."""
        return asdict(self)


TABLE: tuple[Support, ...] = (
    Support(
        "Any runtime with dense kernels (torch, ONNX Runtime, TFLite, ...)",
        "units",
        "any",
        "always",
        "sometimes",
        "After removal the tensors are smaller. How much time that saves depends on the shapes: measure it.",
        "measured on this machine, on request",
        "2026-11",
    ),
    Support(
        "PyTorch, dense kernels (conv2d, linear)",
        "scattered",
        "any",
        "-",
        "no",
        "Every zero is multiplied like any other value.",
        "https://github.com/pytorch/ao/blob/main/torchao/sparsity/README.md",
        "2026-08",
    ),
    Support(
        "ONNX Runtime",
        "scattered",
        "CPU",
        "2020-10",
        "no",
        "Sparse initializers make the file smaller; kernels get dense tensors when the model is loaded.",
        "https://github.com/microsoft/onnxruntime/issues/5578",
        "2020-10",
    ),
    Support(
        "PyTorch torch.sparse, CSR",
        "scattered",
        "CPU",
        "1.10 or earlier",
        "sometimes",
        "Linear layers only, in beta. Measured on an AMD EPYC, 1 thread, torch 2.13, float32: 1024 x 1024 gains from "
        "95 % zeros on at batch 1, from 70 % at batch 32; 256 x 256 at batch 1 never.",
        "https://docs.pytorch.org/docs/stable/sparse.html",
        "2026-11",
    ),
    Support(
        "PyTorch, SparseSemiStructuredTensor (CUTLASS or cuSPARSELt)",
        "two_of_four",
        "NVIDIA GPU, compute capability 8.0 or higher",
        "2.1",
        "sometimes",
        "A prototype for linear layers with sizes in multiples of 16 to 128, by type; newer GPUs may gain less.",
        "https://docs.pytorch.org/tutorials/advanced/semi_structured_sparse.html",
        "2026-08",
    ),
    Support(
        "cuSPARSELt",
        "two_of_four",
        "NVIDIA GPU, compute capability 8.0 or higher",
        "0.0.1",
        "sometimes",
        "Matrix products in 8-bit, 16-bit and TF32 types; at most twice as fast, depending on shapes.",
        "https://docs.nvidia.com/cuda/cusparselt/",
        "2026-08",
    ),
    Support(
        "TensorRT, SPARSE_WEIGHTS",
        "two_of_four",
        "NVIDIA GPU, Ampere or newer",
        "8.0",
        "sometimes",
        "Convolutions and linear layers with 2:4 along input channels; the builder takes sparse kernels where faster.",
        "https://docs.nvidia.com/deeplearning/tensorrt/11.1.0/inference-library/data-formats-tensors.html",
        "2026-08",
    ),
    Support(
        "TensorRT",
        "scattered",
        "NVIDIA GPU",
        "-",
        "no",
        "Only 2:4 is used.",
        "https://github.com/NVIDIA/TensorRT/issues/3282",
        "2023-09",
    ),
    Support(
        "hipSPARSELt",
        "two_of_four",
        "AMD Instinct MI300 series",
        "unknown",
        "sometimes",
        "Matrix products in float16, bfloat16 and int8 with 2:4 along the summed axis.",
        "https://rocm.docs.amd.com/projects/hipSPARSELt/en/docs-7.1.1/conceptual/mi300-features.html",
        "2026-08",
    ),
    Support(
        "vLLM",
        "two_of_four",
        "NVIDIA GPU",
        "until 0.19",
        "no",
        "Kernels for 2:4 were removed in 2026; such models are refused.",
        "https://github.com/vllm-project/vllm/pull/36799",
        "2026-08",
    ),
    Support(
        "Core ML",
        "n_of_m",
        "Apple CPU, newer generations",
        "unknown",
        "sometimes",
        "Models of many linear layers; at least half of every group zero, in groups whose size divides 16.",
        "https://apple.github.io/coremltools/docs-guides/source/opt-pruning-perf.html",
        "2026-08",
    ),
    Support(
        "Core ML",
        "scattered",
        "Apple Neural Engine",
        "unknown",
        "sometimes",
        "Less weight memory to load, and zeros in a row may be skipped: 75 % sparsity or more.",
        "https://apple.github.io/coremltools/docs-guides/source/opt-pruning-perf.html",
        "2026-08",
    ),
    Support(
        "TensorFlow Lite with XNNPACK",
        "scattered",
        "CPU; switched off on x86 with AVX in 2020",
        "2020-12",
        "sometimes",
        "1x1 convolutions of MobileNet-like networks, at least 2/3 of their weights zero, stored sparse.",
        "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/delegates/xnnpack/README.md",
        "2026-08",
    ),
    Support(
        "OpenVINO, sparse weights decompression",
        "scattered",
        "Intel Xeon, 4th generation or newer",
        "2023.0 or earlier",
        "sometimes",
        "Linear layers quantized to 8 bit, limited by memory; above a sparsity that the user sets.",
        "https://docs.openvino.ai/2025/notebooks/sparsity-optimization-with-output.html",
        "2025",
    ),
    Support(
        "DeepSparse",
        "scattered",
        "x86 CPU, AVX-512 best",
        "0.5.1 or earlier",
        "sometimes",
        "Was made for this; its maker ended it on 2025-06-02, so no new version will come.",
        "https://github.com/neuralmagic/deepsparse/issues/1676",
        "2025-06",
    ),
    Support(
        "PyTorch and torchao, BSR",
        "blocks",
        "NVIDIA GPU",
        "torchao prototype",
        "sometimes",
        "Linear layers with blocks of 16 x 16 or larger, a power of 2; 1.46x for a ViT on an A100 as published.",
        "https://github.com/pytorch/pytorch.github.io/pull/1622",
        "2024-05",
    ),
    Support(
        "Any",
        "n_of_m",
        "GPU",
        "-",
        "unknown",
        "Patterns such as 6:8 have no hardware of their own; research maps some of them onto 2:4.",
        "https://raw.githubusercontent.com/mlresearch/v306/main/assets/hao26a/hao26a.pdf",
        "2026",
    ),
)

_ADVICE: dict[Pattern, tuple[str, ...]] = {
    "none": ("Nothing is pruned, so there is nothing to save.",),
    "units": (
        "Whole units can be cut out: the network gets smaller tensors, and every runtime may gain from that.",
        "How much time it saves is measured, not counted: small layers often do not run faster.",
    ),
    "two_of_four": (
        "2:4 zeros have hardware: NVIDIA GPUs of compute capability 8.0 or higher and AMD MI300, through cuSPARSELt, "
        "TensorRT, torch.sparse or hipSPARSELt. In dense kernels and on CPUs they save no time.",
    ),
    "n_of_m": (
        "Only 2:4 has hardware on GPUs; of this pattern Core ML may make use, where at least half is zero. "
        "Elsewhere it saves space in a packed file and no time.",
    ),
    "blocks": (
        "Blocks save time only in block-sparse kernels (torch and torchao with BSR on NVIDIA GPUs, 16 x 16 or larger). "
        "In dense kernels they save none.",
    ),
    "scattered": (
        "Single zeros save space in a packed file. Dense kernels (torch, ONNX Runtime) take as long as before.",
    ),
}


def pattern_of(plan: Plan) -> Pattern:
    """Which pattern of zeros a plan leaves in the tensors that it prunes."""
    if not plan.n_zero:
        return "none"
    if plan.kept_shapes:
        return "units"
    n_of_m = n_of_m_pattern([mask for mask in plan.left.values() if not bool(mask.all())])
    if n_of_m:
        return "two_of_four" if n_of_m == (2, 4) else "n_of_m"
    granularity = plan.spec.get("granularity") or {}
    return "blocks" if granularity.get("key") in ("block", "kernel") else "scattered"


def supports(plan: Plan) -> tuple[Support, ...]:
    """The rows of the table that speak of the plan's pattern."""
    pattern = pattern_of(plan)
    return tuple(row for row in TABLE if row.pattern == pattern)


def advice(plan: Plan) -> tuple[str, ...]:
    """What the zeros of this plan are good for, in a few sentences."""
    if plan.of_units is not None and plan.kept_shapes:
        return (*_ADVICE["units"], *_ADVICE["scattered"])
    pattern = pattern_of(plan)
    sentences = _ADVICE[pattern]
    if pattern == "scattered":
        return (*sentences, _about_csr(plan.sparsity))
    return sentences


def csr_ratio(sparsity: float, *, size: int = 1024, batch: int = 1, threads: int = 1, pairs: int = 20) -> Measurement:
    """Dense time / CSR time of one linear layer (size x size, float32) on this machine: above 1, CSR is faster.

    The median over interleaved pairs, with its 95 % interval.
    """
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(size, size, generator=generator)
    order = torch.randperm(size * size, generator=generator)
    weight.view(-1)[order[: round(sparsity * size * size)]] = 0
    x = torch.randn(1, size, generator=generator)
    timing = latency(_Product(weight), _Product(weight.to_sparse_csr()), x, batch=batch, pairs=pairs, threads=threads)
    zeros = f"{percent_asked(sparsity)} zeros"
    note = f"One {size} x {size} layer, {zeros}, batch {batch}, {threads} threads: dense time by CSR time."
    ratio = timing.ratio
    return Measurement(
        "csr_ratio", ratio.value, "x", "measured", ratio.low, ratio.high, timing.n, batch, machine(), today(), note
    )


class _Product(torch.nn.Module):
    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight @ x.T


def _about_csr(sparsity: float) -> str:
    if sparsity < 0.7:
        return "CSR kernels on a CPU need more zeros than this: expect nothing below about 70 %."
    return (
        "CSR kernels on a CPU may pay off for large linear layers, in batches from about 70 % zeros on: measure yours."
    )
