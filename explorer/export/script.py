"""A Python script that repeats a pruning with plain torch, outside this project, and proves it by a hash."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import numpy as np
from torch import Tensor

from explorer.export import replay
from explorer.export.files import check_target, put
from explorer.models.reader.contents import CONTAINERS
from explorer.params import member_to_json
from explorer.pruning.spec import PruneSpec
from explorer.types import GroupPlan, LoadedModel, Plan
from explorer.types.aliases import JsonDict

_REPEATABLE = ("lp_norm", "random")
_END = '\n\nif __name__ == "__main__":\n    sys.exit(main(RECIPE, sys.argv[1:]))\n'


def write_script(model: LoadedModel, plan: Plan, path: Path | str, *, force: bool = False) -> int:
    """Write the script to ``path`` (.py); how many bytes. Raises ExplorerError as the other writers do."""
    target = Path(path)
    check_target(model, target, ".py", force=force)
    content = script_text(model, plan).encode()
    put({target: content})
    return len(content)


def script_text(model: LoadedModel, plan: Plan) -> str:
    """A self-contained script: give it the original weights, and it prunes them to the same masks.

    It ranks again where the ranking follows from the weights alone; else the masks themselves are in it, and
    the new values of kept weights where the plan changes some (about four bytes for each weight that stays).
    """
    recipe = recipe_of(model, plan)
    source = Path(replay.__file__).read_text(encoding="utf-8").rstrip()
    return f"{source}\n\n\nRECIPE: dict[str, Any] = json.loads(\n    r'''{_text(recipe)}'''\n)\n{_END}"


def masks_sha256(plan: Plan) -> str:
    """The hash that the script prints when its masks are those of ``plan``."""
    return replay.sha256_of({name: mask.cpu() for name, mask in plan.masks.items()})


def recipe_of(model: LoadedModel, plan: Plan) -> JsonDict:
    """What the script needs to know, JSON-able; tried here, so that the hash is known to come out."""
    expected = masks_sha256(plan)
    recipe = {
        "model": model.address,
        "digest": model.digest,
        "spec": dict(plan.spec),
        "masks_sha256": expected,
        "masked": sorted(plan.masks),
        "names": sorted({*plan.masks, *_parts_of(plan)}),
        "aliases": {alias: layer.parameter for layer in plan.layers for alias in layer.aliases},
        "containers": list(CONTAINERS),
        "given": {},
        "values": {name: _values(new) for name, new in plan.updates.items()},
        "steps": _steps(plan),
    }
    weights = {name: tensor.detach().cpu() for name, tensor in model.weights.items()}
    if recipe["steps"] is not None and replay.sha256_of(replay.masks_of(weights, recipe)) == expected:
        return recipe
    return recipe | {"steps": [], "given": {name: _packed(mask) for name, mask in plan.masks.items()}}


def _steps(plan: Plan) -> list[JsonDict] | None:
    """One step for each line that cuts something; None when the ranking cannot be repeated from weights alone."""
    spec = PruneSpec.from_json(plan.spec)
    if spec.criterion.key not in _REPEATABLE or spec.then is not None:
        return None
    how = member_to_json(spec.criterion)
    moved = [group for group in plan.groups if group.n_pruned]
    if not all(group.group.parts or group.group.unit == "weight" for group in moved):
        return None
    return [_step(plan, group, how) for group in moved]


def _step(plan: Plan, moved: GroupPlan, how: JsonDict) -> JsonDict:
    group = moved.group
    single = group.unit == "weight"
    return {
        "name": group.name,
        "n_units": group.n_units,
        "n_pruned": moved.n_pruned,
        "score": how,
        "parameter": plan.layers[group.layers[0]].parameter if single else None,
        "parts": []
        if single
        else [
            {"parameter": part.parameter, "dim": part.dim, "role": part.role, "units": part.units.tolist()}
            for part in group.parts
        ],
    }


def _parts_of(plan: Plan) -> set[str]:
    return {part.parameter for moved in plan.groups if moved.n_pruned for part in moved.group.parts}


def _packed(mask: Tensor) -> JsonDict:
    bits = np.packbits(mask.cpu().reshape(-1).numpy(), bitorder="little").tobytes()
    return {"shape": list(mask.shape), "bits": base64.b64encode(zlib.compress(bits)).decode("ascii")}


def _values(new: Tensor) -> JsonDict:
    raw = new.detach().cpu().float().contiguous().numpy().tobytes()
    return {"float32": base64.b64encode(zlib.compress(raw)).decode("ascii")}


def _text(recipe: JsonDict) -> str:
    """JSON in lines of their own, pure ASCII, without what would end a raw string."""
    parts = [f" {json.dumps(name)}: {_lines(value)}" for name, value in recipe.items()]
    return ("{\n" + ",\n".join(parts) + "\n}").replace("'", "\\u0027")


def _lines(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"  {json.dumps(v)}" for v in value) + "\n ]"
    return json.dumps(value)
