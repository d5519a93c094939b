"""A network of transformers from its description and its weights: every weight fits, or it is refused."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.libraries import image_processing, sentences
from explorer.models.libraries.as_model import Built
from explorer.models.libraries.folder import FolderWeights, ModelFolder
from explorer.models.libraries.imported import Foreign, library
from explorer.models.libraries.linear_layers import with_linear_layers
from explorer.text.names import clean, listed
from explorer.types import Inputs
from explorer.types.aliases import JsonDict
from explorer.types.inputs import InputSet

_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "tokenizer.model")
_PROCESSOR = "preprocessor_config.json"
_MAX_NUMBER, _MAX_REPEATS = 2**26, 2_000
_REPEATED = ("layer", "depth", "block", "stage", "expert")
_ROOM = 2**30  # what a network computes for itself (masks, positions) beside its weights
_N_TOKENS = 128  # texts are cut or padded to the length of the example


def network(folder: ModelFolder, about: JsonDict, label: str) -> Built:
    """The network that ``about`` (its config.json) describes, with the weights of its folder. Raises ExplorerError."""
    transformers = library("transformers")
    config, kind = _described(transformers, about, label)
    weights = folder.weights()
    module = _with_weights(kind, config, weights, label)
    turned, transposed = with_linear_layers(module)
    example = _example(config, module, label)
    meta: JsonDict = {"library": "transformers", "network": kind.__name__, "preprocess": _preprocess(folder, module)}
    if transposed:
        meta["transposed"] = transposed
    task = _task(config, kind)
    if task == "embedding":
        pooling = sentences.pooling(folder)
        module = sentences.pooled(module, pooling)
        turned = [*turned, f"Its answer is an embedding: {pooling.sentence}"]
        meta["embedding"] = pooling.sentence
    return Built(
        module=module,
        example=example,
        label=label,
        source="hf",
        classes=_class_names(config) if task is None else None,
        task=sentences.stated(task),
        repairs=(*weights.repairs, *_types(weights.tensors), *turned),
        oddities=weights.oddities,
        meta={**meta, **_pictures(folder, module)},
    )


def _described(transformers: Foreign, about: JsonDict, label: str) -> tuple[Foreign, Foreign]:
    """The configuration and the class that it names, both of the library's own."""
    kind, names = about.get("model_type"), about.get("architectures")
    if about.get("quantization_config"):
        fix = "Take the model as it was before it was quantized."
        raise ExplorerError(f"{label} is quantized, so its weights are no plain numbers.", fix=fix)
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        own = " It brings code of its own, which is not run." if "auto_map" in about else ""
        why = f"Its config.json says model_type {clean(str(kind))!r}.{own}"
        fix = "Build it in Python, and give ex.load the module."
        raise ExplorerError(
            f"{label} is no network that transformers {transformers.__version__} has.", why=why, fix=fix
        )
    if (large := _too_large(about, "")) is not None:
        fix = "Download or save the model again."
        raise ExplorerError(f"{label} describes a network that is too large.", why=f"{large}.", fix=fix)
    name = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""
    try:
        network = _class(transformers, name) or transformers.MODEL_MAPPING[transformers.CONFIG_MAPPING[kind]]
        config = transformers.CONFIG_MAPPING[kind].from_dict({k: v for k, v in about.items() if k != "auto_map"})
    except Exception as error:
        raise _failed(label, "Its config.json cannot be read", error) from error
    config.use_cache = False
    return config, network


def _class(transformers: Foreign, name: str) -> Foreign:
    """The library's own network of this name; None where it is no network of its own."""
    network = getattr(transformers, name, None) if name.isidentifier() else None
    return network if isinstance(network, type) and issubclass(network, transformers.PreTrainedModel) else None


def _too_large(value: object, key: str) -> str | None:
    """The first number of a description that no network has: building it would never end."""
    if isinstance(value, Mapping):
        pairs = [(str(name), entry) for name, entry in value.items()]
    elif isinstance(value, list):
        pairs = [(key, entry) for entry in value]
    else:
        most = _MAX_REPEATS if any(word in key for word in _REPEATED) else _MAX_NUMBER
        whole = isinstance(value, int) and not isinstance(value, bool)
        return f"{clean(key)} is {value:,}" if whole and abs(int(str(value))) > most else None
    return next((large for name, entry in pairs if (large := _too_large(entry, name)) is not None), None)


def _with_weights(kind: Foreign, config: Foreign, weights: FolderWeights, label: str) -> nn.Module:
    """The network with these weights; ExplorerError where one is missing, too many, or of another shape."""
    _check_size(kind, config, weights.tensors, label)
    module, wrong = _loaded(kind, config, weights.tensors, label)
    if wrong["missing_keys"] and all(str(name).startswith("pooler.") for name in wrong["missing_keys"]):
        module, wrong = _loaded(kind, config, weights.tensors, label, add_pooling_layer=False)
    parts = {"Missing": "missing_keys", "not expected": "unexpected_keys", "other shape": "mismatched_keys"}
    why = "; ".join(f"{part}: {listed(_names(wrong[key]))}" for part, key in parts.items() if wrong.get(key))
    if why:
        fix = "Download or save the model again, with its config.json."
        what = f"The weights of {label} are not those of its {kind.__name__}."
        raise ExplorerError(what, why=why[:1].upper() + why[1:] + ".", fix=fix)
    if wrong.get("error_msgs"):
        why, fix = f"{clean(str(wrong['error_msgs'][0]), 200)}.", "Download or save the model again."
        raise ExplorerError(f"The weights of {label} cannot be loaded.", why=why, fix=fix)
    return module


