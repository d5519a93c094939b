"""What is counted as a weight: not statistics, counters or moments; computed weights and matrices of any name are."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import explorer as ex
from explorer import models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.weights import pruned_tensors
from explorer.metrics.macs import mac_table, macs
from explorer.metrics.size import stored_tensors
from explorer.pruning.layers import layer_table
from explorer.types import LoadedModel, Split

FACTORIES = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

def _net(wrap):
    torch.manual_seed(0)
    net = nn.Sequential(wrap(nn.Linear(16, 32)), nn.ReLU(), wrap(nn.Linear(32, 32)), nn.ReLU(), nn.Linear(32, 4))
    net.input_shape = (16,)
    return net

def plain(): return _net(lambda layer: layer)
def old_norm(): return _net(weight_norm)
def new_norm(): return _net(parametrizations.weight_norm)
def spectral(): return _net(parametrizations.spectral_norm)
def old_spectral(): return _net(spectral_norm)
def orthogonal(): return _net(parametrizations.orthogonal)
def masked(): return _net(lambda layer: prune.l1_unstructured(layer, "weight", 0.5))

class Twice(nn.Module):
    def forward(self, w): return 2 * w
def shared():
    net = _net(lambda layer: layer)
    net[4] = nn.Linear(32, 32)
    net[4].weight = net[2].weight
    parametrize.register_parametrization(net[2], "weight", Twice())
    return net

class Named(nn.Module):
    input_shape = (16,)
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.W, self.U = nn.Parameter(torch.randn(32, 16)), nn.Parameter(torch.randn(32, 8))
        self.kernels, self.shift = nn.Parameter(torch.randn(4, 1, 3)), nn.Parameter(torch.randn(4, 8))
        self.out = nn.Linear(24, 5)
    def forward(self, x):
        x = F.relu(F.linear(x, self.W)) @ self.U
        x = F.conv1d(x[:, None], self.kernels) + self.shift[None, :, :6]
        return self.out(x.flatten(1))

class Drops(nn.Module):
    input_shape = (16,)
    def __init__(self):
        super().__init__()
        self.body, self.out = nn.Linear(16, 64), nn.Linear(64, 4)
    def forward(self, x): return self.out(F.dropout(self.body(x)))

def mixes():
    net = nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8, track_running_stats=False), nn.Linear(8, 4))
    net.input_shape = (16,)
    return net

class Tied(nn.Module):
    input_shape = (20,)
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.mid, self.last = nn.Linear(20, 20, bias=False), nn.Linear(20, 20), nn.Linear(20, 20)
        self.last.weight = self.first.weight
    def forward(self, x): return self.last(F.relu(self.mid(F.relu(self.first(x)))))
"""
PRUNABLE = 16 * 32 + 32 * 32 + 32 * 4


@pytest.fixture(autouse=True)
def factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "whats_a_weight.py").write_text(FACTORIES)
    monkeypatch.syspath_prepend(str(tmp_path))


def load(name: str) -> LoadedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's old names are on their way out, and still in files
        return models.load(f"whats_a_weight:{name}", trust_code=True, code_timeout=0)


def built(name: str) -> nn.Module:
    import whats_a_weight  # type: ignore[import-not-found]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: nn.Module = getattr(whats_a_weight, name)()
    return module.eval()


def opened(path: Path, arch: str | None = None) -> LoadedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named = None if arch is None else f"whats_a_weight:{arch}"
        return models.load(str(path), arch=named, trust_code=True, code_timeout=0)


def same_answers(model: LoadedModel, module: nn.Module) -> bool:
    x = torch.randn(7, 16, generator=torch.Generator().manual_seed(1))
    assert model.module is not None
    with torch.no_grad():
        return torch.allclose(model.module(x), module(x), atol=1e-6)


