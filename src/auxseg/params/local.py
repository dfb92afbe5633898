"""Settings of this machine: where the data set is (AUXSEG_DATA or params.local.yaml), how often a training saves.

Never part of an artifact.
"""

import os
from pathlib import Path
from typing import Any

import yaml

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.store import Store
from auxseg.errors import ParamsError, quote
from auxseg.params.yaml_file import read_yaml

LOCAL_FILE = Path("params.local.yaml")
SCENES_ROOT = Store().scenes


def data_root(data_format: str) -> Path:
    """Return the folder that the manifest's paths are relative to.

    Raises:
        ParamsError: no root is given, or it is not a folder.
    """
    if data_format == "scenes":
        return SCENES_ROOT
    root, source = os.environ.get("AUXSEG_DATA"), "AUXSEG_DATA"
    if root is None:
        root, source = local_values().get("data_root"), str(LOCAL_FILE)
    if root is None:
        raise ParamsError(
            "no data root: set AUXSEG_DATA=FOLDER, or `auxseg use PRESET --data FOLDER` (writes params.local.yaml)"
        )
    try:
        path = Path(root).expanduser()
    except RuntimeError:  # ~name of nobody
        raise ParamsError(f"{source}: data root '{root}' names an unknown user; write the whole path") from None
    if not root.strip():  # for example from an unset shell variable; it would mean the current folder
        raise ParamsError(f"{source}: is empty; give the folder that holds the data set")
    if not path.is_dir():
        raise ParamsError(f"{source}: data root '{root}' is not a folder; give the folder that holds the data set")
    return path


def checkpoint_minutes() -> float:
    """Return after how many minutes a training writes its next checkpoint. It also writes one at every epoch's end.

    This is not a parameter of a stage, because it changes no result: another value must not cause a new training.

    Raises:
        ParamsError: it is not a positive number.
    """
    minutes = local_values().get("checkpoint_minutes", 10)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not minutes > 0:
        raise ParamsError(f"{LOCAL_FILE}: checkpoint_minutes: expected a number above 0, got {quote(minutes)}")
    return minutes


def local_values() -> dict[str, Any]:
    """Return the content of params.local.yaml; empty if there is no such file.

    Raises:
        ParamsError: it is not what `auxseg use PRESET --data FOLDER` writes.
    """
    if not LOCAL_FILE.exists():
        return {}
    values = read_yaml(LOCAL_FILE)
    if not isinstance(values, dict) or not isinstance(values.get("data_root", ""), str):
        raise ParamsError(f"{LOCAL_FILE}: expected `data_root: FOLDER`; `auxseg use PRESET --data FOLDER` writes it")
    return values


def write_local(root: Path) -> None:
    """Write the data root to params.local.yaml (git ignores it)."""
    write_text(LOCAL_FILE, yaml.safe_dump({**local_values(), "data_root": str(root)}))
