"""Decoding of every photo and mask before the pipeline starts: what cannot be read is refused at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.datasets.listing import Listed, refuse
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.masks import Unlisted, read_mask
from auxseg.errors import DataError
from auxseg.images import IGNORE, read_rgb
from auxseg.parallel import map_processes


@dataclass(frozen=True)
class Decoded:
    """Upright size in pixels and SHA-256 of a photo's bytes; of its mask the SHA-256 ('' without one) and whether it
    shows an object of the class table."""

    width: int
    height: int
    sha256: str
    mask_sha256: str = ""
    shows_object: bool = False


@dataclass(frozen=True)
class _Job:
    photo: Path
    mask: Path | None
    classes: ClassTable
    unlisted: Unlisted


def decode_all(root: Path, images: Sequence[Listed], classes: ClassTable, unlisted: Unlisted) -> list[Decoded]:
    """Decode photos and masks in worker processes; results in the order of `images`.

    Raises:
        DataError: the first photo or mask that cannot be read, or mask with a value outside the table or of
            another size than its photo, and the number of the others.
    """
    jobs = [_Job(root / item.path, root / item.mask if item.mask else None, classes, unlisted) for item in images]
    results = map_processes(_decode, jobs, "check")
    refuse(result for result in results if isinstance(result, str))
    return [result for result in results if isinstance(result, Decoded)]


def _decode(job: _Job) -> Decoded | str:
    # a problem is returned, not raised, so that the others can be counted
    try:
        height, width, _ = read_rgb(job.photo).shape
        if job.mask is None:
            return Decoded(width, height, sha256_file(job.photo))
        mask = read_mask(job.mask, job.classes, job.unlisted)
    except DataError as error:
        return str(error)
    rows, columns = mask.shape
    if (rows, columns) != (height, width):
        turned = " (upright, by its EXIF tag)" if (columns, rows) == (height, width) else ""
        return (
            f"{job.mask}: mask of {columns} x {rows} pixels, but its photo {job.photo} has "
            f"{width} x {height}{turned}; save the mask in the photo's size"
        )
    shows_object = bool(((mask > 0) & (mask != IGNORE)).any())
    return Decoded(width, height, sha256_file(job.photo), sha256_file(job.mask), shows_object)
