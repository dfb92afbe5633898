"""The readers of user files, each with valid files that `test_fuzz` changes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rows_images
import rows_params
import rows_pickles
import rows_tables
import valid_files
import valid_texts
from artifacts.test_damage import JSONS, TABLES
from changed_bytes import BYTES, PNG, TENSORS, TEXT, ZIP, Form
from datasets.annotations.exports import Opened

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.cli.corrections import read_exported
from auxseg.datasets.annotations import coco_file, label_studio_file
from auxseg.datasets.colour_png import packed_colours, read_colours
from auxseg.datasets.deep_images import depth_of
from auxseg.datasets.mask_file import mask_palette, read_numbers
from auxseg.datasets.voc_sbd import read_sbd_mask
from auxseg.encoded import decode_grey, decode_indices
from auxseg.errors import AuxsegError
from auxseg.external.npy import read_npy_cams
from auxseg.files import read_json
from auxseg.images import read_rgb
from auxseg.models.importing import read_published
from auxseg.params.dag import read_params
from auxseg.params.presets import read_preset
from auxseg.params.registry import SECTIONS
from auxseg.params.saliency import SaliencyParams
from auxseg.params.yaml_file import read_yaml
from auxseg.png_files import read_grey_png, read_index_png, read_palette
from auxseg.review.corrections import read_corrections
from auxseg.review.verdicts import read_verdicts

Read = Callable[[Path], Any]


class Reader(NamedTuple):
    """Functions that are given a file of this name, and valid files. `beside` puts into its folder what it needs."""

    name: str
    file: str
    reads: tuple[Read, ...]
    seeds: Callable[[], list[bytes]]
    form: Form = BYTES
    beside: Callable[[Path], None] = lambda folder: None


def archive_of(decode: Callable[[bytes], Any]) -> Read:
    def read(path: Path) -> None:
        found = Archive(path)
        for name in found:
            decode(found[name])

    return read


def tensor_members(path: Path) -> None:
    found = TensorFile(path)
    _ = dict(found), found.metadata


def saliency_network(side: int) -> Read:
    def read(path: Path) -> None:
        from auxseg.saliency.onnx_network import Handling, OnnxNetwork

        OnnxNetwork(path, 1, Handling.of(SaliencyParams(provider="u2netp", side=side)))(
            None, np.zeros((8, 9, 3), np.uint8)
        )

    return read


def data_set(form: str, **data: Any) -> Read:
    """Return a reader of the folder that a file is in, as `prepare` reads a data set."""

    def read(path: Path) -> None:
        # files are written more often than their time of change tells
        for module in (coco_file, label_studio_file):
            module._parsed.cache_clear()
        Opened(path.parent, format=form, **data).check()

    return read


def roboflow(path: Path) -> None:
    shutil.copy(path, path.parent / "train")
    Opened(path.parent, format="roboflow-csv").check()


def sections(path: Path) -> None:
    """Read every section of a params.yaml; each may have an error of its own."""
    values, errors = read_params(path), []
    for section in SECTIONS:
        try:
            section.of(values)
        except AuxsegError as error:
            errors.append(error)
    if errors:
        raise errors[0]


READERS = (
    Reader("PNG", "a.png", (read_rgb, rows_images.deep), valid_files.pngs, PNG),
    Reader("photos", "a.jpg", (read_rgb, depth_of), valid_files.photos),
    Reader("TIFF", "a.tif", (read_rgb, rows_images.deep, rows_images.banded, depth_of), valid_files.tiffs),
    Reader(
        "masks",
        "a.png",
        (read_index_png, read_grey_png, read_palette, packed_colours, rows_images.alpha),
        valid_files.pngs,
        PNG,
    ),
    Reader("mask TIFF", "a.tif", (read_numbers, mask_palette, packed_colours), valid_files.mask_tiffs),
    Reader("mask arrays", "a.npy", (read_numbers,), valid_files.mask_arrays),
    Reader("archives", "a.zip", (archive_of(decode_grey), archive_of(decode_indices)), valid_files.archives, ZIP),
    Reader("safetensors", "w.safetensors", (tensor_members, read_published), valid_files.safetensors, TENSORS),
    Reader("torch", "w.pth", (read_published,), valid_files.checkpoints, ZIP),
    Reader("old torch", "w.pth", (read_published,), valid_files.old_checkpoints),
    Reader("npy", "a.npy", (rows_pickles.load_object_npy, rows_pickles.tags, read_npy_cams), valid_files.npys),
    Reader("MXNet", "w.params", (read_published,), valid_files.mxnets),
    Reader("SBD", "a.mat", (read_sbd_mask,), valid_files.sbd),
    Reader("ONNX", "n.onnx", (saliency_network(320), saliency_network(64)), valid_files.onnxes),
    Reader(
        "CSV labels", "l.csv", (rows_tables.csv_labels, rows_tables.frame, rows_tables.ids), valid_texts.csv_tags, TEXT
    ),
    Reader("JSON labels", "l.json", (rows_tables.json_labels, read_json), valid_texts.json_tags, TEXT),
    Reader("verdicts", "v.csv", (read_verdicts,), valid_texts.verdicts, TEXT),
    Reader(
        "corrections",
        "exported.csv",
        (read_corrections, lambda path: read_exported(path.parent)),
        valid_texts.corrections,
        TEXT,
    ),
    Reader("colours", "colours.csv", (read_colours,), valid_texts.colours, TEXT),
    Reader("XML", "a.xml", (rows_tables.xml,), valid_texts.annotation_xml, TEXT),
    Reader("YAML", "p.yaml", (rows_params.data, sections, read_yaml, read_preset), valid_texts.yamls, TEXT),
    Reader(
        "COCO",
        "c.json",
        (data_set("coco-json"),),
        valid_texts.exported("coco", "*.json", valid_texts.cocos),
        TEXT,
        valid_texts.images,
    ),
    Reader(
        "labelme",
        "a.json",
        (data_set("labelme"), rows_tables.corrected),
        valid_texts.exported("labelme", "a.json", valid_texts.labelmes),
        TEXT,
        valid_texts.images,
    ),
    Reader(
        "Label Studio",
        "tasks.json",
        (data_set("label-studio"), rows_tables.corrected),
        valid_texts.exported("label-studio", "tasks.json", valid_texts.label_studios),
        TEXT,
        valid_texts.images,
    ),
    Reader("Roboflow", "_classes.csv", (roboflow,), valid_texts.roboflow_tables, TEXT, valid_texts.roboflow_images),
    Reader(
        "CVAT", "labelmap.txt", (data_set("cvat"),), lambda: valid_texts.colours()[2:], TEXT, valid_texts.masks_of_cvat
    ),
    Reader("CVAT zip", "masks.zip", (rows_tables.corrected,), valid_texts.cvat_zips, ZIP),
    *(
        Reader(f"table of {name}", "t.csv", (read,), lambda header=header, row=row: [(header + row).encode()], TEXT)
        for name, (read, header, row) in TABLES.items()
    ),
    *(
        Reader(f"JSON of {name}", "t.json", (read,), lambda value=value: [json.dumps(value).encode()], TEXT)
        for name, (read, value) in JSONS.items()
        if name != "scenes"  # reading it makes the scenes
    ),
)
