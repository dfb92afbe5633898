"""Read CAMs of another method as those of round 0, checked against the manifest; write our CAMs in its formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import write_bytes
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import encode_grey
from auxseg.errors import DataError
from auxseg.external.folder import external_folder
from auxseg.external.npy import WRITERS, read_npy_cams, write_npy_cams
from auxseg.params.cam import CamParams
from auxseg.png_files import read_grey_png

FORMATS = (*WRITERS, "png")
"""What `write_cams` can write."""

_ROUNDING = 1e-3
"""How far a normalised map may exceed 1."""


@dataclass(frozen=True)
class CamFolder:
    """The folder of external CAMs that `cam.path` names: `<id>.npy`, or `<class name>/<id>.png`."""

    folder: Path
    provider: str
    classes: ClassTable

    @classmethod
    def of(cls, params: CamParams, root: Path, classes: ClassTable) -> "CamFolder":
        """Open the folder that the parameters name; see `external_folder`."""
        return cls(external_folder(params, root), params.provider, classes)

    def __call__(self, record: ImageRecord) -> np.ndarray:
        """Return the CAMs of the image's tags in the manifest's order, float16 (L, h, w) in [0, 1].

        Values below 0 become 0. Maps of other classes are left out.

        Raises:
            DataError: a map is missing, not within [0, 1], or not of the image's shape; names file and class.
        """
        if not record.tags:
            return np.zeros((0, 1, 1), np.float16)
        values = [self.classes.values[self.classes.index(name) - 1] for name in record.tags]
        if self.provider == "png":
            sources = [class_png(self.folder, name, record.id) for name in record.tags]
            cams = [read_grey_png(path) for path in sources]
        else:
            path = self.folder / f"{record.id}.npy"
            found = read_npy_cams(path)
            sources = [path] * len(values)
            for value, name in zip(values, record.tags, strict=True):
                if value not in found:
                    raise DataError(
                        f"{path}: no map of class '{name}' (key {value - 1}), which the image is tagged with; it "
                        f"has keys {sorted(key - 1 for key in found)}: add the map, or remove the tag"
                    )
            cams = [found[value] for value in values]
        return _stack([_checked(cam, path, record) for cam, path in zip(cams, sources, strict=True)], sources)


def class_png(folder: Path, name: str, image_id: str) -> Path:
    """Return the path of the map of one class and image in a folder of per-class PNGs.

    Raises:
        DataError: the class name cannot be a folder name.
    """
    if "/" in name or "\\" in name or name.startswith("."):
        raise DataError(f"class '{name}': cannot be a folder name; rename it in data.classes, or use npy")
    return folder / name / f"{image_id}.png"


def _checked(cam: np.ndarray, path: Path, record: ImageRecord) -> np.ndarray:
    cam = cam.astype(np.float32)
    if not np.isfinite(cam).all() or cam.max(initial=0) > 1 + _ROUNDING:
        raise DataError(f"{path}: a map's values go up to {cam.max():.4g}, not 1; divide each class by its maximum")
    height, width = cam.shape
    # a grid may be rounded up by one position, but not rotated or cropped
    if min(cam.shape) < 1 or abs(height * record.width - width * record.height) > 1.5 * max(
        record.width, record.height
    ):
        raise DataError(
            f"{path}: maps of {width}x{height}, but the image has {record.width}x{record.height} (upright); make maps "
            "of the whole image"
        )
    return cam.clip(0, 1)


def _stack(cams: Sequence[np.ndarray], sources: Sequence[Path]) -> np.ndarray:
    if len({cam.shape for cam in cams}) != 1:
        raise DataError(f"{sources[0]}: the maps of the classes differ in size; save them in one size")
    return np.stack(cams).astype(np.float16)


def write_cams(
    folder: Path, record: ImageRecord, cams: Mapping[str, np.ndarray], classes: ClassTable, layout: str
) -> None:
    """Write the CAMs of one image in another method's format.

    Args:
        folder: created if it does not exist.
        record: the image; maps are resized to its size, except PNGs, which keep the maps' own size.
        cams: class name -> float (h, w) in [0, 1].
        classes: for the mask values, by which the formats number the classes.
        layout: one of FORMATS.
    """
    if layout == "png":
        paths = {name: class_png(folder, name, record.id) for name in classes.names}  # all, before one is written
        for name, cam in cams.items():
            write_bytes(paths[name], encode_grey(cam))
        return
    by_value = {classes.values[classes.index(name) - 1]: cam for name, cam in cams.items()}
    write_npy_cams(folder / f"{record.id}.npy", by_value, (record.height, record.width), layout)
