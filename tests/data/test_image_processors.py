"""Pictures in folders are prepared as the library of the network prepares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import explorer as ex
from explorer.types.files.reading.fitting import Fitting

SIZES = ((40, 30), (30, 41), (23, 23), (16, 64), (64, 51), (37, 90))


def drawn(folder: Path) -> list[Image.Image]:
    """Pictures of many shapes, one class each; smooth, with edges."""
    images = []
    for i, (width, height) in enumerate(SIZES):
        across, down = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 9, height))
        waves = np.stack([np.sin(across + i), np.cos(down - i), np.sign(np.sin(across * down))], -1)
        images.append(Image.fromarray((127.5 + 127.5 * waves).astype(np.uint8)))
        (folder / str(i)).mkdir(parents=True)
        images[-1].save(folder / str(i) / "p.png")
    return images


def read(model: Any, folder: Path) -> Tensor:
    """What the model is given of each class's picture, in the order of the classes."""
    split = ex.load_data(f"folder:{folder}", model=model).splits["tune"]
    assert split.y is not None
    x = split.x
    assert isinstance(x, Tensor)
    return x[split.y.argsort()]


def test_the_image_processor_of_a_folder_prepares_pictures_as_transformers_does(tmp_path: Path) -> None:
    transformers: Any = pytest.importorskip("transformers")
    backends: Any = pytest.importorskip("transformers.models.vit.image_processing_pil_vit")
    from tests.models.test_hugging_face import PICTURES

    images = drawn(tmp_path / "pictures")
    config = transformers.ViTConfig(**{**PICTURES, "num_labels": len(SIZES)})
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    square, short = {"height": 16, "width": 16}, {"shortest_edge": 21}
    processors: tuple[dict[str, object], ...] = (
        {"size": square, "resample": 3},
        {"size": square, "resample": 2, "image_mean": [0.2, 0.3, 0.4], "image_std": [0.5, 0.6, 0.7]},
        {"size": square, "rescale_factor": 1 / 127.5, "image_mean": [1.0] * 3, "image_std": [1.0] * 3},
        {"size": square, "do_normalize": False},
        {"size": short, "resample": 3, "do_center_crop": True, "crop_size": square},
    )
    for about in processors:
        theirs = backends.ViTImageProcessorPil(**about)
        theirs.save_pretrained(tmp_path / "vit")
        stored = json.loads((tmp_path / "vit" / "preprocessor_config.json").read_text())
        assert stored["size"] == dict(about["size"]), about  # type: ignore[call-overload]
        expected = theirs([image.convert("RGB") for image in images], return_tensors="pt")["pixel_values"]
        given = read(ex.load(str(tmp_path / "vit")), tmp_path / "pictures")
        assert given.shape == expected.shape
        assert torch.allclose(given, expected, atol=1e-5), about


@pytest.mark.parametrize("by", ["bilinear", "bicubic"])
def test_networks_of_torchvision_and_timm_get_what_its_own_transforms_give(by: str, tmp_path: Path) -> None:
    transforms: Any = pytest.importorskip("torchvision.transforms")
    images = drawn(tmp_path / "pictures")
    fitting = Fitting.of({"kind": "image", "resize": 24, "crop": 17, "interpolation": by})
    assert fitting is not None
    resized = transforms.Resize(24, transforms.InterpolationMode(by))
    theirs = transforms.Compose([resized, transforms.CenterCrop(17)])
    for image in images:
        assert np.array_equal(np.asarray(fitting.fitted(image)), np.asarray(theirs(image))), image.size
