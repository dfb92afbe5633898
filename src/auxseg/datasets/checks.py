"""Decoding every image and mask before the pipeline starts, so that unreadable files are reported at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.datasets.label_png import Unlisted
from auxseg.datasets.leakage import picture_hash
from auxseg.datasets.listing import Listed, raise_first
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.masks import read_mask
from auxseg.errors import DataError
from auxseg.images import IGNORE, read_rgb
from auxseg.parallel import map_processes


@dataclass(frozen=True)
class Decoded:
    """An image and its mask: upright size in pixels, SHA-256 of both files ('' without a mask), whether the mask shows
    an object of the class table, and the image's `picture_hash` if there is a val split."""

    width: int
    height: int
    sha256: str
    mask_sha256: str = ""
    shows_object: bool = False
    picture: int | None = None


@dataclass(frozen=True)
class _Job:
    photo: Path
    mask: Path | None
    classes: ClassTable
    unlisted: Unlisted
    hashes: bool


def decode_all(root: Path, images: Sequence[Listed], classes: ClassTable, unlisted: Unlisted) -> list[Decoded]:
    """Decode images and masks in worker processes; the results are in the order of `images`.

    Raises:
        DataError: an image or mask cannot be read, or a mask has a value outside the class table or another size than
            its image; the message names the first problem and the number of others.
    """
    hashes = len({item.split for item in images}) > 1
    jobs = [
        _Job(root / item.path, root / item.mask if item.mask else None, classes, unlisted, hashes) for item in images
    ]
    results = map_processes(_decode, jobs, "check")
    raise_first(result for result in results if isinstance(result, str))
    return [result for result in results if isinstance(result, Decoded)]


def _decode(job: _Job) -> Decoded | str:
    # returned, not raised, so that all problems can be counted
    try:
        rgb = read_rgb(job.photo)
        height, width, _ = rgb.shape
        picture = picture_hash(rgb) if job.hashes else None
        if job.mask is None:
            return Decoded(width, height, sha256_file(job.photo), picture=picture)
        mask = read_mask(job.mask, job.classes, job.unlisted)
    except DataError as error:
        return str(error)
    rows, columns = mask.shape
    if (rows, columns) != (height, width):
        turned = " (upright, by its EXIF tag)" if (columns, rows) == (height, width) else ""
        return (
            f"{job.mask}: mask of {columns} x {rows} pixels, but its image {job.photo} has "
            f"{width} x {height}{turned}; save the mask at the size of the image"
        )
    shows_object = bool(((mask > 0) & (mask != IGNORE)).any())
    return Decoded(width, height, sha256_file(job.photo), sha256_file(job.mask), shows_object, picture)