def test_parameters_of_a_file_are_those_of_its_network(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(288, 10))
    net.register_buffer("position_ids", torch.arange(512)[None])
    torch.save(net.state_dict(), tmp_path / "w.pth")
    model = models.load(str(tmp_path / "w.pth"))
    assert model.n_parameters == sum(p.numel() for p in net.parameters()) == 72 + 8 + 16 + 2880 + 10
    assert set(model.buffers) == {"1.running_mean", "1.running_var", "1.num_batches_tracked", "position_ids"}
    assert layer_table(model).n_prunable == 72 + 2880
    written = pruned_tensors(model, ex.plan(model, ex.PruneSpec("weight", "lp_norm", "global:sparsity=0.5")))
    assert set(written) == set(net.state_dict())  # what is no weight is written as it came
    assert torch.equal(written["position_ids"], net.state_dict()["position_ids"])


def test_moments_of_optimizers_are_no_weights_whatever_the_checkpoint_calls_them(tmp_path: Path) -> None:
    nets = {"netG": nn.Linear(6, 8), "netD": nn.Linear(8, 1)}
    saved: dict[str, object] = {name: net.state_dict() for name, net in nets.items()}
    for name, net in nets.items():
        optimizer = torch.optim.Adam(net.parameters())
        net(torch.randn(3, net.in_features)).sum().backward()
        optimizer.step()
        saved[f"opt_{name}"] = optimizer.state_dict()
    torch.save(saved, tmp_path / "gan.pth")
    model = models.load(str(tmp_path / "gan.pth"))
    assert model.n_parameters == 48 + 8 + 8 + 1
    assert "Left out, as it is the state of an optimizer: opt_netG, opt_netD." in model.repairs
    flat = {f"opt.state.{i}.exp_avg": torch.ones(8, 6) for i in range(2)} | {"fc.weight": torch.ones(8, 6)}
    save_file(flat, tmp_path / "flat.safetensors")
    assert models.load(str(tmp_path / "flat.safetensors")).n_parameters == 48


