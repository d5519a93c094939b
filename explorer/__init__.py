"""Drag a threshold on a weight histogram and see the measured accuracy.

The whole library from a notebook or a script::

    import explorer as ex

    model = ex.load("digits-cnn")
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.8")
    report = ex.evaluate(model, spec)          # prune, measure, report
    print(report, report.accuracy, report.drop)
    points = list(ex.sweep(model, spec=spec))  # size against accuracy
    print(ex.compare_methods(model, [spec]))  # which is better, and better than chance?
    found = ex.SearchResult.of(ex.search(model, budget="params=0.4"))  # the best shares of layers
    recipe = ex.recipes.one_shot(spec, ex.recipes.tuning_for(model))
    *_, recovered = ex.recover(model, recipe)     # prune and fine-tune with the masks held
    cells = list(ex.run(ex.tasks.ScanRequest(spec), model))  # any long work as a value that can be stored and shared
    ex.save(model, ex.plan(model, spec), "pruned.safetensors")
    print(ex.check("pruned.safetensors"))  # pass, fail or cannot tell, before it is deployed
    print(ex.compare_models(["digits-cnn", "pruned.safetensors"]))  # side by side, sample by sample

and with a module and data of one's own::

    model = ex.load(module, example=batch)     # any torch.nn.Module; it is never written to
    data = ex.load_data(loader, model=model)   # tensors, arrays, tables, a Dataset or a DataLoader
    smaller = ex.prune(module, spec)           # a new module, in one line

Nothing heavy is imported before a name is used.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer import charts as charts
    from explorer import tasks as tasks
    from explorer import terms as terms
    from explorer.analysis.check.policy import Policy as Policy
    from explorer.analysis.check.result import Check as Check
    from explorer.analysis.comparison.compare import compare_methods as compare_methods
    from explorer.analysis.comparison.comparison import Comparison as Comparison
    from explorer.analysis.drop_below.answering import drop_below as drop_below
    from explorer.analysis.evaluate import evaluate as evaluate
    from explorer.analysis.models_compared.result import ModelsCompared as ModelsCompared
    from explorer.analysis.prune import prune as prune
    from explorer.analysis.report import Report as Report
    from explorer.analysis.report import report as report
    from explorer.analysis.search.search import SearchResult as SearchResult
    from explorer.analysis.search.search import search as search
    from explorer.analysis.sensitivity.scan import Sensitivity as Sensitivity
    from explorer.analysis.sensitivity.scan import scan as scan
    from explorer.analysis.tradeoff import pareto as pareto
    from explorer.analysis.tradeoff import sweep as sweep
    from explorer.data import load as load_data
    from explorer.errors import ExplorerError as ExplorerError
    from explorer.export.weights import write_pruned as save
    from explorer.models import load as load
    from explorer.models import samples as samples
    from explorer.notebook.explore import explore as explore
    from explorer.notebook.showing import show_sensitivity as show_sensitivity
    from explorer.notebook.showing import show_tradeoff as show_tradeoff
    from explorer.pruning.apply import masked as masked
    from explorer.pruning.layers import layer_table as layers
    from explorer.pruning.plan import plan as plan
    from explorer.pruning.scoring import score as score
    from explorer.pruning.slicing import sliced as sliced
    from explorer.pruning.spec import Limit as Limit
    from explorer.pruning.spec import PruneSpec as PruneSpec
    from explorer.recovery import recipes as recipes
    from explorer.recovery.full import train as train
    from explorer.recovery.recipe import Recipe as Recipe
    from explorer.recovery.recipe import recover as recover
    from explorer.tasks.blame import blame as blame
    from explorer.tasks.check import check as check
    from explorer.tasks.compare import compare_models as compare_models
    from explorer.tasks.layer_activations import activations as activations
    from explorer.tasks.running import run as run
    from explorer.types import TradeOff as TradeOff

__version__ = "0.1.0"

# Traces are for whoever sets up logging, as the command line and the app do; else they would fill a notebook.
logging.getLogger(__name__).addHandler(logging.NullHandler())

# name -> module, and what it is called there; "" is the module itself.
_PUBLIC = {
    "Check": ("analysis.check.result", "Check"),
    "Comparison": ("analysis.comparison.comparison", "Comparison"),
    "ExplorerError": ("errors", "ExplorerError"),
    "Limit": ("pruning.spec", "Limit"),
    "ModelsCompared": ("analysis.models_compared.result", "ModelsCompared"),
    "Policy": ("analysis.check.policy", "Policy"),
    "PruneSpec": ("pruning.spec", "PruneSpec"),
    "Recipe": ("recovery.recipe", "Recipe"),
    "Report": ("analysis.report", "Report"),
    "SearchResult": ("analysis.search.result", "SearchResult"),
    "Sensitivity": ("analysis.sensitivity.scan", "Sensitivity"),
    "TradeOff": ("types", "TradeOff"),
    "activations": ("tasks.layer_activations", "activations"),
    "advise": ("analysis.advice", "advise"),
    "blame": ("tasks.blame", "blame"),
    "charts": ("charts", ""),
    "check": ("tasks.check", "check"),
    "compare_methods": ("analysis.comparison.compare", "compare_methods"),
    "compare_models": ("tasks.compare", "compare_models"),
    "drop_below": ("analysis.drop_below.answering", "drop_below"),
    "evaluate": ("analysis.evaluate", "evaluate"),
    "explore": ("notebook.explore", "explore"),
    "layers": ("pruning.layers", "layer_table"),
    "load": ("models", "load"),
    "load_data": ("data", "load"),
    "masked": ("pruning.apply", "masked"),
    "pareto": ("analysis.tradeoff", "pareto"),
    "plan": ("pruning.plan", "plan"),
    "prune": ("analysis.prune", "prune"),
    "recipes": ("recovery.recipes", ""),
    "recover": ("recovery.recipe", "recover"),
    "report": ("analysis.report", "report"),
    "run": ("tasks.running", "run"),
    "samples": ("models", "samples"),
    "save": ("export.weights", "write_pruned"),
    "scan": ("analysis.sensitivity.scan", "scan"),
    "score": ("pruning.scoring", "score"),
    "search": ("analysis.search.search", "search"),
    "show_sensitivity": ("notebook.showing", "show_sensitivity"),
    "show_tradeoff": ("notebook.showing", "show_tradeoff"),
    "sliced": ("pruning.slicing", "sliced"),
    "sweep": ("analysis.tradeoff", "sweep"),
    "tasks": ("tasks", ""),
    "terms": ("terms", ""),
    "train": ("recovery.full", "train"),
}

__all__ = [
    "Check",
    "Comparison",
    "ExplorerError",
    "Limit",
    "ModelsCompared",
    "Policy",
    "PruneSpec",
    "Recipe",
    "Report",
    "SearchResult",
    "Sensitivity",
    "TradeOff",
    "activations",
    "advise",
    "blame",
    "charts",
    "check",
    "compare_methods",
    "compare_models",
    "drop_below",
    "evaluate",
    "explore",
    "layers",
    "load",
    "load_data",
    "masked",
    "pareto",
    "plan",
    "prune",
    "recipes",
    "recover",
    "report",
    "run",
    "samples",
    "save",
    "scan",
    "score",
    "search",
    "show_sensitivity",
    "show_tradeoff",
    "sliced",
    "sweep",
    "tasks",
    "terms",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    target = import_module(f"explorer.{module}")
    return getattr(target, attribute) if attribute else target


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
