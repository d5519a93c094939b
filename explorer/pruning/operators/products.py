"""What products of activations do to channel labels: attention is a product for each head.

In a product of two activations, dimensions that both have and the result keeps (batch, heads)
stay apart; along all others everything meets everything. So whatever shares a head becomes one
unit, and a network without such a dimension has nothing that could go alone.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.pruning.coupling.uses import Uses
from explorer.pruning.coupling.views import distinct, frozen, is_labels, varying
from explorer.types.aliases import GraphValue

_ONE_HEAD = "an attention with one head: everything in it meets everything"
_HEADS = "one head of an attention"


def matmul(uses: Uses, a: Tensor, b: Tensor) -> Tensor | None:
    """a @ b for activations of two or more dimensions; None where it cannot be followed."""
    if min(a.dim(), b.dim()) < 2:
        return None
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])  # type: ignore[no-untyped-call]
    names = string.ascii_uppercase[: len(batch)]
    operands = [a.expand(*batch, *a.shape[-2:]), b.expand(*batch, *b.shape[-2:])]
    return product(uses, [names + "ij", names + "jk"], names + "ik", operands)


def einsum(uses: Uses, equation: str, operands: Sequence[Tensor]) -> Tensor | None:
    """``torch.einsum`` of two or more activations; None where it cannot be followed."""
    inputs, _, out = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    odd = "." in equation or not out or len(terms) != len(operands) or len(terms) < 2
    if odd or any(len(set(term)) != len(term) for term in terms):
        return None
    return product(uses, terms, out, operands)


def attention(uses: Uses, q: Tensor, k: Tensor, v: Tensor, *, grouped: bool) -> Tensor:
    """``scaled_dot_product_attention``: (..., heads, tokens, width) each."""
    if grouped:
        k, v = (t.repeat_interleave(q.shape[-3] // t.shape[-3], -3) for t in (k, v))
    names = string.ascii_uppercase[: q.dim() - 2]
    return product(uses, [names + "td", names + "sd", names + "se"], names + "te", [q, k, v])


def product(uses: Uses, terms: Sequence[str], out: str, operands: Sequence[Tensor]) -> Tensor:
    """Labels of an einsum over activations; each unit that stays apart is marked as a head."""
    sizes = {name: x.shape[d] for term, x in zip(terms, operands, strict=True) for d, name in enumerate(term)}
    shared = [name for name in out if all(name in term for term in terms)]
    contracts = any(name not in out for name in sizes)
    apart = [_apart(uses, term, x, shared) for term, x in zip(terms, operands, strict=True)]
    for other in apart[1:]:
        uses.labels.join(apart[0], other, _HEADS if contracts else "multiplied together")
    unit = uses.labels.same(apart[0])
    if contracts and not varying(unit):
        uses.labels.freeze(unit, _ONE_HEAD)
    elif contracts:
        uses.labels.mark(unit, "head")
    view = [sizes[name] if name in shared else 1 for name in out]
    return unit.reshape(view).expand([sizes[name] for name in out])


def _apart(uses: Uses, term: str, x: Tensor, shared: Sequence[str]) -> Tensor:
    """(sizes of ``shared``) one label for each; all that differs within becomes one."""
    rest = [d for d, name in enumerate(term) if name not in shared]
    order = [term.index(name) for name in shared]
    lines = distinct(x).permute([*order, *rest])
    lines = lines.reshape(*lines.shape[: len(shared)], -1)
    uses.labels.join(lines[..., :1], lines, _HEADS)
    return lines[..., 0].expand([x.shape[d] for d in order])


def labels_of(operand: GraphValue) -> Tensor:
    """An operand as labels: numbers that are no activation cannot shrink."""
    return operand if is_labels(operand) else frozen(operand.shape)
