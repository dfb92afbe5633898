"""Images in train that are also in val, where they would flatter every figure of the model.

The same file in both splits is an error. Nearly the same picture (a copy saved again, the next frame of a video) gives
a warning. It is found by the DCT hash of imagehash, 64 bits, and a small Hamming distance: of 720,000 pairs of VOC
images none is nearer than 10 bits, while copies that were saved again, halved, brightened or cut by 2 % are within 6,
but for a few.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from PIL import Image, ImageStat

from auxseg.counts import counted
from auxseg.datasets.listing import Listed
from auxseg.datasets.problems import ROWS, STRICT, Problems
from auxseg.datasets.tags import Tags
from auxseg.errors import shorten

NEAR = 6
"""Hashes that differ in at most this number of 64 bits are nearly the same picture."""
FLAT = 8.0
"""Images whose grey values have a smaller standard deviation have no structure to compare."""
SHOWN = 10
"""Number of pairs that a message lists."""


def picture_hash(rgb: np.ndarray) -> int | None:
    """Return the DCT hash of an image, uint8 (H, W, 3), as 64 bits; None if it is nearly of one colour."""
    import imagehash  # imports scipy's FFT, and most runs have no val

    grey = Image.fromarray(rgb).convert("L")
    if ImageStat.Stat(grey).stddev[0] < FLAT:
        return None
    bits = imagehash.phash(grey).hash.reshape(-1)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def check_groups(images: Iterable[Listed], rows: Mapping[str, Tags], problems: Problems = STRICT) -> None:
    """Check that every group of the column `group` is in one split.

    Raises:
        DataError: one is in train and in val; names a row of each.
    """
    first: dict[str, Listed] = {}
    wrong: dict[str, str] = {}
    for item in images:
        row = rows.get(item.id)
        if row is None or row.group is None:
            continue
        other = first.setdefault(row.group, item)
        if other.split != item.split:
            wrong.setdefault(
                row.group,
                f"{row.where}: '{item.id}' of group '{row.group}' is in {item.split}, but '{other.id}' of the same "
                f"group is in {other.split} ({rows[other.id].where}); put the whole group into one split",
            )
    problems.reject(ROWS, wrong.values())


def check_leakage(
    images: Sequence[Listed],
    sha256: Sequence[str],
    hashes: Sequence[int | None],
    same_file: Literal["error", "warning"],
    problems: Problems = STRICT,
) -> None:
    """Compare train with val.

    Args:
        images: listed images.
        sha256: of their files, in their order.
        hashes: from `picture_hash`, in their order.
        same_file: what the same file in both splits is.

    Raises:
        DataError: files are in both splits, and `same_file` is `error`.
    """
    train = [number for number, item in enumerate(images) if item.split == "train"]
    val = [number for number, item in enumerate(images) if item.split == "val"]
    twins = _same(train, val, sha256)
    if twins:
        message = (
            f"{counted(len(twins), 'pair of train and val is', 'pairs of train and val are')} the same file: "
            f"{_list(twins, images)}; remove one of each, or put both into one split"
        )
        if same_file == "error":
            message += " (data.same_file: warning accepts them, for a published split)"
        lines = [f"{pair}; remove one of them, or put both into one split" for pair in _pairs(twins, images)]
        problems.sum_up("images that are in train and in val", lines, message, same_file)
    near = [pair for pair in _near(train, val, hashes) if sha256[pair[0]] != sha256[pair[1]]]
    if near:
        message = (
            f"{counted(len(near), 'pair of train and val shows', 'pairs of train and val show')} nearly the same: "
            f"{_list(near, images)}; if they are copies, or frames of one video, the figures on val are too good: give "
            "them one value in a column 'group' of the CSV, or put them into one split"
        )
        fix = "if they are copies or frames of one video, give them one value in a column 'group', or one split"
        lines = [f"{pair}; {fix}" for pair in _pairs(near, images)]
        problems.sum_up("images of train and val that show nearly the same", lines, message, "warning")


def check_twins(
    images: Sequence[Listed], sha256: Sequence[str], tags: Mapping[str, tuple[str, ...]], problems: Problems = STRICT
) -> None:
    """Warn of images that are the same file and have other labels, whatever their split.

    Args:
        images: listed images.
        sha256: of their files, in their order.
        tags: image-level labels by id, without those that are unknown.
        problems: what the warning is reported to.
    """
    first: dict[str, int] = {}
    pairs = []
    for number, item in enumerate(images):
        if item.id in tags:
            other = first.setdefault(sha256[number], number)
            if tags[images[other].id] != tags[item.id]:
                pairs.append((other, number))
    if pairs:
        shown = [
            " = ".join(f"{images[one].path} ({', '.join(tags[images[one].id]) or 'no label'})" for one in pair)
            for pair in pairs
        ]
        message = (
            f"{counted(len(pairs), 'pair of images is', 'pairs of images are')} the same file with other labels: "
            f"{shorten(shown, SHOWN)}; correct the labels, or remove one of each"
        )
        lines = [f"{pair}; correct the labels, or remove one of them" for pair in shown]
        problems.sum_up("images that are the same file with other labels", lines, message, "warning")


def _same(train: Sequence[int], val: Sequence[int], sha256: Sequence[str]) -> list[tuple[int, int]]:
    """Return a pair (train, val) for every val image whose file is in train."""
    first = {sha256[number]: number for number in reversed(train)}
    return [(first[sha256[number]], number) for number in val if sha256[number] in first]


def _near(train: Iterable[int], val: Iterable[int], hashes: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return the nearest train image of every val image that has one within NEAR bits."""
    hashed = [number for number in train if hashes[number] is not None]
    known = np.array([hashes[number] for number in hashed], np.uint64)
    pairs = []
    for number in val if len(known) else ():
        value = hashes[number]
        if value is None:
            continue
        # compares with all: 0.1 ms for COCO's 82,000 images
        distance = np.bitwise_count(known ^ np.uint64(value))
        nearest = int(distance.argmin())
        if distance[nearest] <= NEAR:
            pairs.append((hashed[nearest], number))
    return pairs


def _list(pairs: Sequence[tuple[int, int]], images: Sequence[Listed]) -> str:
    return shorten(_pairs(pairs, images), SHOWN)


def _pairs(pairs: Sequence[tuple[int, int]], images: Sequence[Listed]) -> list[str]:
    return [f"{images[one].path} = {images[other].path}" for one, other in pairs]