def _names(keys: Foreign) -> list[str]:
    return sorted(str(key[0]) if isinstance(key, tuple) else str(key) for key in keys)


def _check_size(kind: Foreign, config: Foreign, tensors: Mapping[str, Tensor], label: str) -> None:
    """Refuse a description of a network far larger than its weights, before it takes the memory."""
    try:
        with torch.device("meta"), _quietly():
            empty = kind(config)
    except Exception as error:
        raise _failed(label, "Its config.json describes no network that can be built", error) from error
    n_bytes = sum(t.numel() * t.element_size() for t in (*empty.parameters(), *empty.buffers()))
    read = sum(t.numel() for t in tensors.values()) * 4
    if n_bytes > 2 * read + _ROOM:
        why = f"It would take {n_bytes / 2**30:,.1f} GiB, and its files hold {read / 2**30:,.1f} GiB of weights."
        fix = "Download or save the model again, with its config.json."
        raise ExplorerError(f"{label} describes a larger network than its weights.", why=why, fix=fix)


def _loaded(
    kind: Foreign, config: Foreign, tensors: Mapping[str, Tensor], label: str, **options: object
) -> tuple[nn.Module, dict[str, Foreign]]:
    try:
        with _quietly():
            module, wrong = kind.from_pretrained(
                None,
                config=config,
                state_dict=dict(tensors),
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are listed, and refused
                **options,
            )
    except Exception as error:
        raise _failed(label, f"transformers could not load it as {kind.__name__}", error) from error
    return module.eval().requires_grad_(False), dict(wrong)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the reports and progress bars of transformers: what is wrong with the weights is refused, not printed."""
    talk = library("transformers").utils.logging
    level, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity_error()
    talk.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        talk.set_verbosity(level)
        if bars:
            talk.enable_progress_bar()


def _failed(label: str, why: str, error: Exception) -> ExplorerError:
    logging.getLogger(__name__).exception("%s: %s.", label, why)
    first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    fix = "Check that the folder opens in transformers itself."
    return ExplorerError(f"{label} cannot be opened.", why=f"{why}: {clean(first, 200)}.", fix=fix)


def _example(config: Foreign, module: Foreign, label: str) -> Inputs:
    """One sample of what the network takes, of random pixels or words."""
    generator = torch.Generator().manual_seed(0)
    if module.main_input_name == "pixel_values":
        size = getattr(config, "image_size", None) or 224
        height, width = (size, size) if isinstance(size, int) else tuple(size)
        return torch.randn(1, getattr(config, "num_channels", 3), height, width, generator=generator)
    if module.main_input_name != "input_ids" or getattr(config, "is_encoder_decoder", False):
        fix = "Open it in Python with transformers, and give ex.load the module and an example."
        what = f"{label} takes {module.main_input_name}, which nothing here makes an example of."
        raise ExplorerError(what, why="Networks for pictures and for texts open by their folder.", fix=fix)
    text = config.get_text_config()
    length = min(_N_TOKENS, getattr(text, "max_position_embeddings", None) or _N_TOKENS)
    low = min(10, text.vocab_size - 1)
    tokens = torch.randint(low, text.vocab_size, (1, length), generator=generator)
    if _is_causal(type(module)):
        return tokens
    return InputSet(named={"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})


def _is_causal(kind: type) -> bool:
    return kind.__name__.endswith(("ForCausalLM", "LMHeadModel"))


def _task(config: Foreign, kind: type) -> str | None:
    """What its answers are; None for one class of several."""
    if _is_causal(kind):
        return "tokens"
    if not kind.__name__.endswith("Classification"):
        return "tokens" if kind.__name__.endswith("ForMaskedLM") else "embedding"
    if config.problem_type == "multi_label_classification":
        return "labels"
    return "numbers" if config.problem_type == "regression" or config.num_labels == 1 else None


def _class_names(config: Foreign) -> list[str] | None:
    """The names of the classes, where somebody gave them any."""
    names = [str(name) for _, name in sorted(config.id2label.items(), key=lambda item: int(item[0]))]
    given = any(name != f"LABEL_{i}" for i, name in enumerate(names)) and len(set(names)) == len(names)
    return names if given else None


def _preprocess(folder: ModelFolder, module: Foreign) -> JsonDict | None:
    """What prepares data for the network: the tokenizer or image processor of its folder."""
    if module.main_input_name == "pixel_values":
        return image_processing.fitting(folder.described(_PROCESSOR)) if folder.has(_PROCESSOR) else None
    return {"kind": "tokenizer", "folder": str(folder.path)} if any(map(folder.has, _TOKENIZERS)) else None


def _pictures(folder: ModelFolder, module: Foreign) -> JsonDict:
    """What pictures are normalised with."""
    if module.main_input_name != "pixel_values" or not folder.has(_PROCESSOR):
        return {}
    return image_processing.normalisation(folder.described(_PROCESSOR))


def _types(tensors: Mapping[str, Tensor]) -> list[str]:
    types = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()} - {torch.float32}
    return [f"Stored as {str(dtype).removeprefix('torch.')}; computed as float32." for dtype in sorted(types, key=str)]
