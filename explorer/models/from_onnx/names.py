"""Names out of an ONNX file as paths of modules and parameters: valid, unique, and none inside another."""

from __future__ import annotations

import keyword
import re

from torch import fx, nn

_ODD = re.compile(r"[^0-9A-Za-z_]+")
_EXPORTER = re.compile(r"^(onnx::)?(MatMul|Conv|Gemm|Add|Mul|ConvTranspose|LSTM|GRU|val|node|const|initializer)_\d+$")
_ENDINGS = ("weight", "bias", "gamma", "beta", "running_mean", "running_var", "scale", "kernel")
_MOST = 200
_TAKEN = frozenset(dir(fx.GraphModule(nn.Module(), fx.Graph())))


class Paths:
    """Hands out paths, each once."""

    def __init__(self) -> None:
        self._ends: set[str] = set()
        self._folders: set[str] = set()

    def layer(self, weight: str, bias: str, node: str, kind: str) -> str:
        """The path of a layer: what its weight's name says, else its bias's, else that of its step."""
        for tensor in (weight, bias):
            stem, _, last = tensor.rpartition(".")
            if stem and last in _ENDINGS:
                return self.unique(stem)
        scope = node.strip("/").rpartition("/")[0]
        if scope:
            return self.unique(scope.replace("/", "."))
        spoken = next((name for name in (weight, node) if name and not _EXPORTER.match(name)), kind.lower())
        return self.unique(re.sub(r"[_/.]?(weight|kernel)$", "", spoken) or kind.lower())

    def unique(self, name: str) -> str:
        """A path like this name that nobody has, that leads through no end, and to which nothing is inside."""
        path = ".".join(filter(None, map(_part, name[:_MOST].split(".")))) or "part"
        if any(path.startswith(f"{end}.") for end in self._ends):
            path = path.replace(".", "_")
        plain, n = path, 2
        while path in self._ends or path in self._folders:
            path, n = f"{plain}_{n}", n + 1
        self._ends.add(path)
        parts = path.split(".")
        self._folders.update(".".join(parts[:i]) for i in range(1, len(parts)))
        return path


def _part(text: str) -> str:
    plain = _ODD.sub("_", text).strip("_")
    return f"{plain}_" if plain in _TAKEN or keyword.iskeyword(plain) else plain


def placed(root: nn.Module, path: str) -> tuple[nn.Module, str]:
    """(the module in which what is at a path belongs, its name there); what lies on the way is made."""
    *folders, last = path.split(".")
    for name in folders:
        inside = root._modules.get(name)
        if inside is None:
            inside = nn.Module()
            root.add_module(name, inside)
        root = inside
    return root, last
