"""What an earlier stage stored of one image, checked against the manifest and the class table before it is used.

A label of another size, a value that is no class, or NaN in a map decodes without an error. It would become a label, a
training sample or a figure of the report.
"""

import struct
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.damage import damaged
from auxseg.artifacts.tensors import TensorFile
from auxseg.counts import counted
from auxseg.datasets.manifest import ImageRecord
from auxseg.encoded import decode_indices
from auxseg.errors import DataError

_GREY, _PALETTE = 0, 3
"""Colour types of PNG; the labels that this project writes have a palette."""
_SHAPES = {"cam": 3, "saliency": 2, "prediction": 2, "confidence": 2, "entropy": 2, "scores": 1}
"""Name of a map -> its number of axes."""


def read_label(archive: Archive, record: ImageRecord, classes: int) -> np.ndarray:
    """Return the label or prediction of an image from an archive; see `decode_label`."""
    return decode_label(archive[f"{record.id}.png"], record, classes, archive.path)


def read_saliency(archive: Archive, record: ImageRecord) -> np.ndarray:
    """Return the saliency map of an image from an archive; see `decode_saliency`."""
    return decode_saliency(archive[f"{record.id}.png"], record, archive.path)


def decode_label(content: bytes, record: ImageRecord, classes: int, source: Path) -> np.ndarray:
    """Return a label, uint8 (H, W): class indices 0..`classes` and 255.

    Raises:
        DataError: it is damaged, has not the image's size, or a value is no class; names `source` and the image.
    """
    label = _decoded(content, record, (_PALETTE, _GREY), source)
    # 255 + 1 is 0 in uint8, so one pass finds the largest class
    if label.size and (largest := int((label + np.uint8(1)).max())) > classes + 1:
        raise damaged(
            source,
            f"the label of '{record.id}' has value {largest - 1}, but the largest class is {classes}",
        )
    return label


def decode_saliency(content: bytes, record: ImageRecord, source: Path) -> np.ndarray:
    """Return a saliency map or saliency label as stored, uint8 (H, W), 255 = 1; see `encoded.as_share`.

    Raises:
        DataError: it is damaged, or has not the image's size; names `source` and the image.
    """
    return _decoded(content, record, (_GREY,), source)


def check_png(content: bytes, record: ImageRecord, source: Path, kinds: tuple[int, ...] = (_PALETTE, _GREY)) -> None:
    """Check form and size of a stored PNG by its header alone.

    Raises:
        DataError: it is no 8-bit PNG of the image's size.
    """
    header = content[:26]
    if len(header) < 26 or not header.startswith(b"\x89PNG\r\n\x1a\n"):
        raise damaged(source, f"'{record.id}.png' is not a PNG")
    width, height, bits, kind = struct.unpack(">IIBB", header[16:])
    if (width, height) != (record.width, record.height):
        raise damaged(
            source, f"'{record.id}.png' has {width}x{height} pixels, its image {record.width}x{record.height}"
        )
    if bits != 8 or kind not in kinds:
        raise damaged(source, f"'{record.id}.png' is not an 8-bit PNG of one channel")


def _decoded(content: bytes, record: ImageRecord, kinds: tuple[int, ...], source: Path) -> np.ndarray:
    check_png(content, record, source, kinds)  # before decoding, because a header may promise gigabytes
    try:
        return decode_indices(content)
    except DataError as error:
        raise damaged(source, f"'{record.id}.png' cannot be decoded ({error})") from None


def read_map(maps: TensorFile, record: ImageRecord, name: str, classes: int | None = None) -> np.ndarray:
    """Return a map of an image: `saliency`, `confidence`, `entropy` (float), `prediction` (uint8); each (h, w).

    Or its `scores`, the image-level logits of all classes, float (C,).

    Raises:
        DataError: see `check_map`.
    """
    found = maps[f"{record.id}.{name}"]
    check_map(found, record, name, maps.path, classes)
    return found


def read_cam(maps: TensorFile, record: ImageRecord) -> np.ndarray:
    """Return the CAMs of an image, float (L, h, w), one for each of its tags.

    Raises:
        DataError: see `check_map`.
    """
    return read_map(maps, record, "cam")


def check_map(found: np.ndarray, record: ImageRecord, name: str, source: Path, classes: int | None = None) -> None:
    """Check a map of an image.

    Args:
        found: the map.
        record: the image; a CAM has one map for each of its tags.
        name: `cam`, `saliency`, `prediction`, `confidence`, `entropy` or `scores`.
        source: the file, for the message.
        classes: the number C of classes, the largest class index of a prediction; None: not checked.

    Raises:
        DataError: it is empty, has another number of axes, maps or scores, a value that is no number, or no class.
    """
    what = f"'{record.id}.{name}'"
    axes, maps = _SHAPES[name], found.shape[0] if name == "cam" and found.ndim else None
    if found.ndim != axes or 0 in found.shape[-2:] or (name == "scores" and classes not in (None, len(found))):
        raise damaged(source, f"{what} has shape {found.shape}")
    if maps is not None and maps != len(record.tags):
        raise damaged(
            source,
            f"{what} has {counted(maps, 'map')}, but the image has {counted(len(record.tags), 'image-level label')}",
        )
    if name == "prediction":
        if found.dtype != np.uint8 or (classes is not None and found.max() > classes):
            raise damaged(source, f"{what} has values that are not classes")
    elif found.dtype.kind != "f" or not np.isfinite(found).all():
        raise damaged(source, f"{what} contains values that are not finite numbers (NaN or infinite)")
