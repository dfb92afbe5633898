"""`auxseg scan`: record what the data folder contains now, so that the pipeline notices new images, maps and CAMs.

A hash of the data root goes to data/raw.yaml. Hashes of the other paths of params.yaml go to the key `sha256` beside
each path. `auxseg scan FOLDER` looks at another folder, says what `auxseg use own-data` would make of it, and writes
nothing.
"""

import argparse
import shlex
from pathlib import Path
from typing import Any

from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.check import check_backbone
from auxseg.cli.edit import edit_params
from auxseg.cli.next_step import REPRO, print_next
from auxseg.counts import counted
from auxseg.datasets.annotations.recognise import recognise
from auxseg.datasets.collect import collect
from auxseg.datasets.other_tables import there_instead
from auxseg.datasets.overview import overview
from auxseg.datasets.scan import content_sha256, remember, scan, write_raw
from auxseg.errors import DataError, ParamsError
from auxseg.files import real_path
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams
from auxseg.params.labels import LabelsParams
from auxseg.params.local import data_root
from auxseg.params.presets import find_preset, read_preset
from auxseg.params.saliency import SaliencyParams

RAW_FILE = Store().raw
PRESET = "own-data"
"""The preset for a folder that is no data root yet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder to look at."""
    parser.description = "Record what the data folder contains now, so that a run notices new images, maps and CAMs."
    parser.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        type=a_path,
        help=f"look at this folder instead, and say what `auxseg use {PRESET}` would make of it; nothing is written",
    )


def run(arguments: argparse.Namespace) -> None:
    """Scan the data root of this machine, or look at another folder, and print the next step."""
    if arguments.folder is None or _is_data_root(arguments.folder):
        scan_root()
    else:
        look_at(arguments.folder)


def _is_data_root(folder: Path) -> bool:
    params = DataParams.parse(read_params().get(DataParams.key))
    try:
        return params.format != "scenes" and real_path(data_root(params.format)) == real_path(folder)
    except ParamsError:  # there is none
        return False


def look_at(folder: Path) -> None:
    """Print the format of a folder, what `prepare` would find in it, and how to use it.

    Raises:
        DataError: there is no such folder, or the stage `prepare` would reject it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder that contains the data set")
    params = DataParams.parse(read_preset(find_preset(PRESET)).get(DataParams.key))
    if found := recognise(folder, params):
        name, sign = found
        print(f"{folder}: {name}, because of {sign} (and there is no {params.labels_file})")
        params = params.model_copy(update={"format": name})
    if problem := _missing(folder, params) or _print_overview(folder, params):
        raise DataError(problem)
    print_next(f"auxseg use {PRESET} --data {shlex.quote(str(folder))}")


def scan_root() -> None:
    """Update data/raw.yaml and the keys `sha256`, print what changed, and the next step. Scenes have no raw files.

    Raises:
        DataError: the stage `prepare` will reject the data set; what was found has been written before.
    """
    values = read_params()
    params = DataParams.parse(values.get("data"))
    root = data_root(params.format)
    found: dict[str, int | str] = {"files": 0, "sha256": "none"}
    if params.format != "scenes":
        found = scan(root)
        remember(root, str(found["sha256"]))
    changed = write_raw(RAW_FILE, found)
    print(f"{RAW_FILE}: {counted(int(found['files']), 'file')}" + ("" if changed else ", as before"))
    problem, others = _missing(root, params), ""
    if (params.format == "folder" or params.is_annotated) and not problem:
        problem, others = _print_overview(root, params), "; `auxseg check --data` lists all problems"
    _scan_paths(values, root, params)
    if problem:
        raise DataError(
            f"{problem}; then run `auxseg scan` (the stage `prepare` rejects the data set as it is{others})"
        )
    check_backbone(values)
    print_next(REPRO)


_LABELS = {"xml": ("Annotations", "data.labels"), "lists": ("ImageSets", "data.labels")}
"""`data.labels` -> where the labels are, and the key that says so; otherwise they are in `data.labels_file`."""


def _missing(root: Path, params: DataParams) -> str:
    """Return which of the images and the labels are not there, and what to do; empty if both are."""
    if params.format == "scenes" or params.is_annotated:  # the readers name what an annotated set lacks
        return ""
    if params.format == "folder" and (found := recognise(root, params)):
        name, sign = found
        return f"{root}: has no {params.labels_file}, but {sign}: set data.format in params.yaml to {name}"
    labels = _LABELS.get(params.labels, (params.labels_file, "data.labels_file"))
    images = root / params.photos, "data.folder.images"
    missing = [] if images[0].is_dir() else [images]  # a file in its place counts as missing
    if not (root / labels[0]).exists():
        missing.append((root / labels[0], labels[1]))
    if not missing:
        return ""
    paths = " and ".join(str(path) for path, _ in missing)
    if len(missing) > 1:
        return f"{paths}: missing; add them, or name the folder that has them, as in `auxseg use PRESET --data FOLDER`"
    if missing[0][1] == "data.labels_file" and (instead := there_instead(missing[0][0])):
        return f"{paths}: missing; {instead}"
    fix = f"correct {missing[0][1]} in params.yaml" if params.format == "folder" else "give another data root"
    return f"{paths}: missing; add it, or {fix}"


def _print_overview(root: Path, params: DataParams) -> str:
    """Print what `prepare` will find in the folder, above all labels; return why `prepare` would fail, or nothing."""
    try:
        view = overview(collect(root, params))
    except (DataError, ParamsError) as error:
        return str(error)
    print(*view.lines(), sep="\n")
    for warning in view.warnings():
        print(f"note: {warning}")
    return ""


def _scan_paths(values: dict[str, Any], root: Path, data: DataParams) -> None:
    """Write the hash of every section's path beside the path, or null if the path is not used."""
    fresh: dict[str, str | None] = {}
    for section in (BackboneParams, SaliencyParams, CamParams, LabelsParams):
        folder, base = (Path(), "the project") if section is BackboneParams else (root, "the data root")
        params = section.parse(values.get(section.key))
        path, key = params.watched(), f"{section.key}.{section.path_key}"
        if path is not None:
            _reject_masks(folder / path, key, root, data)
        found = None if path is None else content_sha256(folder / path, key, base)
        if path is not None and found is not None:
            remember(folder / path, found)
        if found != params.sha256:
            fresh[section.key] = found

    def change(document: dict[str, Any]) -> None:
        for key, found in fresh.items():
            document.setdefault(key, {})["sha256"] = found

    if fresh:
        edit_params(change)
    for key, found in fresh.items():
        print(f"params.yaml: {key}.sha256 {'cleared' if found is None else 'written'}")


def _reject_masks(path: Path, key: str, root: Path, params: DataParams) -> None:
    """Reject a folder of masks as maps, CAMs or labels, because the results would no longer be weakly supervised.

    Raises:
        DataError: names the key.
    """
    masks = [] if params.masks is None else [root / params.masks]
    if params.in_voc_layout:
        masks += [root / "SegmentationClass", root / "SegmentationClassAug"]  # whichever of them `data.masks` names
    if any(real_path(path).is_relative_to(real_path(folder)) for folder in masks):
        raise DataError(f"params.yaml: key '{key}': {path} holds the masks used for evaluation; give another folder")
