"""How a picture of any size becomes one of the network's, in the way of the library that trained it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from PIL import Image

from explorer.types.aliases import JsonDict

_FILTERS = {
    name: getattr(Image.Resampling, name.upper()) for name in ("nearest", "bilinear", "bicubic", "lanczos", "box")
}
_MOST = 4096


@dataclass(frozen=True)
class Fitting:
    """Scale, then cut the middle out.

    ``short``: the shorter side after scaling; without it both sides become ``edge``, whatever they were, and 0 scales
    nothing. ``edge``: that of the picture that comes out. ``rounds``: torchvision rounds where the middle begins.
    """

    edge: int
    short: int | None = None
    interpolation: str = "bilinear"
    rounds: bool = True

    @classmethod
    def of(cls, about: object) -> Fitting | None:
        """What ``meta["preprocess"]`` of a model says; None where it says nothing that can be followed."""
        if not isinstance(about, Mapping) or about.get("kind") != "image":
            return None
        edge, short, by = about.get("crop"), about.get("resize"), about.get("interpolation")
        if type(edge) is not int or not 0 < edge <= _MOST or by not in _FILTERS:
            return None
        if short is not None and (type(short) is not int or short > _MOST or 0 < short < edge or short < 0):
            return None
        return cls(edge, short, by, about.get("rounds") is not False)

    @property
    def sentence(self) -> str:
        """The same in words."""
        cut = f"the middle {self.edge} pixels square"
        if self.short == 0:
            return f"unscaled, {cut}."
        if self.short is None:
            return f"{self.edge} times {self.edge} pixels, {self.interpolation}."
        return f"the short side to {self.short} pixels, {self.interpolation}, then {cut}."

    def to_json(self) -> JsonDict:
        """The same for the process that decodes."""
        return asdict(self)

    def fitted(self, image: Image.Image) -> Image.Image:
        """The picture of ``edge`` times ``edge`` pixels."""
        size = self._scaled(*image.size)
        if size != image.size:
            image = image.resize(size, _FILTERS[self.interpolation])
        left, top = (self._start(n) for n in image.size)
        return (
            image
            if image.size == (self.edge, self.edge)
            else image.crop((left, top, left + self.edge, top + self.edge))
        )

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        if self.short == 0:
            return width, height
        if self.short is None:
            return self.edge, self.edge
        long = int(self.short * max(width, height) / min(width, height))
        return (self.short, long) if width <= height else (long, self.short)

    def _start(self, n: int) -> int:
        middle = (n - self.edge) / 2
        return round(middle) if self.rounds else int(middle)
