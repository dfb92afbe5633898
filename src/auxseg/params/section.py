"""The base of every parameter section: immutable, no unknown keys, errors that a person can act on."""

import difflib
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from auxseg.errors import ParamsError


class Strict(BaseModel):
    """A nested group of parameters: an unknown key or a value of another type is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Section(Strict):
    """A top-level section of params.yaml; `key` is its name there."""

    key: ClassVar[str]

    @classmethod
    def parse(cls, values: Any, source: str = "params.yaml") -> Self:
        """Validate the section's values.

        Raises:
            ParamsError: one line that names the file and the key, and how to mend it.
        """
        try:
            return cls.model_validate({} if values is None else values)
        except ValidationError as error:
            raise ParamsError(f"{source}: {_explain(cls, error)}") from None


def suggest(unknown: str, known: list[str], what: str = "keys") -> str:
    """Return a hint with the nearest known name, or with all of them; `what` they are."""
    near = difflib.get_close_matches(unknown, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known {what}: {', '.join(sorted(known))}"


def _explain(section: type[Section], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    name = ".".join([section.key, *location])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        known = list(_model_at(section, location[:-1]).model_fields)
        return f"unknown key '{name}'; {suggest(location[-1], known)}{more}"
    if first["type"] == "missing":
        return f"key '{name}' is missing; add it{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "float_type" and _is_number(first["input"]):
        message += " (YAML reads an exponent without a point as text: write 1.0e-3, not 1e-3)"
    # of a rule over several keys the input is the whole group, which says nothing
    got = "" if isinstance(first["input"], dict) else f", got {first['input']!r}"
    return f"key '{name}': {message[0].lower()}{message[1:]}{got}{more}"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)


def _model_at(model: type[BaseModel], location: list[str]) -> type[BaseModel]:
    for part in location:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return model
