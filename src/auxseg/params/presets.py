"""Presets: short files with what differs from the models' defaults or from another preset (params/presets/*.yaml).

A preset's `extends` names what it starts from: another preset, or `defaults`. Its other keys are overrides, with
`rounds` and `shards` as numbers. A file without `extends` is a complete params.yaml.
"""

import contextlib
from pathlib import Path
from typing import Any

from auxseg.errors import ParamsError
from auxseg.files import read_text, real_path
from auxseg.params.overrides import defaults, override
from auxseg.params.registry import check
from auxseg.params.section import suggest
from auxseg.params.template import render, title_of
from auxseg.params.yaml_file import read_yaml

FOLDER = Path("params/presets")
DEFAULTS = "defaults"


def preset_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find_preset(name: str, folder: Path = FOLDER) -> Path:
    """Return the file of a preset; `name` may also be its path.

    Raises:
        ParamsError: there is no such preset (the message suggests the nearest name), or the file is elsewhere.
    """
    path, names = Path(name), preset_names(folder)
    if path.suffix == ".yaml" and path.is_file():
        if real_path(path).parent != real_path(folder):
            raise ParamsError(f"{name}: not in {folder}; copy it there, then `auxseg use {path.stem}`")
        name = path.stem
    if name not in names:
        raise ParamsError(f"{folder}: no preset '{name}'; {suggest(name, names, 'presets')}")
    return folder / f"{name}.yaml"


def read_preset(path: Path) -> dict[str, Any]:
    """Return the complete params.yaml of a preset: every key with its value.

    Raises:
        ParamsError: one line that names the file and the key, and how to fix it.
    """
    return _resolve(path, ())


def render_preset(path: Path) -> str:
    """Return the text of a preset's params.yaml; a file that is complete is returned as it is.

    Raises:
        ParamsError: as `read_preset`.
    """
    values, text = read_preset(path), read_text(path)
    return render(values, title_of(text)) if _is_sparse(read_yaml(path)) else text


def is_preset(content: bytes) -> bool:
    """Tell whether this content is, byte by byte, the params.yaml of one of the presets."""
    for path in FOLDER.glob("*.yaml"):
        with contextlib.suppress(ParamsError):  # an invalid preset has no params.yaml
            if render_preset(path).encode() == content:
                return True
    return False


def _resolve(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    values = read_yaml(path)
    if not _is_sparse(values):
        if isinstance(values, dict) and "rounds" not in values:
            raise ParamsError(
                f"{path}: neither a complete params.yaml nor a preset; add `extends: {DEFAULTS}` or a preset"
            )
        return check(path)
    if path in below:
        chain = " -> ".join(one.stem for one in (*below, path))
        raise ParamsError(
            f"{path}: key 'extends': the preset extends itself ({chain}); name another preset or `{DEFAULTS}`"
        )
    parent = values.pop("extends")
    base = defaults() if parent == DEFAULTS else _resolve(_parent(path, parent), (*below, path))
    return override(base, values, str(path))


def _is_sparse(values: Any) -> bool:
    return isinstance(values, dict) and "extends" in values


def _parent(path: Path, name: Any) -> Path:
    known = [DEFAULTS, *preset_names(path.parent)]
    if name not in known:
        raise ParamsError(f"{path}: key 'extends': no preset '{name}'; {suggest(str(name), known, 'presets')}")
    return path.with_name(f"{name}.yaml")
