"""CAMs in the field's `.npy` files: a pickled dictionary an image, in one of two layouts.

    {k: map, …}                                  PSA (infer_cls.py), SEAM (infer_SEAM.py), MCTformer (engine.py)
    {"keys": [k, …], array: maps (L, h, w), …}   IRN (make_cam.py): arrays `cam`, `high_res`;
                                                 CLIP-ES (generate_cams_*.py): `attn_highres`, `highres`

k counts the object classes from 0, so its class has mask value k + 1.
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
"""The arrays of a file with `keys`, the one to be taken first."""

IRN_STRIDE = 4
"""Photograph pixels a position of IRN's `cam`."""


def read_npy_cams(path: Path) -> dict[int, np.ndarray]:
    """Read one file: mask value (1, 2, …) -> map, numeric (h, w).

    Raises:
        DataError: the file is missing or unsafe, or is in neither layout.
    """
    content = load_object_npy(path)
    if isinstance(content, dict) and content and all(isinstance(key, int) for key in content):
        cams = content
    elif isinstance(content, dict) and "keys" in content:
        name = next((name for name in ARRAYS if name in content), None)
        keys, maps = _array(content["keys"], path), _array(content.get(name), path)
        if name is None or keys.ndim != 1 or keys.dtype.kind not in "iu" or maps.shape[:1] != keys.shape:
            raise DataError(f"{path}: beside `keys` it needs one map a key in {_listed(ARRAYS)}; save the CAMs again")
        cams = dict(zip(keys.tolist(), maps, strict=True))
    else:
        held = _listed(content) if isinstance(content, dict) else f"a {type(content).__name__}"
        raise DataError(f"{path}: holds {held}, not {{class: map}} and not `keys` with maps; save the CAMs again")
    cams = {int(key) + 1: _array(value, path) for key, value in cams.items()}
    for value, cam in cams.items():
        if cam.ndim != 2 or cam.dtype.kind not in "fiub":
            raise DataError(f"{path}: class {value - 1} has no map of two dimensions; save numbers (h, w)")
    return cams


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in list(names)[:6]) or "nothing"


def _by_class(cams: Mapping[int, np.ndarray], size: tuple[int, int]) -> dict[Any, Any]:
    return {value - 1: upsample(cam[None], *size)[0] for value, cam in cams.items()}


def _irn(cams: Mapping[int, np.ndarray], size: tuple[int, int]) -> dict[Any, Any]:
    import torch  # IRN's own steps expect tensors where IRN saves them

    coarse = [(side - 1) // IRN_STRIDE + 1 for side in size]
    maps = _stacked(cams)
    return {
        "keys": torch.tensor([value - 1 for value in cams]),
        "cam": torch.from_numpy(upsample(maps, *coarse)),
        "high_res": upsample(maps, *size),
    }


def _clip_es(cams: Mapping[int, np.ndarray], size: tuple[int, int]) -> dict[Any, Any]:
    maps = upsample(_stacked(cams), *size).astype(np.float16)
    return {"keys": np.array([value - 1 for value in cams], np.int64), "attn_highres": maps}


def _stacked(cams: Mapping[int, np.ndarray]) -> np.ndarray:
    return np.stack(list(cams.values()))


WRITERS: dict[str, Callable[[Mapping[int, np.ndarray], tuple[int, int]], dict[Any, Any]]] = {
    "psa": _by_class, "irn": _irn, "clip-es": _clip_es,
}  # fmt: skip
"""Formats by name; `psa` is also SEAM's and MCTformer's."""


def write_npy_cams(path: Path, cams: Mapping[int, np.ndarray], size: tuple[int, int], layout: str) -> None:
    """Write one file, atomically.

    The formats are pickles, so these files leave the project's house rule; nothing in the pipeline reads them but
    the restricted reader.

    Args:
        path: `<id>.npy`.
        cams: mask value -> map, float (h, w) in [0, 1]; at least one.
        size: height and width of the photograph, to which maps are resized.
        layout: a name in WRITERS.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.array(WRITERS[layout](cams, size), object), allow_pickle=True)


def _array(value: object, path: Path) -> np.ndarray:
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:  # lists of unlike lengths
        raise DataError(f"{path}: holds no array ({error}); save the CAMs again") from None
