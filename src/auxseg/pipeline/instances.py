"""Expand dvc.yaml and params.yaml into stage instances, without DVC."""

import itertools
from pathlib import Path
from typing import Any, NamedTuple

from auxseg.counts import and_more
from auxseg.errors import ParamsError
from auxseg.pipeline.declaration import DVC_FILE, fill, read_stages


class Instance(NamedTuple):
    """One run of a stage's script."""

    stage: str
    key: str
    """What follows the @ in DVC's address; empty for a stage with one instance."""
    template: dict[str, str]
    """Values of `${…}` in dvc.yaml."""

    @property
    def address(self) -> str:
        """DVC's name of the instance, such as labels@r1-00."""
        return f"{self.stage}@{self.key}" if self.key else self.stage


def instances(values: dict[str, Any], path: Path = DVC_FILE) -> list[Instance]:
    """Expand `matrix` and `foreach` of dvc.yaml with the lists of params.yaml (`values`)."""
    found = []
    for stage, body in read_stages(path).items():
        if "matrix" in body:
            axes = {name: list(_lookup(source, values)) for name, source in body["matrix"].items()}
            for choice in itertools.product(*axes.values()):
                template = {f"item.{name}": value for name, value in zip(axes, choice, strict=True)}
                found.append(Instance(stage, "-".join(choice), template))
        elif "foreach" in body:
            items = _lookup(body["foreach"], values)
            pairs = items.items() if isinstance(items, dict) else ((item, item) for item in items)
            found += [Instance(stage, key, {"key": key, "item": item}) for key, item in pairs]
        else:
            found.append(Instance(stage, "", {}))
    return found


def outputs(values: dict[str, Any], path: Path = DVC_FILE) -> set[str]:
    """Return the paths that all instances write."""
    stages = read_stages(path)
    return {output for one in instances(values, path) for output in fill(stages[one.stage], one.template).outputs}


def require_sections(values: dict[str, Any]) -> None:
    """Check that params.yaml (`values`) has every key that a stage declares, even where the models have defaults.

    Without this, DVC fails in the middle of a run, when it comes to a stage with a missing key.

    Raises:
        ParamsError: names the first missing key, and how to add it.
    """
    needed = {section for body in read_stages().values() for section in fill(body, {}).sections}
    if missing := sorted(needed - values.keys()):
        raise ParamsError(
            f"params.yaml: key '{missing[0]}' is missing{and_more(len(missing))}; `auxseg params render` adds "
            "missing keys with their defaults and keeps your values"
        )


def _lookup(source: Any, values: dict[str, Any]) -> Any:
    """Return the list or map that `${name}` refers to, or `source` if it is a list or map itself."""
    return values[source.removeprefix("${").removesuffix("}")] if isinstance(source, str) else source
