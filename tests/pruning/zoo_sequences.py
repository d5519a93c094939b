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
