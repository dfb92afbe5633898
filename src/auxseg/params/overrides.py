"""Overrides: values that replace those of a complete parameter file. Presets and experiments are made this way."""

from typing import Any

from auxseg.errors import ParamsError, quote
from auxseg.params.dag import DAG_KEYS, chain, check_keys, shard_names
from auxseg.params.registry import SECTIONS
from auxseg.params.section import COMPATIBILITY, Strict

Overrides = dict[str, Any]
"""Values by section, in the form of params.yaml; `compatibility`; `rounds` and `shards` as numbers."""

MODELS = {section.key: section for section in SECTIONS}


def defaults() -> dict[str, Any]:
    """Return a complete parameter file with the models' defaults, two rounds and one shard."""
    return override({COMPATIBILITY: "paper"}, {"rounds": 2, "shards": 1}, "the defaults")


def override(values: dict[str, Any], overrides: Overrides, source: str) -> dict[str, Any]:
    """Return a complete parameter file with some values replaced; groups are merged key by key.

    Args:
        values: a parameter file; a missing section or key has its default.
        overrides: the values to replace.
        source: where the overrides come from, such as a file's path; error messages name it.

    Raises:
        ParamsError: one line: an unknown key, or a value that the models reject.
    """
    check_keys(overrides, source)
    if "label_rounds" in overrides:
        raise ParamsError(f"{source}: key 'label_rounds': follows 'rounds'; delete it")
    result = dict(values)
    if COMPATIBILITY in overrides:
        result[COMPATIBILITY] = overrides[COMPATIBILITY]
    if "rounds" in overrides:
        result["rounds"], result["label_rounds"] = chain(_count(overrides, "rounds", source))
    if "shards" in overrides:
        result["shards"] = shard_names(_count(overrides, "shards", source))
    sections = {key: _merged(model, values.get(key) or {}, overrides.get(key)) for key, model in MODELS.items()}
    return {
        **{key: result[key] for key in (*DAG_KEYS, COMPATIBILITY)},
        **{key: MODELS[key].parse(section, source).written() for key, section in sections.items()},
    }


def _count(overrides: Overrides, key: str, source: str) -> int:
    count = overrides[key]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ParamsError(f"{source}: key '{key}': expected a number of {key}, got {quote(count)}")
    return count


def _merged(model: type[Strict], values: dict[str, Any], overrides: Any) -> Any:
    if overrides is None:
        return values
    if not isinstance(overrides, dict):
        return overrides  # the model rejects it
    merged = dict(values)
    for key, value in overrides.items():
        inner = model.model_fields[key].annotation if key in model.model_fields else None
        # merge only what is a group in the models; `data.classes` is a map, but one value
        if isinstance(inner, type) and issubclass(inner, Strict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(inner, merged[key], value)
        else:
            merged[key] = value
    return merged
