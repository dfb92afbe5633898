"""Decoding every image and mask before the pipeline starts, so that unreadable files are reported at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from auxseg.artifacts.atomic import sha256_file
from auxseg.datasets.deep_images import AS_STORED, EIGHT_BITS, Depth, Reading, depth_of, read_image
from auxseg.datasets.label_png import Unlisted, UnlistedError, looks_smoothed
from auxseg.datasets.leakage import picture_hash
from auxseg.datasets.listing import Listed
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_file import mask_palette, read_numbers
from auxseg.datasets.mask_form import PLAIN, MaskForm
from auxseg.datasets.mask_palettes import Colours, other_palettes
from auxseg.datasets.mask_reading import from_numbers
from auxseg.datasets.mask_values import others_in_files, values_in_files
from auxseg.datasets.masks import mask_sha256, read_mask
from auxseg.datasets.problems import FILES, STRICT, Problems
from auxseg.datasets.tiff_kind import ORIENTATION
from auxseg.encoded import IGNORE
from auxseg.errors import DataError
from auxseg.images import open_image, orientation_of, pixels_of
from auxseg.parallel import map_processes


@dataclass(frozen=True)
class Decoded:
    """An image and its mask: upright size in pixels, SHA-256 of both files ('' without a mask), the class indices
    (1..C) that the mask shows, the values (0..255) that it stores, their colours if it has a palette, and the image's
    `picture_hash` if there is a val split."""

    width: int
    height: int
    sha256: str
    mask_sha256: str = ""
    shown: frozenset[int] = frozenset()
    values: frozenset[int] = frozenset()
    colours: Colours = ()
    is_smoothed: bool = False
    """Whether the mask has values between those of classes, as smoothing and JPEG leave them."""
    depth: Depth = EIGHT_BITS
    picture: int | None = None


@dataclass(frozen=True)
class _Job:
    photo: Path
    mask: Path | None
    classes: ClassTable
    unlisted: Unlisted
    form: MaskForm
    reading: Reading
    hashes: bool


@dataclass(frozen=True)
class _Problem:
    """Why an image or mask is rejected; returned by workers, not raised, so that all problems can be listed."""

    file: Path
    text: str
    finding: str = ""
    """The text without its advice, if the mask has a value outside the class table; then `colours` are its own."""
    colours: Colours = ()


def decode_all(
    root: Path,
    images: Sequence[Listed],
    classes: ClassTable,
    unlisted: Unlisted,
    form: MaskForm = PLAIN,
    reading: Reading = AS_STORED,
    problems: Problems = STRICT,
) -> list[tuple[Listed, Decoded]]:
    """Decode images and masks in worker processes; the results are in the order of `images`.

    If `problems` collects them, images with a problem are left out.

    Raises:
        DataError: an image or mask cannot be read, or a mask has a value outside the class table or another size than
            its image; the message has the first problem, the number of others and their files.
    """
    hashes = len({item.split for item in images}) > 1
    jobs = [
        _Job(root / item.path, root / item.mask if item.mask else None, classes, unlisted, form, reading, hashes)
        for item in images
    ]
    results = map_processes(_decode, jobs, "check")
    wrong = [result for result in results if isinstance(result, _Problem)]
    names = [one.file.relative_to(root).as_posix() for one in wrong]
    pairs = [(item, one) for item, one in zip(images, results, strict=True) if isinstance(one, Decoded)]
    lines = [one.text for one in wrong]
    # the values mean nothing under such palettes, so the usual advice about them would be wrong
    own = [(name, one.colours) for name, one in zip(names, wrong, strict=True)]
    if palettes := other_palettes(own, [(item.mask or "", one.colours) for item, one in pairs], values_too=True):
        lines = [f"{one.finding}. {palettes}" if one.finding else one.text for one in wrong]
    problems.reject(FILES, lines, names)
    return pairs


def _decode(job: _Job) -> Decoded | _Problem:
    file = job.photo
    values: frozenset[int] = frozenset()
    colours: Colours = ()
    is_smoothed = False
    try:
        rgb = read_image(job.photo, job.reading)
        height, width, _ = rgb.shape
        depth, picture = depth_of(job.photo), picture_hash(rgb) if job.hashes else None
        if job.mask is None:
            return Decoded(width, height, sha256_file(job.photo), depth=depth, picture=picture)
        file = job.mask
        if job.form.kind == "values":
            numbers = read_numbers(job.mask)
            values, colours = _stored(job.mask, numbers)
            listed = {*(values_in_files(job.form, job.classes) or ()), *others_in_files(job.form, job.classes)}
            is_smoothed = len(values - listed) > 0 and looks_smoothed(numbers, sorted(listed))
            mask = from_numbers(job.mask, numbers, job.form, job.classes, job.unlisted)
        else:
            mask = read_mask(job.mask, job.classes, job.unlisted, job.form)
    except UnlistedError as error:
        return _Problem(file, str(error), error.finding, colours)
    except DataError as error:
        return _Problem(file, str(error))
    rows, columns = mask.shape
    if (rows, columns) != (height, width):
        is_turned = (columns, rows) == (height, width) and _is_turned(job.photo)
        turned = " (upright, by its EXIF tag)" if is_turned else ""
        fix = "turn the mask as the image is shown" if is_turned else "save the mask at the size of the image"
        sizes = f"mask of {columns} x {rows} pixels, but its image {job.photo} has {width} x {height}{turned}"
        return _Problem(file, f"{file}: {sizes}; {fix}")
    found = [int(index) for index in np.flatnonzero(np.bincount(mask.reshape(-1), minlength=256)) if index != IGNORE]
    return Decoded(
        width,
        height,
        sha256_file(job.photo),
        mask_sha256(job.mask, mask, job.form),
        frozenset(found) - {0},
        values,
        colours,
        is_smoothed,
        depth,
        picture,
    )


def _is_turned(photo: Path) -> bool:
    """Tell whether the EXIF tag of an image turns it by 90 degrees."""
    with open_image(photo) as image:
        if isinstance(image, TiffImageFile):  # Pillow turns it while it decodes, and then drops the tag
            return image.tag_v2.get(ORIENTATION) in (5, 6, 7, 8)
        return pixels_of(photo, orientation_of, image) in (5, 6, 7, 8)


def _stored(path: Path, numbers: np.ndarray) -> tuple[frozenset[int], Colours]:
    """Return the values within 0..255 that a mask stores, before they are read as classes, and their colours."""
    is_small = numbers.dtype == np.uint8  # counting is faster than sorting
    values = np.flatnonzero(np.bincount(numbers.reshape(-1), minlength=256)) if is_small else np.unique(numbers)
    shown = [int(value) for value in values if 0 <= value <= 255]
    palette = mask_palette(path)
    if palette is None:
        return frozenset(shown), ()
    # a value beyond the palette has no colour
    return frozenset(shown), tuple((value, _number(palette[value])) for value in shown if value < len(palette))


def _number(colour: np.ndarray) -> int:
    red, green, blue = map(int, colour)
    return red << 16 | green << 8 | blue
