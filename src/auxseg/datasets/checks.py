"""Decoding every image and mask before the pipeline starts, so that unreadable files are reported at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.datasets.deep_images import AS_STORED, EIGHT_BITS, Depth, Reading, depth_of, read_image
from auxseg.datasets.label_png import Unlisted
from auxseg.datasets.listing import Listed, raise_first
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_form import PLAIN, MaskForm
from auxseg.datasets.masks import mask_sha256, read_mask
from auxseg.errors import DataError
from auxseg.images import IGNORE
from auxseg.parallel import map_processes


@dataclass(frozen=True)
class Decoded:
    """An image and its mask: upright size in pixels, SHA-256 of both files ('' without a mask), and whether the mask
    shows an object of the class table."""

    width: int
    height: int
    sha256: str
    mask_sha256: str = ""
    shows_object: bool = False
    depth: Depth = EIGHT_BITS


@dataclass(frozen=True)
class _Job:
    photo: Path
    mask: Path | None
    classes: ClassTable
    unlisted: Unlisted
    form: MaskForm
    reading: Reading


def decode_all(
    root: Path,
    images: Sequence[Listed],
    classes: ClassTable,
    unlisted: Unlisted,
    form: MaskForm = PLAIN,
    reading: Reading = AS_STORED,
) -> list[Decoded]:
    """Decode images and masks in worker processes; the results are in the order of `images`.

    Raises:
        DataError: an image or mask cannot be read, or a mask has a value outside the class table or another size than
            its image; the message names the first problem and the number of others.
    """
    jobs = [
        _Job(root / item.path, root / item.mask if item.mask else None, classes, unlisted, form, reading)
        for item in images
    ]
    results = map_processes(_decode, jobs, "check")
    raise_first(result for result in results if isinstance(result, str))
    return [result for result in results if isinstance(result, Decoded)]


def _decode(job: _Job) -> Decoded | str:
    # returned, not raised, so that all problems can be counted
    try:
        height, width, _ = read_image(job.photo, job.reading).shape
        depth = depth_of(job.photo)
        if job.mask is None:
            return Decoded(width, height, sha256_file(job.photo), depth=depth)
        mask = read_mask(job.mask, job.classes, job.unlisted, job.form)
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
    return Decoded(width, height, sha256_file(job.photo), mask_sha256(job.mask, mask, job.form), shows_object, depth)
