"""The keys of params.yaml that shape the DAG: `rounds`, `label_rounds`, `shards`; and the file's top level.

The three are templates in dvc.yaml. They are not parameters of a stage, because then adding a round would re-run
everything. The exception is `prepare`, which declares `shards` because it splits the manifest.
"""

from pathlib import Path
from typing import Any

from auxseg.errors import ParamsError, quote
from auxseg.params.section import COMPATIBILITIES, COMPATIBILITY, suggest
from auxseg.params.yaml_file import read_yaml

PARAMS_FILE = Path("params.yaml")

MOST_ROUNDS = 100
"""Every round adds stages to the DAG, and the papers stop at five rounds."""
MOST_SHARDS = 10_000
"""Enough for a million images in shards of a hundred."""

DAG_KEYS = ("rounds", "label_rounds", "shards")
SECTION_KEYS = (
    "runtime",
    "data",
    "saliency",
    "backbone",
    "classify",
    "cam",
    "labels",
    "review",
    "guard",
    "network",
    "train",
    "propagate",
    "evaluate",
    "audit",
    "pipeline",
)


def read_params(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """Read params.yaml and check its top level: known sections, a chain of rounds, shards as strings.

    Raises:
        ParamsError: one line that names the key.
    """
    values = read_file(path)
    check_top(values, path)
    return dict(values)


def read_file(path: Path = PARAMS_FILE) -> Any:
    """Read params.yaml without any check of its content.

    Raises:
        ParamsError: it is missing, or not YAML.
    """
    try:
        return read_yaml(path)
    except FileNotFoundError:
        raise ParamsError(
            f"{path}: no such file; run in the project's root, or make one with `auxseg use PRESET`"
        ) from None


def check_top(values: Any, path: Path = PARAMS_FILE) -> None:
    """Check the top level of the content of params.yaml; see `read_params`."""
    if not isinstance(values, dict):
        raise ParamsError(f"{path}: expected a mapping of sections; `auxseg use PRESET` writes one")
    if "extends" in values:
        raise ParamsError(f"{path}: key 'extends': for presets only; `auxseg use PRESET` writes the whole file")
    check_keys(values, str(path))
    _check_rounds(values, path)
    _check_shards(values.get("shards"), path)


def check_keys(values: dict[str, Any], source: str) -> None:
    """Check the names at the top level of a parameter file or of overrides, and the value of `compatibility`.

    Raises:
        ParamsError: one line that names the key.
    """
    known = [*DAG_KEYS, COMPATIBILITY, *SECTION_KEYS]
    for key in values:
        if key not in known:
            raise ParamsError(f"{source}: unknown key '{key}'; {suggest(str(key), known)}")
    choice = values.get(COMPATIBILITY, "paper")
    if choice not in COMPATIBILITIES:
        raise ParamsError(
            f"{source}: key '{COMPATIBILITY}': expected {' or '.join(COMPATIBILITIES)}, got {quote(choice)}"
        )


def require_round(name: str, also: str = "") -> dict[str, Any]:
    """Check that there is a round of this name; return what `read_params` does.

    Raises:
        ParamsError: there is no such round; lists the rounds, followed by `also`.
    """
    values = read_params()
    if name not in values["label_rounds"]:
        raise ParamsError(f"{name}: no such round; choose one of {', '.join(values['label_rounds'])}{also}")
    return values


def chain(rounds: int) -> tuple[dict[str, str], list[str]]:
    """Return `rounds` and `label_rounds` for a number of trainings: {r1: r0, r2: r1, …} and [r0, r1, r2, …]."""
    return {f"r{i}": f"r{i - 1}" for i in range(1, rounds + 1)}, [f"r{i}" for i in range(rounds + 1)]


def shard_names(count: int) -> list[str]:
    """Return the names of `count` shards, of one length: 00, 01, …"""
    width = max(2, len(str(count - 1)))
    return [f"{index:0{width}d}" for index in range(count)]


def _check_rounds(values: dict[str, Any], path: Path) -> None:
    rounds = values.get("rounds")
    fix = "write rounds as {r1: r0, r2: r1}; `auxseg rounds N` does"
    if not isinstance(rounds, dict) or not rounds:
        raise ParamsError(f"{path}: key 'rounds': expected a map, got {quote(rounds)}; {fix}")
    for name in [*rounds, *rounds.values()]:
        if not isinstance(name, str):
            raise ParamsError(f"{path}: key 'rounds': round {quote(name)} is not a string; {fix}")
    if len(rounds) > MOST_ROUNDS:
        raise ParamsError(
            f"{path}: key 'rounds': at most {MOST_ROUNDS} rounds, got {len(rounds)}; run `auxseg rounds N` with a "
            "smaller N"
        )
    expected, label_rounds = chain(len(rounds))
    if rounds != expected:
        raise ParamsError(f"{path}: key 'rounds': expected {quote(expected)}, got {quote(rounds)}; {fix}")
    if values.get("label_rounds") != label_rounds:
        raise ParamsError(
            f"{path}: key 'label_rounds': expected {quote(label_rounds)}, got {quote(values.get('label_rounds'))}; "
            "`auxseg rounds N` writes both"
        )


def _check_shards(shards: Any, path: Path) -> None:
    count = len(shards) if isinstance(shards, list) else 0
    if count > MOST_SHARDS:
        raise ParamsError(
            f"{path}: key 'shards': at most {MOST_SHARDS} shards, got {count}; run `auxseg shards N` with a smaller N"
        )
    if not count or shards != shard_names(count):
        raise ParamsError(
            f"{path}: key 'shards': expected strings as in {shard_names(max(count, 2))}, got {quote(shards)}; "
            "`auxseg shards N` writes them"
        )
