"""`auxseg use PRESET`: start from one of the complete parameter files in params/presets."""

import argparse
import os
from pathlib import Path

from auxseg.artifacts.atomic import write_bytes
from auxseg.cli.arguments import a_path
from auxseg.cli.edit import replace_params, report_removed
from auxseg.cli.next_step import print_next
from auxseg.cli.scan import scan_root
from auxseg.errors import DataError, ParamsError
from auxseg.params.dag import PARAMS_FILE
from auxseg.params.local import LOCAL_FILE, data_root, local_values, write_local
from auxseg.params.registry import check
from auxseg.params.section import suggest
from auxseg.params.template import title_of

PRESETS = Path("params/presets")
OLD_FILE = Path("params.old.yaml")
"""The params.yaml before, if it was nobody's preset; git ignores it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add preset and data root."""
    parser.add_argument("preset", nargs="?", metavar="PRESET", help="a file of params/presets without its ending")
    parser.add_argument("--data", metavar="FOLDER", type=a_path, help="root of the data set (into params.local.yaml)")


def run(arguments: argparse.Namespace) -> None:
    """Copy the preset over params.yaml, remember the data root, and scan it if there is one."""
    if arguments.preset is None:
        if arguments.data:
            raise ParamsError("--data: name a preset too, as in `auxseg use PRESET --data FOLDER`")
        _list()
        print_next("auxseg use PRESET --data FOLDER (demo and smoke bring their own images)")
        return
    path = _find(arguments.preset)
    values = check(path)
    if arguments.data and not arguments.data.is_dir():
        raise DataError(f"--data {arguments.data}: no such folder; give the folder that holds the data set")
    elsewhere = os.environ.get("AUXSEG_DATA")
    if arguments.data and elsewhere and Path(elsewhere).resolve() != arguments.data.resolve():
        raise DataError("--data: AUXSEG_DATA is set and names another folder, which would win; unset it first")
    data_format = (values.get("data") or {}).get("format", "scenes")
    rooted = bool(arguments.data or elsewhere is not None) or LOCAL_FILE.exists()
    if arguments.data:
        local_values()  # what is wrong with the file is said before anything is written
    elif rooted:
        data_root(data_format)
    kept = _keep_own(PARAMS_FILE)
    removed = replace_params(path.read_text("utf-8"))
    print(f"params.yaml is now {path}" + (f"; the one before is {kept}" if kept else ""))
    report_removed(removed)
    if arguments.data:
        write_local(arguments.data.resolve())
    if rooted or data_format == "scenes":
        scan_root()
    else:
        print_next(f"auxseg use {arguments.preset} --data FOLDER, or set AUXSEG_DATA and run auxseg scan")


def _keep_own(path: Path) -> Path | None:
    """Keep a copy of a params.yaml that is none of the presets; return where, or None."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    if any(preset.read_bytes() == content for preset in PRESETS.glob("*.yaml")):
        return None
    write_bytes(OLD_FILE, content)
    return OLD_FILE


def _names() -> list[str]:
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def _find(name: str) -> Path:
    if name not in _names():
        raise ParamsError(f"{PRESETS}: no preset '{name}'; {suggest(name, _names(), 'presets')}")
    return PRESETS / f"{name}.yaml"


def _list() -> None:
    width = max(map(len, _names()), default=0) + 2
    for name in _names():
        first_sentence = title_of((PRESETS / f"{name}.yaml").read_text("utf-8")).split(". ")[0].rstrip(".")
        print(f"{name:<{width}}{first_sentence}")
