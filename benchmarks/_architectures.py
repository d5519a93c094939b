"""Published architectures by name, with weights of chance: structure is what is tried."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

CLASSES = 1000
TIMM = [
    "resnet18",
    "resnext50_32x4d",
    "resnest14d",
    "regnetx_004",
    "densenet121",
    "mobilenetv2_100",
    "efficientnet_b0",
    "mnasnet_100",
    "convnext_tiny",
    "convmixer_768_32",
    "gmlp_s16_224",
    "vit_tiny_patch16_224",
    "deit3_small_patch16_224",
    "swinv2_tiny_window8_256",
    "beit_base_patch16_224",
    "xcit_nano_12_p16_224",
    "mobilevit_xxs",
    "poolformer_s12",
    "twins_svt_small",
    "crossvit_tiny_240",
    "inception_v3",
    "xception41",
    "hrnet_w18_small",
    "nfnet_l0",
    "rexnet_100",
    "selecsls42b",
    "cspdarknet53",
    "spnasnet_100",
    "lcnet_050",
    "ese_vovnet19b_dw",
    "fastvit_t8",
    "inception_next_tiny",
    "efficientformer_l1",
    "starnet_s1",
    "hiera_tiny_224",
    "mixer_s16_224",
    "resmlp_12_224",
    "repvgg_a0",
    "mobileone_s0",
    "convnextv2_atto",
    "ghostnet_100",
    "dla34",
    "res2net50_26w_4s",
    "edgenext_xx_small",
    "levit_128s",
    "pvt_v2_b0",
    "caformer_s18",
    "tf_mixnet_s",
]
# Operators that torchvision's Python parts name, and that classification networks never call.
_NOT_CALLED = [
    "nms",
    "qnms",
    "roi_align",
    "qroi_align",
    "roi_pool",
    "ps_roi_align",
    "ps_roi_pool",
    "deform_conv2d",
    "box_iou_rotated",
    "_roi_align_backward",
    "_roi_pool_backward",
    "_ps_roi_align_backward",
    "_ps_roi_pool_backward",
    "_deform_conv2d_backward",
]
_libraries: list[torch.library.Library] = []


def why_missing(library: str) -> str | None:
    """A sentence where a library of architectures is not installed."""
    try:
        _torchvision()
        __import__(library)
    except ImportError:
        return f"{library} is not installed."
    return None


def names(library: str) -> list[str]:
    """All classification networks of torchvision, or the chosen families of timm."""
    if library == "timm":
        return list(TIMM)
    return list(_torchvision().list_models(module=_torchvision()))


def build(library: str, name: str) -> tuple[nn.Module, torch.Tensor]:
    """A network in eval mode, and one picture of the size that it takes."""
    torch.manual_seed(0)
    if library == "timm":
        _torchvision()
        import timm

        module: Any = timm.create_model(name, pretrained=False)
        shape = tuple(module.default_cfg["input_size"])
    else:
        options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        module = _torchvision().get_model(name, weights=None, **options)
        size = 299 if name == "inception_v3" else 256 if name.startswith("swin_v2") else 224
        shape = (3, size, size)
    for parameter in module.parameters():  # some heads start at zero: then every output is equal and nothing is tried
        if parameter.dim() > 1 and not bool(parameter.detach().any()):
            nn.init.normal_(parameter, std=0.02)
    return module.eval(), torch.randn(1, *shape)


def _torchvision() -> Any:
    """torchvision's models, also where its compiled operators do not fit this torch."""
    if not _libraries and not hasattr(torch.ops.torchvision, "nms"):
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in _NOT_CALLED:
            library.define(f"{name}(Tensor x) -> Tensor")
        _libraries.append(library)
    import torchvision.models

    return torchvision.models
