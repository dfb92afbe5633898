"""Where the raw data are on this machine: AUXSEG_DATA, or params.local.yaml. Never part of an artifact."""

import os
from pathlib import Path

import yaml

from auxseg.errors import ParamsError

LOCAL_FILE = Path("params.local.yaml")
SCENES_ROOT = Path("data/scenes")


def data_root(data_format: str) -> Path:
    """Return the folder that the manifest's paths are relative to.

    Raises:
        ParamsError: no root is given, or it is no folder.
    """
    if data_format == "scenes":
        return SCENES_ROOT
    root, source = os.environ.get("AUXSEG_DATA"), "AUXSEG_DATA"
    if root is None and LOCAL_FILE.exists():
        root, source = _local_root(), str(LOCAL_FILE)
    if root is None:
        raise ParamsError(
            "no data root: set AUXSEG_DATA=FOLDER, or `auxseg use PRESET --data FOLDER` (writes params.local.yaml)"
        )
    path = Path(root).expanduser()
    if not path.is_dir():
        raise ParamsError(f"{source}: data root '{root}' is no folder; give the folder that holds the data set")
    return path


def _local_root() -> str | None:
    try:
        values = yaml.safe_load(LOCAL_FILE.read_text())
    except yaml.YAMLError:
        values = "no YAML"
    if not isinstance(values, dict):
        raise ParamsError(f"{LOCAL_FILE}: expected `data_root: FOLDER`; `auxseg use PRESET --data FOLDER` writes it")
    return values.get("data_root")


def write_local(root: Path) -> None:
    """Remember the data root in params.local.yaml (git ignores it)."""
    LOCAL_FILE.write_text(yaml.safe_dump({"data_root": str(root)}))
