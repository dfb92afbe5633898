"""The base of every parameter section: immutable, no unknown keys, errors that say how to fix them."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from auxseg.counts import and_more
from auxseg.errors import ParamsError, cut, quote

COMPATIBILITY = "compatibility"
"""The top-level key that sets constants in several sections."""
COMPATIBILITIES = ("paper", "released")

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""The start of a random number generator; torch's take 64 bits."""
MOST_SCALE = 8
Scale = Annotated[float, Field(ge=0.01, le=MOST_SCALE)]
"""A factor of the size of an image."""
MOST_SCALES = 32
MOST_PIXELS = 16_384
"""Of the longer side of anything that is computed on, pixels; memory grows with its square or faster."""
MOST_IMAGES = 100_000_000
MOST_FACTOR = 1e6
"""Of a factor or weight; float32 ends at 3e38, and sums of squares must fit."""

_CONSTANT = object()

Constant = Annotated[T, _CONSTANT]
"""A field that is not in params.yaml: a constant, or set by `compatibility`. Its docstring names the source.

Python code may construct the model with another value, as the tests of the equations do.
"""


class Spelling:
    """Metadata of a field whose value has a shorter form in params.yaml."""

    def spell(self, value: Any) -> Any:
        """Return the value in the form of params.yaml."""
        raise NotImplementedError


class Strict(BaseModel):
    """A nested group of parameters: an unknown key or a value of another type is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def fields_in_file(cls) -> dict[str, FieldInfo]:
        """Return the fields that are in params.yaml: all but the constants."""
        return {name: field for name, field in cls.model_fields.items() if _CONSTANT not in field.metadata}

    def shown(self, name: str) -> Any:
        """Return a field's value in the form of params.yaml; a group stays a model."""
        value = getattr(self, name)
        spelling = next((item for item in self.fields_in_file()[name].metadata if isinstance(item, Spelling)), None)
        return spelling.spell(value) if spelling else value

    def written(self) -> dict[str, Any]:
        """Return the group in the form of params.yaml: all its keys, with plain values."""
        values = {name: self.shown(name) for name in self.fields_in_file()}
        return {key: value.written() if isinstance(value, Strict) else _plain(value) for key, value in values.items()}


class Section(Strict):
    """A top-level section of params.yaml; `key` is its name there."""

    key: ClassVar[str]
    released: ClassVar[dict[str, Any]] = {}
    """What `compatibility: released` sets in this section, by key: mistakes of the released code (docs/fidelity.md)."""

    @classmethod
    def of(cls, values: Mapping[str, Any], source: str = "params.yaml") -> Self:
        """Return this section of a complete params.yaml, with what `compatibility` sets.

        Raises:
            ParamsError: as `parse`.
        """
        section = cls.parse(values.get(cls.key), source)
        return _updated(section, cls.released) if values.get(COMPATIBILITY) == "released" else section

    @classmethod
    def parse(cls, values: Any, source: str = "params.yaml") -> Self:
        """Validate the section's values as they are in a file, without what `compatibility` sets.

        Raises:
            ParamsError: one line that names the file and the key, and how to fix it.
        """
        if constants := list(_constants_in(cls, values, cls.released, cls.key)):
            raise ParamsError(f"{source}: {constants[0]}{and_more(len(constants))}")
        try:
            return cls.model_validate({} if values is None else values)
        except ValidationError as error:
            raise ParamsError(f"{source}: {explain(cls, error, cls.key)}") from None


def suggest(unknown: str, known: list[str], what: str = "keys") -> str:
    """Return a hint: the nearest known name, or all of them, which the hint calls `what`."""
    near = difflib.get_close_matches(unknown, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known {what}: {', '.join(sorted(known))}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _updated(model: M, changes: dict[str, Any]) -> M:
    """Return a copy of a model with other values, group by group."""
    update = {
        key: _updated(getattr(model, key), value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return model.model_copy(update=update)


def _constants_in(model: type[Strict], values: Any, released: dict[str, Any], where: str) -> Iterator[str]:
    """Yield one line for every constant that `values` sets."""
    if not isinstance(values, dict):
        return  # pydantic rejects it
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is None:
            continue
        if key not in model.fields_in_file():
            why = f"is set by '{COMPATIBILITY}'" if key in released else f"is a constant, {field.default}"
            yield f"key '{where}.{key}' {why}; delete it"
        elif isinstance(inner := field.annotation, type) and issubclass(inner, Strict):
            yield from _constants_in(inner, value, released.get(key, {}), f"{where}.{key}")


def explain(model: type[Strict], error: ValidationError, above: str = "") -> str:
    """Return the first problem that pydantic found in a model as one line; `above` is the key that holds the model."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"] if "[" not in str(part)]  # not `dict[str,int]`, one of two types
    name = ".".join([*filter(None, [above]), *map(cut, location)])
    more = and_more(error.error_count())
    if first["type"] == "extra_forbidden":
        known = list(_model_at(model, location[:-1]).fields_in_file())
        return f"unknown key '{name}'; {suggest(location[-1], known)}{more}"
    if first["type"] == "missing":
        return f"key '{name}' is missing; add it{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "float_type" and _is_number(first["input"]):
        message += " (YAML reads an exponent without a point as text: write 1.0e-3, not 1e-3)"
    # for a rule over several keys the input is the whole group, which would not help
    got = "" if isinstance(first["input"], dict) else f", got {quote(first['input'])}"
    return f"key '{name}': {message[0].lower()}{message[1:]}{got}{more}"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return isinstance(value, str)


def _model_at(model: type[Strict], location: list[str]) -> type[Strict]:
    """Return the model of the group at a location; a map of models has a key of its own before each of them."""
    parts = iter(location)
    for part in parts:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if get_origin(inner) is dict:
            _, inner = get_args(inner)
            next(parts, None)
        if isinstance(inner, type) and issubclass(inner, Strict):
            model = inner
    return model
