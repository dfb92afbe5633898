"""Label Studio's JSON: tasks with polygons (in per cent of the image) or brush strokes (its own run-length code).

A label goes out as a prediction of polygons, which a person accepts and edits. The result comes back in the JSON export
of a project. Results are painted in their order; what none covers is background. `__ignore__` stands for 255.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from auxseg.artifacts.atomic import write_json
from auxseg.errors import DataError
from auxseg.images import IGNORE
from auxseg.review.labelme import BACKGROUND_NAME, IGNORE_NAME
from auxseg.review.regions import Region, find_regions, paint

LOCAL = "/data/local-files/?d="
"""How Label Studio names a file of its local storage."""


def write_label_studio(
    path: Path,
    labels: Mapping[str, np.ndarray],
    images: Mapping[str, str],
    names: Sequence[str],
    tolerance: float,
) -> None:
    """Write tasks.

    Args:
        path: of the JSON file.
        labels: image id -> uint8 (H, W), class indices, 255 = ignore.
        images: image id -> file, relative to the root of Label Studio's local storage.
        names: class names by index, 0 = background.
        tolerance: as for `find_regions`.
    """
    written = {**dict(enumerate(names)), 0: BACKGROUND_NAME, IGNORE: IGNORE_NAME}
    tasks = []
    for image_id, label in labels.items():
        result = [
            _result(number, region, written, label) for number, region in enumerate(find_regions(label, tolerance))
        ]
        data = {"image": LOCAL + images[image_id], "image_id": image_id}
        tasks.append({"data": data, "predictions": [{"model_version": "auxseg", "result": result}]})
    write_json(path, tasks)


def read_label_studio(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the JSON export of a project: image id -> label, uint8 (H, W) of class indices, 255 = ignore.

    The id is `image_id` of the task, else the name of its image without extension. A task has its last annotation that
    was not cancelled, or if it has none, its prediction.

    Raises:
        DataError: the file is not Label Studio's, or a result has an unknown class or is damaged.
    """
    content = json.loads(path.read_bytes())
    found: dict[str, np.ndarray] = {}
    for number, task in enumerate(content, 1):
        where = f"{path} task {number}"
        try:
            data = task["data"]
            image_id = str(data.get("image_id") or PurePosixPath(data["image"].partition("=")[2] or data["image"]).stem)
            done = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
            done = done or task.get("predictions", [])
            results = done[-1]["result"] if done else []
        except (AttributeError, IndexError, KeyError, TypeError):
            raise DataError(f"{where}: not a task of Label Studio; export the project as JSON") from None
        if image_id in found:
            raise DataError(f"{where}: '{image_id}' appears twice; remove one of the tasks")
        if results:  # else nobody has annotated it
            found[image_id] = _paint(results, names, where)
    return found


def _result(number: int, region: Region, written: Mapping[int, str], label: np.ndarray) -> dict[str, Any]:
    height, width = label.shape
    points = [[100 * x / width, 100 * y / height] for x, y in region.points]
    return {
        "id": f"r{number}",
        "from_name": "label",
        "to_name": "image",
        "type": "polygonlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"points": points, "closed": True, "polygonlabels": [written[region.value]]},
    }


def _paint(results: Sequence[Any], names: Sequence[str], where: str) -> np.ndarray:
    indices = {**{name: index for index, name in enumerate(names)}, BACKGROUND_NAME: 0, IGNORE_NAME: IGNORE}
    canvas: np.ndarray | None = None
    for number, result in enumerate(results, 1):
        here = f"{where} result {number}"
        try:
            kind, value = result["type"], result["value"]
            if kind not in ("polygonlabels", "brushlabels"):
                raise DataError(f"{here}: type {kind} has no area; draw polygons or with the brush, or delete it")
            size = int(result["original_height"]), int(result["original_width"])
            (name,) = value[kind]
            canvas = np.zeros(size, np.uint8) if canvas is None else canvas
            if name not in indices:
                known = ", ".join([*names[1:], BACKGROUND_NAME, IGNORE_NAME])
                raise DataError(f"{here}: class '{name}' is not one of {known}; rename it in Label Studio")
            if kind == "polygonlabels":
                points = tuple((float(x) * size[1] / 100, float(y) * size[0] / 100) for x, y in value["points"])
                paint(canvas, [Region(indices[name], tuple((round(x, 6), round(y, 6)) for x, y in points))])
            else:
                canvas[decode_brush(value["rle"], *size) > 0] = indices[name]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise DataError(
                f"{here}: not a polygon or brush stroke of Label Studio; export the project again"
            ) from None
    assert canvas is not None
    return canvas


def decode_brush(code: Sequence[int], height: int, width: int) -> np.ndarray:
    """Return the opacity of a brush stroke, uint8 (H, W), from Label Studio's run-length code.

    The code is a stream of bits: 32 for the number of values, 5 for the word size less one, 4 x 4 for four sizes of run
    lengths less one; then runs: 1 bit that says whether one value repeats, 2 bits that choose the size, the length less
    one, and the value or values. A pixel has four values, RGBA.

    Raises:
        ValueError: the code is of another image, or ends early.
    """
    bits = "".join(format(byte, "08b") for byte in code)
    place = 0

    def take(count: int) -> int:
        nonlocal place
        place += count
        if place > len(bits):
            raise ValueError("the code ends early")
        return int(bits[place - count : place], 2)

    total, word, sizes = take(32), take(5) + 1, [take(4) + 1 for _ in range(4)]
    if total != 4 * height * width:
        raise ValueError("the code is of another size")
    values = np.zeros(total, np.uint8)
    at = 0
    while at < total:
        repeats, size = take(1), sizes[take(2)]
        end = at + take(size) + 1
        values[at:end] = take(word) if repeats else [take(word) for _ in range(end - at)]
        at = end
    opacity: np.ndarray = values.reshape(height, width, 4)[..., 3]
    return opacity
