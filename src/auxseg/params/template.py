"""Render a complete params.yaml from the models: every key with its value, range and meaning.

The comments are the docstrings of the models' fields. A test renders the params.yaml in git again and fails with the
difference. `auxseg params render FILE` brings a file up to date.
"""

import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from auxseg.params.registry import SECTIONS
from auxseg.params.section import COMPATIBILITIES, COMPATIBILITY, Strict

WIDTH = 110

DAG_COMMENTS = {
    "rounds": "Trainings, each with the round whose labels it learns from. Written by `auxseg rounds N`.",
    "label_rounds": "Rounds that have labels; r0 has the initial labels. Written by `auxseg rounds N`.",
    "shards": "Slices of the images, by a hash of the id; a slice should be at least 10 minutes of work. "
    "Choose the number once, because another one re-runs everything. Written by `auxseg shards N`.",
}
COMPATIBILITY_COMMENT = (
    "paper: the method as the papers describe it. released: with those mistakes of the released code that always go "
    "together (docs/fidelity.md): SGD's momentum and weight decay, one scale per batch, padding as background, binary "
    "saliency targets, kernel and learning rate of the cross-task fusion, initial weights of the branches."
)
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "multiple_of": "a multiple of"}


def render(values: dict[str, Any], title: str = "") -> str:
    """Return a parameter file with these values and every key. `title` becomes the comment at its head.

    Raises:
        ParamsError: a value that the models reject.
    """
    lines = list(_comment(title, 0)) if title else []
    for key, comment in DAG_COMMENTS.items():
        lines += ["", *_comment(comment, 0), f"{key}: {_flow(values[key])}"]
    choices = f"[{' | '.join(COMPATIBILITIES)}]"
    lines += ["", *_comment(f"{COMPATIBILITY_COMMENT} {choices}", 0)]
    lines += [f"{COMPATIBILITY}: {values.get(COMPATIBILITY, COMPATIBILITIES[0])}"]
    for section in SECTIONS:
        parsed = section.parse(values.get(section.key))
        lines += ["", *_comment(section.__doc__ or "", 0), f"{section.key}:", *_group(parsed, 2)]
    return "\n".join(lines).lstrip("\n") + "\n"


def title_of(text: str) -> str:
    """Return the comment at the head of a parameter file, on one line; empty if there is none."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    else:
        return ""
    # a comment without an empty line after it belongs to the first key
    return " ".join(lines) if lines and not text.splitlines()[len(lines)].strip() else ""


def _group(model: Strict, indent: int) -> Iterator[str]:
    for name, field in type(model).fields_in_file().items():
        value = model.shown(name)
        about = _about(field)
        if isinstance(value, Strict):
            yield from _comment(about or (type(value).__doc__ or ""), indent)
            yield f"{' ' * indent}{name}:"
            yield from _group(value, indent + 2)
            continue
        line = f"{' ' * indent}{name}: {_flow(value)}"
        if about and len(line) + 4 + len(about) > WIDTH:
            yield from _comment(about, indent)
            yield line
        else:
            yield f"{line}  # {about}" if about else line


def _about(field: FieldInfo) -> str:
    """Return a field's docstring on one line, with its range or its choices."""
    text = " ".join((field.description or "").split())
    bounds = [f"{sign} {limit:g}" for name, sign in _BOUNDS.items() if (limit := _bound(field, name)) is not None]
    limits = ", ".join([*bounds, *([choices] if (choices := _choices(field.annotation)) else [])])
    return " ".join(filter(None, (text, f"[{limits}]" if limits else "")))


def _bound(field: FieldInfo, name: str) -> float | None:
    return next((getattr(item, name) for item in field.metadata if hasattr(item, name)), None)


def _choices(annotation: Any) -> str:
    return " | ".join(str(choice) for choice in get_args(annotation)) if get_origin(annotation) is Literal else ""


def _comment(text: str, indent: int) -> Iterator[str]:
    head = " " * indent + "# "
    yield from (
        head + line for line in textwrap.wrap(" ".join(text.split()), WIDTH - len(head), break_on_hyphens=False)
    )


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    # dumped as the only element of a list, because a scalar alone would get a document end mark
    return yaml.dump([plain], Dumper=_Dumper, default_flow_style=True, width=10**6, sort_keys=False).strip()[1:-1]


class _Dumper(yaml.SafeDumper):
    """Puts strings that start with a digit in double quotes, so that they are not read as numbers."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if text[:1].isdigit() else None)


_Dumper.add_representer(str, _represent_text)
