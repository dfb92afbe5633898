"""Every number of params.yaml has a largest and a smallest value; beyond it there is one line, not a full memory."""

import math
import types
from typing import Annotated, Any, Union, get_args, get_origin

import default_params
import pytest
import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic.fields import FieldInfo

from auxseg.errors import ParamsError
from auxseg.params.dag import MOST_ROUNDS, MOST_SHARDS, chain, check_top, shard_names
from auxseg.params.registry import SECTIONS, check_sections
from auxseg.params.section import Strict

CHECKED_BY_A_RULE = {"classify.steps", "train.steps", "data.classes"}
"""Numbers whose range a validator of the model checks; test_rules has them."""

HUGE = [10**400, 10**40, 2**64, 10**12]
TINY = [-(10**40), -1, -1e300]

VALUES = yaml.safe_load(default_params.TEXT)


def numbers(model: type[Strict], where: str):
    """Yield key, type and metadata of every number of a section, also inside lists."""
    for name, field in model.fields_in_file().items():
        key = f"{where}.{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Strict):
            yield from numbers(field.annotation, key)
        else:
            yield from _inside(key, field.annotation, list(field.metadata), field)


def _inside(key: str, kind: Any, metadata: list[Any], field: FieldInfo):
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        metadata = [*metadata, *(more[0].metadata if isinstance(more[0], FieldInfo) else more)]
    if kind in (int, float):
        yield key, kind, metadata
    elif get_origin(kind) in (Union, types.UnionType):
        for one in get_args(kind):
            yield from _inside(key, one, metadata, field)
    elif get_origin(kind) is list:
        assert get_args(kind)[0] is str or any(isinstance(one, MaxLen) for one in metadata) or key in UNBOUNDED, key
        yield from _inside(f"{key}[]", get_args(kind)[0], [], field)


UNBOUNDED = {"data.classes", "data.void"}
"""Lists whose length a rule checks, or that cannot be longer than the distinct values in them."""

NUMBERS = [row for section in SECTIONS for row in numbers(section, section.key)]


def test_every_number_has_both_ends():
    assert len(NUMBERS) > 60
    for key, kind, metadata in NUMBERS:
        if key in CHECKED_BY_A_RULE:
            continue
        assert any(isinstance(one, Ge | Gt) for one in metadata), f"{key}: no lower end"
        upper = [one for one in metadata if isinstance(one, Le | Lt)]
        assert upper, f"{key}: no upper end"
        limit = next(one.le if isinstance(one, Le) else one.lt for one in upper)
        assert limit <= 2**63 - 1 and kind in (int, float)


def rejected(key: str, value: Any) -> str:
    """Set a value of a complete parameter file; return the error."""
    values = yaml.safe_load(default_params.TEXT)
    *groups, name = key.split(".")
    inner = values
    for group in groups:
        inner = inner.setdefault(group, {})
        if isinstance(inner, str):  # `paper`
            break
    if isinstance(inner, str):
        values[groups[0]][groups[1]] = inner = {}
    inner[name.removesuffix("[]")] = [value] * 3 if name.endswith("[]") else value
    with pytest.raises(ParamsError) as error:
        check_sections(values)
    return str(error.value)


@pytest.mark.parametrize("key", [key for key, _, _ in NUMBERS])
def test_values_beyond_both_ends_are_one_line_that_names_the_key(key):
    for value in (*(HUGE[:3] if key.endswith("seed") else HUGE), *TINY, math.inf, math.nan):
        message = rejected(key, float(value) if abs(value) < 1e308 and key_is_float(key) else value)
        assert message.startswith(f"params.yaml: key '{key.removesuffix('[]').split('.')[0]}"), message
        assert "\n" not in message


def key_is_float(key: str) -> bool:
    return any(kind is float for name, kind, _ in NUMBERS if name == key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels.saliency_crf.gaussian_sxy", 1e-300),  # a segmentation fault inside pydensecrf
        ("evaluate.crf.bilateral_srgb", 1e-300),
        ("evaluate.crf.iterations", 10**11),
        ("train.devices", 100_000),
        ("network.channels", 10**8),
        ("network.rates[]", 10**9),
        ("network.rates[]", 0),
        ("network.tau", 1e-300),
        ("propagate.scales[]", 40.0),
        ("cam.scales[]", 1e9),
        ("train.augment.crop", 10**6),
        ("train.augment.scale", [0.7, 1e9]),
        ("train.augment.scale", [1e-9, 1.0]),
        ("classify.augment.resize_long", [64, 10**9]),
        ("classify.steps", 10**40),
        ("runtime.max_side", 10**9),
    ],
)
def test_rules(key, value):
    assert rejected(key, value).startswith(f"params.yaml: key '{key.split('.')[0]}")


def test_the_largest_seed_is_taken():
    check_sections({**VALUES, "train": {**VALUES["train"], "seed": 2**63 - 1}})
    assert "seed" in rejected("train.seed", 2**63)


def test_rounds_and_shards():
    rounds, label_rounds = chain(MOST_ROUNDS + 1)
    with pytest.raises(
        ParamsError,
        match=rf"key 'rounds': at most {MOST_ROUNDS} rounds, got {MOST_ROUNDS + 1}; run `auxseg rounds N` with",
    ):
        check_top({**VALUES, "rounds": rounds, "label_rounds": label_rounds})
    with pytest.raises(
        ParamsError, match=rf"key 'shards': at most {MOST_SHARDS} shards, got .*; run `auxseg shards N` with"
    ):
        check_top({**VALUES, "shards": shard_names(MOST_SHARDS + 1)})
