"""VOC 2012 with SBD: the training list `train_aug` of 10,582 images, and masks for all of them.

    FOLDER/VOCdevkit/VOC2012/    the devkit, which is the data root; added to it:
        ImageSets/Segmentation/train_aug.txt
        SegmentationClassAug/<id>.png     VOC's own masks, and SBD's where VOC has none
    FOLDER/sbd/                  SBD: train.txt, val.txt, cls/<id>.mat

train_aug is VOC's train with SBD's train and val, without VOC's val.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import write_bytes, write_text
from auxseg.datasets.id_lists import VOC_LISTS, IdList, check_list
from auxseg.datasets.mat_file import read_matrix
from auxseg.datasets.tags import listed_id
from auxseg.datasets.voc import LISTS
from auxseg.downloads import download, unpack
from auxseg.encoded import encode_label
from auxseg.errors import DataError
from auxseg.files import read_bytes, read_text
from auxseg.parallel import map_processes

VOC_FOLDER, SBD_FOLDER, MASKS_AUG = Path("VOCdevkit/VOC2012"), Path("sbd"), "SegmentationClassAug"


VOC_ARCHIVE = (
    "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
    "e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
)
SBD_ARCHIVE = (
    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
    "6a5a2918d5c73ce032fdeba876574d150d9d04113ab87540a1304cbcc715be53",
)
"""URL and SHA-256."""


def fetch(folder: Path) -> None:
    """Download and unpack both sets; existing folders are kept, and an interrupted download is continued.

    Raises:
        DataError: the download fails, or its content differs from the published one.
    """
    if not (folder / VOC_FOLDER).is_dir():
        unpack(download(*VOC_ARCHIVE, folder / "VOCtrainval_11-May-2012.tar"), str(VOC_FOLDER), folder / VOC_FOLDER)
    if not (folder / SBD_FOLDER / "cls").is_dir():
        archive = download(*SBD_ARCHIVE, folder / "benchmark.tgz")
        unpack(archive, "benchmark_RELEASE/dataset", folder / SBD_FOLDER)


def assemble(folder: Path, published: Mapping[str, IdList] = VOC_LISTS) -> dict[str, int]:
    """Add list and masks of train_aug to the unpacked devkit; return list name -> number of ids.

    Raises:
        DataError: a file is missing or damaged, or a list differs from the published one.
    """
    voc, sbd = folder / VOC_FOLDER, folder / SBD_FOLDER
    lists = {name: _ids(voc / LISTS / f"{name}.txt") for name in ("train", "val")}
    for name, ids in lists.items():
        check_list(str(voc / LISTS / f"{name}.txt"), name, ids, published)
    own = set(lists["train"]) | set(lists["val"])
    lists["train_aug"] = sorted((own | set(_ids(sbd / "train.txt")) | set(_ids(sbd / "val.txt"))) - set(lists["val"]))
    check_list(f"{sbd} with {voc}", "train_aug", lists["train_aug"], published)
    target = voc / MASKS_AUG
    jobs = [_Mask(voc / "SegmentationClass" / f"{key}.png", target / f"{key}.png") for key in sorted(own)]
    jobs += [_Mask(sbd / "cls" / f"{key}.mat", target / f"{key}.png") for key in lists["train_aug"] if key not in own]
    map_processes(_write_mask, jobs, "masks")
    write_text(voc / LISTS / "train_aug.txt", "".join(f"{key}\n" for key in lists["train_aug"]))
    return {name: len(ids) for name, ids in lists.items()}


def read_sbd_mask(path: Path) -> np.ndarray:
    """Read SBD's `cls/<id>.mat` as VOC's mask values, uint8 (H, W), 0..20; SBD has no ignored pixels.

    Raises:
        DataError: the file is missing, or is not a mask of SBD.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; remove {path.parent} and run again")
    try:
        mask = read_matrix(read_bytes(path), "GTcls", "Segmentation")
    except (ValueError, zlib.error) as error:
        raise DataError(f"{path}: not a mask of SBD ({error}); unpack it again") from None
    if mask.max(initial=0) > 20:
        raise DataError(f"{path}: not a mask of SBD (expected uint8 of 0..20); unpack it again")
    return mask


@dataclass(frozen=True)
class _Mask:
    source: Path
    target: Path


def _write_mask(job: _Mask) -> None:
    if job.source.suffix == ".mat":
        content = encode_label(read_sbd_mask(job.source))
    elif job.source.is_file():
        content = read_bytes(job.source)
    else:
        raise DataError(f"{job.source}: no such mask; unpack VOC again")
    write_bytes(job.target, content)


def _ids(path: Path) -> list[str]:
    try:
        return [listed_id(line) for line in read_text(path).splitlines() if line.strip()]
    except (OSError, DataError) as error:
        raise DataError(f"{path}: not readable ({error}); remove the folder and run again") from None