@pytest.mark.parametrize("name", ["old_norm", "new_norm", "spectral", "old_spectral", "orthogonal", "masked"])
def test_computed_weights_of_a_module_are_pruned_as_what_they_are_and_answers_stay(name: str) -> None:
    model = load(name)
    assert same_answers(model, built(name))
    assert layer_table(model).n_prunable == PRUNABLE
    assert any("put in as they are: 0.weight, 2.weight." in repair for repair in model.repairs)
    plan = ex.plan(model, ex.PruneSpec("weight", "lp_norm", "uniform:sparsity=0.75"))
    assert plan.n_zero == round(0.75 * PRUNABLE)
    channels = ex.plan(model, ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.25"))
    assert [k.n_pruned for k in channels.groups if k.group.why_not is None] == [0, 8]  # the first is locked at first


def test_masks_of_a_module_are_zeros_that_it_came_with() -> None:
    plan = ex.plan(load("masked"), ex.PruneSpec())
    assert (plan.n_already_zero, plan.n_zero) == (256 + 512, 768)


@pytest.mark.slow
@pytest.mark.parametrize(("saved", "arch"), [("old_norm", "new_norm"), ("new_norm", "old_norm"), ("plain", "new_norm")])
def test_a_file_opens_in_a_module_that_computes_the_same_weights_from_other_parts(
    saved: str, arch: str, tmp_path: Path
) -> None:
    module = built(saved)
    torch.save(module.state_dict(), tmp_path / "w.pth")
    for name in (arch, saved):
        assert same_answers(opened(tmp_path / "w.pth", name), module)


@pytest.mark.parametrize("name", ["old_norm", "new_norm"])
def test_weight_normalisation_in_a_file_is_one_weight_and_its_scales_are_none(name: str, tmp_path: Path) -> None:
    module = built(name)
    torch.save(module.state_dict(), tmp_path / "w.pth")
    model = opened(tmp_path / "w.pth")
    assert [layer.parameter for layer in layer_table(model).prunable] == ["0.weight", "2.weight", "4.weight"]
    for place in (0, 2):
        torch.testing.assert_close(model.weights[f"{place}.weight"], module[place].weight.detach())  # type: ignore[index]
    assert any("Weight normalisation was folded" in repair for repair in model.repairs)


def test_weights_that_share_what_they_are_computed_from_stay_and_say_so() -> None:
    model = load("shared")
    reasons = {layer.name: layer.why_not or "" for layer in layer_table(model) if not layer.prunable}
    assert any("parametrized" in reason for reason in reasons.values())
    assert torch.equal(model.module[2].weight, 2 * model.module[4].weight)  # type: ignore[index, union-attr]


def test_matrices_of_any_name_are_pruned_and_counted_and_what_is_added_is_not() -> None:
    model = load("Named")
    assert model.matrices == ("W", "U", "kernels")
    assert [layer.name for layer in layer_table(model).prunable] == ["W", "U", "kernels", "out"]
    assert "free parameter" in (layer_table(model)["shift"].why_not or "")
    plan = ex.plan(model, ex.PruneSpec("weight", "lp_norm", "uniform:sparsity=0.5"))
    assert plan.n_pruned == (512 + 256 + 12 + 120) // 2
    counted = macs(model, plan, mac_table(model))
    assert counted["dense"].value == 512 + 256 + 12 * 6 + 120
    assert counted["sparse"].value == counted["dense"].value / 2
    module = built("Named")
    with torch.no_grad():
        for name in ("W", "U", "kernels"):
            module.get_parameter(name).mul_(plan.masks[name])
        module.out.weight.mul_(plan.masks["out.weight"])  # type: ignore[operator, union-attr]
        x = torch.randn(40, 16, generator=torch.Generator().manual_seed(2))
        expected = module(x).argmax(1)
    assert torch.equal(Evaluator(model, Split("tune", x, None)).final(plan).predictions, expected)


def test_two_copies_of_a_tied_weight_that_differ_are_refused_by_name(tmp_path: Path) -> None:
    state = {name: tensor.clone() for name, tensor in built("Tied").state_dict().items()}
    save_file(state, tmp_path / "same.safetensors")
    assert opened(tmp_path / "same.safetensors", "Tied").n_parameters == 400 + 420 + 20
    state["last.weight"] += 1
    save_file(state, tmp_path / "two.safetensors")
    with pytest.raises(ExplorerError, match=r"different numbers for first\.weight, last\.weight"):
        opened(tmp_path / "two.safetensors", "Tied")
    del state["last.weight"]
    save_file(state, tmp_path / "one.safetensors")
    model = opened(tmp_path / "one.safetensors", "Tied")
    assert "last.weight is not in the file: it is tied to first.weight." in model.repairs
    assert torch.equal(stored_tensors(model)["first.weight"], state["first.weight"])


def test_a_file_in_a_module_that_disagrees_with_itself_is_known_before_the_first_number(tmp_path: Path) -> None:
    for name in ("Drops", "mixes"):
        torch.save(built(name).state_dict(), tmp_path / f"{name}.pth")
    findings = [f for f in opened(tmp_path / "Drops.pth", "Drops").findings if f.level == "fail"]
    assert ["disagrees with itself" in f.what and "Drops" in f.evidence for f in findings] == [True]
    with pytest.raises(ExplorerError) as refused:  # one sample alone has no statistics
        opened(tmp_path / "mixes.pth", "mixes")
    assert "without running statistics: 1" in refused.value.why


def test_nan_in_a_statistic_of_a_file_is_a_finding_with_its_name(tmp_path: Path) -> None:
    module = models.ARCHITECTURES.get("digits-cnn").build()
    state = module.state_dict()
    name = next(key for key in state if key.endswith("running_var"))
    state[name][1] = float("nan")
    torch.save(state, tmp_path / "w.pth")
    for arch in ("digits-cnn", None):
        findings = models.load(str(tmp_path / "w.pth"), arch=arch).findings
        assert [f.level for f in findings if f.what == f"{name} holds NaN or infinite numbers."] == ["fail"]
