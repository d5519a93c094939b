"""Small networks with the parts of published architectures: each class is one way in which channels hang together."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@torch.fx.wrap
def dropped_path(x: Tensor, share: float, training: bool) -> Tensor:
    """Stochastic depth, kept from being traced as published libraries do."""
    return x * (torch.rand(x.shape[0], 1, 1, 1) < share) if training else x


class Norm2d(nn.LayerNorm):
    """Layer normalisation over the channels of pictures."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class Responses(nn.Module):
    """Global response normalisation, places before channels."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n))
        self.bias = nn.Parameter(torch.randn(n))

    def forward(self, x: Tensor) -> Tensor:
        strength = x.norm(p=2, dim=(1, 2), keepdim=True)
        share = strength / (strength.mean(dim=-1, keepdim=True) + 1e-6)
        return x + torch.addcmul(self.bias.view(1, 1, 1, -1), self.weight.view(1, 1, 1, -1), x * share)


class ConvNext(nn.Module):
    """Depthwise convolutions, linear layers over channels, layer scale and stochastic depth."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(1, 10, 2, 2), Norm2d(10)
        self.depth, self.norm = nn.Conv2d(10, 10, 3, padding=1, groups=10), nn.LayerNorm(10)
        self.up, self.responses, self.down = nn.Linear(10, 20), Responses(20), nn.Linear(20, 10)
        self.scale = nn.Parameter(torch.randn(10, 1, 1))
        self.last, self.one_group, self.fc = nn.Conv2d(10, 12, 1), nn.GroupNorm(1, 12), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem_norm(self.stem(x))
        y = self.norm(self.depth(x).permute(0, 2, 3, 1))
        y = self.down(self.responses(F.gelu(self.up(y)))).permute(0, 3, 1, 2)
        x = x + dropped_path(self.scale * y, 0.5, self.training)
        return self.fc(self.one_group(self.last(x)).mean((2, 3)))


class Classes(nn.Module):
    """A vision transformer: class and distillation tokens, positions cut from a longer table."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(1, 12, 2, 2)
        self.cls, self.dist = nn.Parameter(torch.randn(1, 1, 12)), nn.Parameter(torch.randn(1, 1, 12))
        self.positions = nn.Parameter(torch.randn(1, 30, 12))
        self.norm, self.attend = nn.LayerNorm(12), nn.MultiheadAttention(12, 3, batch_first=True)
        self.second, self.up, self.down = nn.RMSNorm(12), nn.Linear(12, 16), nn.Linear(16, 12)
        self.scale, self.out = nn.Parameter(torch.randn(12)), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        n = x.shape[0]
        x = torch.cat([self.cls.expand(n, -1, -1), self.dist.expand(n, -1, -1), x], dim=1)
        x = x + self.positions[:, : x.shape[1]]
        y = self.norm(x)
        x = x + self.attend(y, y, y, need_weights=False)[0]
        x = x + self.scale * self.down(F.gelu(self.up(self.second(x))))
        return self.out((x[:, 0] + x[:, 1]) / 2)


class Windows(nn.Module):
    """Shifted windows with a mask made while it runs, a table of relative positions, and patch merging."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm, self.qkv = nn.Conv2d(1, 8, 1), nn.LayerNorm(8), nn.Linear(8, 24)
        self.table, self.proj = nn.Parameter(torch.randn(49, 2)), nn.Linear(8, 8)
        self.register_buffer("places", torch.arange(256).reshape(16, 16) % 49)
        self.merged, self.reduce, self.fc = nn.LayerNorm(32), nn.Linear(32, 12, bias=False), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).permute(0, 2, 3, 1)
        x = x + self._windows(self.norm(x))
        x = torch.cat([x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], -1)
        return self.fc(self.reduce(self.merged(x)).mean((1, 2)))

    def _windows(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        x = F.pad(x, (0, 0, 0, (4 - w % 4) % 4, 0, (4 - h % 4) % 4))
        x = torch.roll(x, (-2, -2), (1, 2))
        x = x.view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        q, k, v = self.qkv(x).reshape(x.shape[0], 16, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.places.view(-1)].view(16, 16, -1).permute(2, 0, 1).contiguous().unsqueeze(0)
        mask = x.new_zeros((h, w))
        for i in (slice(0, -4), slice(-4, -2), slice(-2, None)):
            mask[i, i] = 1.0
        mask = mask.view(h // 4, 4, w // 4, 4).permute(0, 2, 1, 3).reshape(-1, 16)
        mask = (mask.unsqueeze(1) - mask.unsqueeze(2)).masked_fill(mask.unsqueeze(1) != mask.unsqueeze(2), -9.0)
        scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) + bias
        scores = scores.view(n, -1, 2, 16, 16) + mask.unsqueeze(1).unsqueeze(0)
        y = (scores.view(-1, 2, 16, 16).softmax(-1) @ v).transpose(1, 2).reshape(-1, 16, c)
        y = self.proj(y).view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return torch.roll(y, (2, 2), (1, 2))


class RootMeanSquare(nn.Module):
    """A language model's normalisation written out, and a gated layer behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.weight = nn.Embedding(11, 12), nn.Parameter(torch.randn(12))
        self.gate, self.up, self.down = (nn.Linear(12, 14), nn.Linear(12, 14), nn.Linear(14, 12))
        self.out = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x.abs().long().clamp_max(10))
        y = x.to(torch.float32)
        y = self.weight * (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return self.out(x.mean(1))


class Rotated(nn.Module):
    """Heads whose channels are turned by their place, two of them to a key and value, with weights that lie across."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.q, self.kv = nn.Linear(5, 12), nn.Linear(12, 16), nn.Linear(12, 16)
        self.across_weight, self.bias, self.out = (
            nn.Parameter(torch.randn(16, 10)),
            nn.Parameter(torch.randn(10)),
            nn.Linear(10, 4),
        )
        self.register_buffer("turns", torch.linspace(0.0, 3.0, 24).reshape(6, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        n, t = x.shape[:2]
        q = self.q(x).view(n, t, 4, 4).transpose(1, 2)
        both = self.kv(x).view(n, t, 4, 4).transpose(1, 2)
        k, v = both[:, :2], both[:, 2:]
        q, k = (y * self.turns.cos() + torch.cat([-y[..., 2:], y[..., :2]], -1) * self.turns.sin() for y in (q, k))
        k, v = (y[:, :, None].expand(n, 2, 2, t, 4).reshape(n, 4, t, 4) for y in (k, v))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, 16)
        return self.out(F.relu(torch.addmm(self.bias, y, self.across_weight)).view(n, t, 10).mean(1))


Build = Callable[[], nn.Module]
PUBLISHED: dict[str, tuple[Build, tuple[int, ...]]] = {
    "convolutions like a transformer": (ConvNext, (1, 8, 8)),
    "class tokens": (Classes, (1, 8, 8)),
    "windows": (Windows, (1, 8, 8)),
    "root mean squares": (RootMeanSquare, (5,)),
    "turned heads": (Rotated, (6, 5)),
}
