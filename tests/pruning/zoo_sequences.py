"""Small networks that read sequences: attention in all the ways it is written, and recurrent layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    """Two of torch's transformer layers."""

    def __init__(self, *, batch_first: bool = True, norm_first: bool = False) -> None:
        super().__init__()
        self.enter = nn.Linear(6, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 24, 0.0, batch_first=batch_first, norm_first=norm_first)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(16), enable_nested_tensor=False)
        self.dim = 1 if batch_first else 0
        self.fc = nn.Linear(16, 4)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3)

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.dim else x.transpose(0, 1)
        return self.fc(self.encoder(self.enter(x)).mean(self.dim))


class SequenceFirst(Encoder):
    def __init__(self) -> None:
        super().__init__(batch_first=False, norm_first=True)


class Cross(nn.Module):
    """Attention of one sequence to another, of another width; and one whose keys have its own width."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(6, 8)
        self.memory = nn.Linear(6, 8)
        self.attend = nn.MultiheadAttention(8, 4, batch_first=True)
        self.wide = nn.Linear(6, 10)
        self.other = nn.MultiheadAttention(8, 2, batch_first=True, kdim=10, vdim=10)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        seen, memory, wide = self.query(x), torch.tanh(self.memory(x)), self.wide(x)
        seen = seen + self.attend(seen, memory, memory)[0]
        out, _ = self.other(seen, wide, wide, need_weights=False)
        return self.fc(out.mean(1))


class Bert(nn.Module):
    """Attention as model hubs write it: separate projections, views, and products written out."""

    def __init__(self, *, kv_heads: int = 4) -> None:
        super().__init__()
        self.num_attention_heads, self.head_dim, self.kv_heads = 4, 3, kv_heads
        self.enter = nn.Linear(6, 12)
        self.query = nn.Linear(12, 12)
        self.key = nn.Linear(12, 3 * kv_heads)
        self.value = nn.Linear(12, 3 * kv_heads)
        self.dense = nn.Linear(12, 12)
        self.norm = nn.LayerNorm(12)
        self.intermediate = nn.Linear(12, 20)
        self.output = nn.Linear(20, 12)
        self.fc = nn.Linear(12, 4)

    def split(self, x: Tensor, n: int) -> Tensor:
        return x.view(x.shape[0], x.shape[1], n, self.head_dim).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        b, t, c = x.shape
        q = self.split(self.query(x), 4)
        k, v = self.split(self.key(x), self.kv_heads), self.split(self.value(x), self.kv_heads)
        if self.kv_heads < 4:
            k, v = k.repeat_interleave(2, dim=1), v.repeat_interleave(2, dim=1)
        scores = torch.matmul(q, k.transpose(-1, -2)) / self.head_dim**0.5
        mixed = (torch.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().reshape(b, t, c)
        x = self.norm(x + self.dense(mixed))
        return self.fc((x + self.output(F.gelu(self.intermediate(x))))[:, 0])


class GroupedQuery(Bert):
    def __init__(self) -> None:
        super().__init__(kv_heads=2)


class Hub(nn.Module):
    """The way model hubs write attention today: shapes taken apart, heads left open by -1."""

    def __init__(self) -> None:
        super().__init__()
        self.num_heads, self.head_dim = 4, 3
        self.enter = nn.Linear(6, 12)
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(12, 12) for _ in range(4))
        self.fc = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.enter(x))
        shape = (*x.shape[:-1], -1, self.head_dim)
        q, k, v = (f(x).view(shape).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return self.fc(torch.tanh(x + self.o_proj(mixed.reshape(*x.shape[:-1], -1).contiguous())).mean(1))


class Flat(Hub):
    """Batch and heads in one dimension, as older attention code has it; a shape made by addition."""

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.enter(x))
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, 4, 3).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        q, k, v = (part.reshape(b * 4, t, 3) for part in (q, k, v))
        mixed = torch.bmm(torch.bmm(q, k.transpose(1, 2)).softmax(-1), v).view(b, 4, t, 3).permute(0, 2, 1, 3)
        mixed = mixed.contiguous().view(mixed.size()[:-2] + (12,))  # noqa: RUF005 - this is the shape under test
        return self.fc(torch.tanh(x + self.o_proj(mixed)).mean(1))


class Causal(nn.Module):
    """Causal attention twice: packed rows and a mask cut to length, and torch's own with a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.n_head = 4
        self.enter = nn.Linear(6, 12)
        self.c_attn, self.c_proj = nn.Linear(12, 36), nn.Linear(12, 12)
        self.attend = nn.MultiheadAttention(12, 2, batch_first=True)
        self.fc = nn.Linear(12, 4)
        self.register_buffer("mask", torch.tril(torch.ones(8, 8)))
        self.register_buffer("away", torch.ones(5, 5).triu(1).bool())

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        b, t, c = x.size()
        q, k, v = self.c_attn(x).split(12, dim=2)
        q, k, v = (part.view(b, t, self.n_head, c // self.n_head).transpose(1, 2) for part in (q, k, v))
        scores = (q @ k.transpose(-2, -1)).masked_fill(self.mask[:t, :t] == 0, float("-inf"))
        x = torch.tanh(x + self.c_proj((F.softmax(scores, -1) @ v).transpose(1, 2).reshape(b, t, c)))
        return self.fc(torch.tanh(x + self.attend(x, x, x, attn_mask=self.away)[0]).mean(1))


class Gated(nn.Module):
    """Gated feed-forward nets: two layers multiplied, and one layer gated by its other half."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(6, 10), nn.Linear(6, 10), nn.Linear(10, 6)
        self.both, self.back = nn.Linear(6, 16), nn.Linear(8, 6)
        self.norm = nn.RMSNorm(6)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.down(F.silu(self.gate(x)) * self.up(x))
        return self.fc((x + self.back(F.glu(self.both(self.norm(x))))).mean(1))


class Einsum(nn.Module):
    """Heads by einsum, with a learned bias for each head and pair of places."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(6, 36)
        self.bias = nn.Parameter(torch.randn(4, 5, 5))
        self.out = nn.Linear(12, 8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).reshape(-1, 5, 3, 4, 3).unbind(2)
        scores = torch.einsum("bihd,bjhd->bhij", q, k) * 0.5 + self.bias
        mixed = torch.einsum("bhij,bjhd->bihd", scores.softmax(-1), v)
        return self.fc(F.relu(self.out(mixed.flatten(2))).mean(1))


class LastState(nn.Module):
    """A stacked GRU read by its last state, behind a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(6, 9)
        self.rnn = nn.GRU(9, 8, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        _, h = self.rnn(F.relu(self.enter(x)))
        return self.fc(torch.cat((h[-2], h[-1]), dim=1))


class Seq2Seq(nn.Module):
    """An LSTM hands its states to another one; zeros to start from; a plain RNN at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.LSTM(6, 8, batch_first=True)
        self.decode = nn.LSTM(6, 8, batch_first=True)
        self.plain = nn.RNN(8, 6, nonlinearity="relu", batch_first=True, bias=False)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        zeros = torch.zeros(1, x.size(0), 8)
        _, state = self.encode(x, (zeros, zeros))
        out, _ = self.decode(x, state)
        return self.fc(self.plain(out)[0][:, -1, :])


class Cells(nn.Module):
    """A recurrent cell in a loop."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(6, 8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        h, c = self.cell(x[:, 0])
        for step in range(1, 5):
            h, c = self.cell(x[:, step], (h, c))
        return self.fc(h)


class Tokens(nn.Module):
    """A class token and a slice of a learned position, as in vision transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(6, 8)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.position = nn.Parameter(torch.randn(1, 9, 8))
        self.up = nn.Linear(8, 12)
        self.hidden_position = nn.Parameter(torch.randn(1, 9, 12))
        self.fc = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), self.enter(x)], dim=1)
        x = torch.tanh(x + self.position[:, : x.shape[1]])
        return self.fc(F.relu(self.up(x) + self.hidden_position[:, :6])[:, 0])
