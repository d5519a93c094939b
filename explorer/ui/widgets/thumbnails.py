"""The samples behind a number: small pictures with the true, the dense and the pruned answer."""

from __future__ import annotations

import base64
import io

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from explorer.text.names import clean_html
from explorer.types import Dataset, Evaluation
from explorer.types.inputs import one_tensor

_MOST = 24
_EDGE = 56


def grid(dataset: Dataset, evaluation: Evaluation, which: Tensor, title: str) -> None:
    """Up to 24 of the samples ``which`` (indices into the tune split), with their labels."""
    if not len(which):
        return
    split = dataset.splits["tune"]
    cells, x = [], one_tensor(split.x[which[:_MOST]], "A picture")
    for place, i in enumerate(which[:_MOST].tolist()):
        true = "" if split.y is None else dataset.class_name(int(split.y[i]))
        dense = dataset.class_name(int(evaluation.dense_predictions[i]))
        now = dataset.class_name(int(evaluation.predictions[i]))
        words = f"true {true}, dense {dense}, pruned {now}"
        cells.append(
            f'<figure style="margin:0;width:{_EDGE + 16}px;font-size:.72rem;line-height:1.25;text-align:center">'
            f'<img src="{picture(x[place])}" width="{_EDGE}" height="{_EDGE}" alt="{clean_html(words)}" '
            f'title="{clean_html(words)}" style="border-radius:.3rem;image-rendering:pixelated">'
            f"<figcaption>{clean_html(dense, 18)} → {clean_html(now, 18)}</figcaption></figure>"
        )
    more = f" (the first {_MOST} of {len(which)})" if len(which) > _MOST else ""
    st.caption(f"{title}{more}: the dense answer → the pruned answer")
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.5rem;max-width:30rem">{"".join(cells)}</div>')


def picture(x: Tensor) -> str:
    """(channels, height, width) of any range -> a PNG as a data address."""
    low, high = float(x.min()), float(x.max())
    pixels = ((x - low) / max(high - low, 1e-9) * 255).round().to(torch.uint8)
    array = pixels[0].numpy() if len(pixels) != 3 else pixels.movedim(0, -1).contiguous().numpy()
    out = io.BytesIO()
    Image.fromarray(array).save(out, format="PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
