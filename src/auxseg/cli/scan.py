"""`auxseg scan`: record what the data folder contains now, so that the pipeline sees new images, maps and seeds.

A hash of the data root goes to data/raw.yaml. Hashes of the other paths of params.yaml go to the key `sha256` beside
each path.
"""

import argparse
from pathlib import Path
from typing import Any

from auxseg.artifacts.store import Store
from auxseg.cli.edit import edit_params
from auxseg.cli.next_step import REPRO, print_next
from auxseg.datasets.collect import collect
from auxseg.datasets.overview import overview
from auxseg.datasets.scan import content_sha256, scan, write_raw
from auxseg.errors import DataError, ParamsError
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams
from auxseg.params.labels import LabelsParams
from auxseg.params.local import data_root
from auxseg.params.saliency import SaliencyParams

RAW_FILE = Store().raw


def run(arguments: argparse.Namespace) -> None:
    """Scan the data root of this machine, and print the next step."""
    scan_root()


def scan_root() -> None:
    """Update data/raw.yaml and the keys `sha256`, print what changed, and the next step. Scenes have no raw files."""
    values = read_params()
    params = DataParams.parse(values.get("data"))
    root = data_root(params.format)
    found: dict[str, int | str] = {"files": 0, "sha256": "none"} if params.format == "scenes" else scan(root)
    changed = write_raw(RAW_FILE, found)
    print(f"{RAW_FILE}: {found['files']} files" + ("" if changed else ", as before"))
    has_folder = params.is_annotated or (root / params.photos).is_dir()
    if params.format != "scenes" and not has_folder:
        # a note, not an error: after `auxseg use` the user sets the folders next
        key = "data.folder.images" if params.format == "folder" else "the data root"
        print(f"note: {root / params.photos} is not a folder; put the images there, or correct {key}")
    readable = True
    if (params.format == "folder" and has_folder) or params.is_annotated:
        readable = _print_overview(root, params)
    _scan_paths(values, root, params)
    _print_next(root, params, readable)


def _print_overview(root: Path, params: DataParams) -> bool:
    """Print what `prepare` will find in the folder, above all labels; return False if `prepare` would fail."""
    try:
        view = overview(collect(root, params))
    except (DataError, ParamsError) as error:
        print(f"note: {error}")
        return False
    print(*view.lines(), sep="\n")
    for warning in view.warnings():
        print(f"note: {warning}")
    return True


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
    """Reject a folder of masks as maps or seeds: the results would no longer be weakly supervised.

    Raises:
        DataError: names the key.
    """
    masks = [] if params.masks is None else [root / params.masks]
    if params.in_voc_layout:
        masks += [root / "SegmentationClass", root / "SegmentationClassAug"]  # whichever of them `data.masks` names
    if any(path.resolve().is_relative_to(folder.resolve()) for folder in masks):
        raise DataError(f"params.yaml: key '{key}': {path} holds the masks used for evaluation; give another folder")


def _print_next(root: Path, params: DataParams, readable: bool) -> None:
    """Print the next step: add missing images or labels, fix what cannot be read, or run the pipeline."""
    if params.is_annotated:
        print_next(REPRO if readable else "fix what the note says, then auxseg scan")
        return
    tags = {"csv": params.labels_file, "npy": params.labels_file, "xml": "Annotations", "lists": "ImageSets"}.get(
        params.labels
    )
    needed = [] if params.format == "scenes" else filter(None, (params.photos, tags))
    missing = [str(root / path) for path in needed if not (root / path).exists()]
    if missing:
        print_next(f"add {' and '.join(missing)}, then auxseg scan")
    else:
        print_next(REPRO if readable else "fix what the note says, then auxseg scan")
