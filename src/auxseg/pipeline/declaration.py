"""What dvc.yaml declares for one stage instance: its inputs, outputs and parameter sections.

This does not use DVC, because a stage then starts in 50 ms instead of a second. A test compares the result with DVC's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from auxseg.errors import ParamsError

DVC_FILE = Path("dvc.yaml")
LOCK_FILE = Path("dvc.lock")


@dataclass(frozen=True)
class Declaration:
    """Inputs, outputs (paths relative to the project's root) and parameter sections of a stage instance."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    sections: frozenset[str]


def declared(stage: str, template: dict[str, str], path: Path = DVC_FILE) -> Declaration:
    """Read the declaration of `stage`, with `${…}` replaced by the values of `template`, such as {"item.shard": "00"}.

    Raises:
        ParamsError: dvc.yaml has no such stage.
    """
    stages = read_stages(path)
    if stage not in stages:
        raise ParamsError(f"{path}: has no stage '{stage}'; its stages are {', '.join(stages)}")
    return fill(stages[stage], template)


def read_stages(path: Path = DVC_FILE) -> dict[str, Any]:
    """Return the stages of dvc.yaml, unchanged."""
    # every stage starts with this, and PyYAML's loader in C, if it is there, takes a tenth of the time
    stages: dict[str, Any] = yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stages"]
    return stages


def fill(body: dict[str, Any], template: dict[str, str]) -> Declaration:
    """Return the declaration of one instance from `body`, its stage in dvc.yaml."""
    body = body.get("do", body)

    def names(key: str) -> frozenset[str]:
        return frozenset(_fill(_name(entry), template) for entry in body.get(key, []))

    return Declaration(names("deps"), names("outs") | names("metrics") | names("plots"), names("params"))


def _name(entry: Any) -> str:
    # an entry is a path, or a map with the path as its only key: {path: {cache: false}}
    return str(next(iter(entry)) if isinstance(entry, dict) else entry)


def _fill(text: str, template: dict[str, str]) -> str:
    for key, value in template.items():
        text = text.replace(f"${{{key}}}", value)
    return text
