"""CAMs in the `.npy` files that are common in the field: a pickled dictionary per image, in one of two layouts.

    {k: map, …}                                  PSA (infer_cls.py), SEAM (infer_SEAM.py), MCTformer (engine.py)
    {"keys": [k, …], array: maps (L, h, w), …}   IRN (make_cam.py): arrays `cam`, `high_res`;
                                                 CLIP-ES (generate_cams_*.py): `attn_highres`, `highres`

k numbers the object classes from 0, so class k has mask value k + 1.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from auxseg.artifacts.atomic import atomic_path
from auxseg.datasets.unpickle import load_object_npy
from auxseg.errors import DataError
from auxseg.maps import upsample

ARRAYS = ("attn_highres", "high_res", "highres", "cam")
"""The arrays of a file with `keys`, in order of preference."""

IRN_STRIDE = 4
"""Image pixels per position of IRN's `cam`."""


def read_npy_cams(path: Path) -> dict[int, np.ndarray]:
    """Read one file: mask value (1, 2, …) -> map, numeric (h, w).

    Raises:
        DataError: the file is missing or unsafe, or has neither layout.
    """
    content = load_object_npy(path)
    if isinstance(content, dict) and content and all(isinstance(key, int) for key in content):
        cams = content
    elif isinstance(content, dict) and "keys" in content:
        name = next((name for name in ARRAYS if name in content), None)
        keys, maps = _array(content["keys"], path), _array(content.get(name), path)
        if name is None or keys.ndim != 1 or keys.dtype.kind not in "iu" or maps.shape[:1] != keys.shape:
            raise DataError(f"{path}: with `keys` it needs one map per key in {_listed(ARRAYS)}; save the CAMs again")
        cams = dict(zip(keys.tolist(), maps, strict=True))
    else:
        held = _listed(content) if isinstance(content, dict) else f"a {type(content).__name__}"
        raise DataError(f"{path}: contains {held}, not {{class: map}} or `keys` with maps; save the CAMs again")
    cams = {int(key) + 1: _array(value, path) for key, value in cams.items()}
    for value, cam in cams.items():
        if cam.ndim != 2 or cam.dtype.kind not in "fiub":
            raise DataError(f"{path}: class {value - 1} has no two-dimensional map; save numbers (h, w)")
    return cams


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in list(names)[:6]) or "nothing"


def _by_class(cams: Mapping[int, np.ndarray], size: tuple[int, int]) -> dict[Any, Any]:
    return {value - 1: upsample(cam[None], *size)[0] for value, cam in cams.items()}


def _irn(cams: Mapping[int, np.ndarray], size: tuple[int, int]) -> dict[Any, Any]:
    import torch  # IRN's own steps expect tensors here

    coarse = [(side - 1) // IRN_STRIDE + 1 for side in size]
    maps = _stacked(cams)
    return {
        "keys": torch.tensor([value - 1 for value in cams], dtype=torch.int64),
        "cam": torch.from_numpy(upsample(maps, *coarse)),
        "high_res": upsample(maps, *size),
    }


def _clip_es(cams: Mapping[int, np.ndarray], size: tuple[int, int]) -> dict[Any, Any]:
    maps = upsample(_stacked(cams), *size).astype(np.float16)
    return {"keys": np.array([value - 1 for value in cams], np.int64), "attn_highres": maps}


def _stacked(cams: Mapping[int, np.ndarray]) -> np.ndarray:
    return np.stack(list(cams.values())) if cams else np.zeros((0, 1, 1), np.float32)


WRITERS: dict[str, Callable[[Mapping[int, np.ndarray], tuple[int, int]], dict[Any, Any]]] = {
    "psa": _by_class,
    "irn": _irn,
    "clip-es": _clip_es,
}
"""Formats by name; `psa` is also SEAM's and MCTformer's."""


def write_npy_cams(path: Path, cams: Mapping[int, np.ndarray], size: tuple[int, int], layout: str) -> None:
    """Write one file, atomically.

    The formats are pickles, which this project otherwise does not write. In the pipeline only the restricted reader
    opens them.

    Args:
        path: `<id>.npy`.
        cams: mask value -> map, float (h, w) in [0, 1]; none for an image without any object.
        size: height and width of the image, to which maps are resized.
        layout: a name in WRITERS.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.array(WRITERS[layout](cams, size), object), allow_pickle=True)


def _array(value: object, path: Path) -> np.ndarray:
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:  # lists of different lengths
        raise DataError(f"{path}: contains no array ({error}); save the CAMs again") from None
