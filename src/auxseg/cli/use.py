"""`auxseg use PRESET`: write the params.yaml of a preset."""

import argparse
import os
from pathlib import Path

from auxseg.artifacts.atomic import write_bytes
from auxseg.cli.arguments import a_path
from auxseg.cli.edit import edit_params, replace_params, report_removed
from auxseg.cli.next_step import print_next
from auxseg.cli.scan import scan_root
from auxseg.datasets.annotations.recognise import recognise
from auxseg.errors import DataError, ParamsError
from auxseg.files import read_bytes, read_text, real_path
from auxseg.params.dag import PARAMS_FILE
from auxseg.params.data import DataParams
from auxseg.params.local import LOCAL_FILE, data_root, local_values, write_local
from auxseg.params.presets import find_preset, is_preset, preset_names, read_preset, render_preset
from auxseg.params.template import title_of

OLD_FILE = Path("params.old.yaml")
"""Copy of a params.yaml that is not exactly a preset's, before it is replaced; git ignores it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add preset and data root."""
    parser.add_argument("preset", nargs="?", metavar="PRESET", help="a file of params/presets without .yaml")
    parser.add_argument("--data", metavar="FOLDER", type=a_path, help="root of the data set (into params.local.yaml)")


def run(arguments: argparse.Namespace) -> None:
    """Write params.yaml, remember the data root, and scan it if there is one."""
    if arguments.preset is None:
        if arguments.data:
            raise ParamsError("--data: name a preset too, as in `auxseg use PRESET --data FOLDER`")
        _list()
        print_next("auxseg use PRESET --data FOLDER (demo and smoke bring their own images)")
        return
    path = find_preset(arguments.preset)
    values = read_preset(path)
    if arguments.data and not arguments.data.is_dir():
        raise DataError(f"--data {arguments.data}: no such folder; give the folder that holds the data set")
    elsewhere = os.environ.get("AUXSEG_DATA")
    if arguments.data and elsewhere and real_path(Path(elsewhere)) != real_path(arguments.data):
        raise DataError("--data: AUXSEG_DATA names another folder and takes precedence; unset it first")
    data_format = (values.get("data") or {}).get("format", "scenes")
    rooted = bool(arguments.data or elsewhere is not None) or LOCAL_FILE.exists()
    if arguments.data:
        local_values()  # an invalid file is reported before anything is written
    elif rooted:
        data_root(data_format)
    kept = _keep_own(PARAMS_FILE)
    removed = replace_params(render_preset(path))
    print(f"params.yaml is now {path}" + (f"; the previous one is {kept}" if kept else ""))
    report_removed(removed)
    if arguments.data:
        write_local(real_path(arguments.data))
    if data_format == "folder" and rooted:
        _set_format(DataParams.parse(values.get("data")))
    if rooted or data_format == "scenes":
        scan_root()
    else:
        print_next(f"auxseg use {arguments.preset} --data FOLDER, or set AUXSEG_DATA and run auxseg scan")


def _keep_own(path: Path) -> Path | None:
    """Copy a params.yaml that is not exactly a preset's; return the path of the copy, or None."""
    if not path.is_file():
        return None
    content = read_bytes(path)
    if is_preset(content):
        return None
    write_bytes(OLD_FILE, content)
    return OLD_FILE


def _set_format(params: DataParams) -> None:
    """Set `data.format` if the data root is an export of an annotation tool, or has one folder per class."""
    found = recognise(data_root(params.format), params)
    if found is None:
        return
    name, sign = found
    edit_params(lambda document: document["data"].update(format=name))
    print(f"params.yaml: data.format set to {name}, because of {sign} (and there is no {params.labels_file})")


def _list() -> None:
    names = preset_names()
    width = max(map(len, names), default=0) + 2
    for name in names:
        first_sentence = title_of(read_text(find_preset(name))).split(". ")[0].rstrip(".")
        print(f"{name:<{width}}{first_sentence}")
