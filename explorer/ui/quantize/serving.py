"""What a language model takes of memory when it is served: a card that counts as its choices move."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.metrics.sparsity_support import advice
from explorer.pruning.plan import plan as make_plan
from explorer.recovery.serving import Serving, serving
from explorer.recovery.settings import CACHE_BITS
from explorer.text.names import clean_markdown
from explorer.text.numbers import bytes_text, percent
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, session
from explorer.ui.widgets.persistent_widget import remembered

_BATCHES = (1, 4, 16, 64, 256)
_CONTEXTS = (128, 1024, 4096, 32_768, 131_072)


def card(model: LoadedModel, dataset: Dataset) -> None:
    """Weights and cache of the setting on Explore, in the model's own numbers and in fewer bits."""
    st.header("Memory when served", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="serving_controls"):
        batch = _choice("Texts at a time", "serving_batch", _BATCHES, 1)
        context = _choice("Tokens of context", "serving_context", _CONTEXTS, 4096)
        bits = _choice("Bits in the cache", "serving_bits", CACHE_BITS, 16)
    spec = session.workspace().spec
    plan = make_plan(model, spec, cache.scores(model, spec, dataset))
    try:
        rows = serving(model, plan, batch=batch, context=context, cache_bits=bits)
    except ExplorerError as refusal:
        st.caption(clean_markdown(str(refusal), 300))
        return
    st.dataframe([_row(row) for row in rows], hide_index=True)
    st.caption(
        f"The setting on Explore, {percent(plan.sparsity)} pruned; all counted. Cache: {rows[0].cache.note} "
        "Weights as dense kernels need them, zeros stored; the smallest file needs software that reads it. "
        f"{clean_markdown(' '.join(advice(plan)), 500)}"
    )


def _choice(label: str, key: str, options: tuple[int, ...], default: int) -> int:
    changed = remembered(key, default, options)
    return int(st.selectbox(label, options, format_func="{:,}".format, key=key, width=150, on_change=changed))


def _row(row: Serving) -> dict[str, str]:
    return {
        "bits": str(row.bits),
        "weights": bytes_text(row.dense.value),
        "smallest file": bytes_text(row.smallest.value),
        "cache": bytes_text(row.cache.value),
        "weights and cache": bytes_text(row.dense.value + row.cache.value),
    }
