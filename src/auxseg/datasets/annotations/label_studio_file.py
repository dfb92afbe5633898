"""A JSON export of Label Studio: tasks with their annotations, in the forms JSON and JSON_MIN.

Brush PNGs (`task-7-annotation-3-by-me-tag-cat-0.png`, the export "Brush labels to PNG") have no image name. They are
used for the tasks of the JSON that lies beside them, or above them.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from auxseg.counts import are, counted
from auxseg.datasets.annotations.annotated import read_annotations
from auxseg.datasets.annotations.drawing import size_of
from auxseg.errors import DataError

SHAPES = ("brushlabels", "polygonlabels", "rectanglelabels", "ellipselabels")
"""Keys of the class names of a region, one for each tool."""
UNNAMED = ("brush", "polygon", "rectangle", "ellipse")
"""Types of a region that was drawn before a label was chosen."""
_PNG = re.compile(r"task-(\d+)-annotation-\d+-by-.*?-(?P<name>.+)-\d+\.png")


class TaskError(ValueError):
    """A task that cannot be read; the message names it and says how to fix it."""


@dataclass(frozen=True)
class Region:
    """A region as the tool stores it: `kind` is one of SHAPES, `size` height and width, `value` its points or RLE."""

    kind: str
    names: tuple[str, ...]
    size: tuple[int, int]
    value: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """An annotated task.

    `image`: the path or URL of its image. `choices`: classes chosen for the whole image. `unnamed`: number of regions
    without a class, which are in no mask. `annotations`: number of those that are not skipped; one of them is used.
    `turned`: number of regions that were drawn while the image was shown rotated. `of_regions`: number of choices that
    describe a region, not the image.
    """

    image: str
    regions: tuple[Region, ...]
    choices: tuple[str, ...]
    pngs: tuple[Path, ...] = ()
    unnamed: int = 0
    annotations: int = 1
    turned: int = 0
    of_regions: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The classes of regions and choices."""
        return (*(name for region in self.regions for name in region.names), *self.choices)


def image_names(url: str) -> tuple[str, ...]:
    """Return the path of the image in a task, without host and query; of an upload the name with and without prefix.

    Raises:
        DataError: the URL cannot be read.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DataError(f"{url}: not the address of an image ({error}); correct the task") from None
    path = parse_qs(parts.query).get("d", [parts.path])[0] if "local-files" in parts.path else parts.path
    folder, slash, name = unquote(path).rpartition("/")
    # an upload gets eight hexadecimal digits before its name, and its folder is the number of the project
    return (name, re.sub(r"^[0-9a-f]{8}-", "", name)) if "/data/upload/" in path else (folder + slash + name,)


def is_label_studio(value: Any) -> bool:
    """Tell whether a parsed JSON is an export of Label Studio."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and "id" in first and ("annotations" in first or "annotator" in first)


@functools.lru_cache(maxsize=64)
def _parsed(path: Path, _modified: int) -> dict[str, Task]:
    try:
        content = read_annotations(path)
        if not is_label_studio(content):
            raise DataError(f"{path}: not an export of Label Studio (JSON or JSON-MIN); set data.annotations to one")
        found = {str(item["id"]): _task(item) for item in content}
    except TaskError as error:
        raise DataError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise DataError(
            f"{path}: not an export of Label Studio ({type(error).__name__}: {error}); export it again"
        ) from None
    pngs: dict[str, list[Path]] = {}
    for png in sorted(path.parent.rglob("task-*-annotation-*.png")):
        if match := _PNG.fullmatch(png.name):
            pngs.setdefault(match[1], []).append(png)
    tasks = {}
    for key, task in found.items():
        if task is not None or key in pngs:
            image = task.image if task else _image(next(item for item in content if str(item["id"]) == key))
            known = task or Task(image, (), ())
            tasks[key] = replace(known, pngs=() if known.regions else tuple(pngs.get(key, ())))
    return tasks


def read_label_studio_file(path: Path) -> dict[str, Task]:
    """Read the annotated tasks of a file by id; a process reads it once for all its images.

    Raises:
        DataError: it is missing, or not an export of Label Studio.
    """
    try:
        modified = path.stat().st_mtime_ns
    except OSError:
        modified = 0
    return _parsed(path, modified)


def png_class(path: Path, known: tuple[str, ...] = ()) -> str:
    """Return the class in the name of a brush PNG: `cat` in `…-by-me-tag-cat-0.png`.

    The name of the tool's control (`tag`) and the class may both have hyphens; `known` classes decide.
    """
    match = _PNG.fullmatch(path.name)
    name = match["name"] if match else ""
    fits = [one for one in known if name == one or name.endswith(f"-{one}")]
    return max(fits, key=len) if fits else name.rpartition("-")[2]


def task_notes(tasks: Collection[Task]) -> tuple[str, ...]:
    """Return sentences about what the masks of tasks leave out: regions without a class, further annotations."""
    unnamed, several = sum(task.unnamed for task in tasks), sum(task.annotations > 1 for task in tasks)
    regions = counted(unnamed, "region has", "regions have")
    have = counted(several, "task has", "tasks have")
    notes = []
    if unnamed:
        notes.append(f"{regions} no label and {are(unnamed)} not used")
    if several:
        notes.append(
            f"{have} several annotations; one is used: ground truth, else the last in the file that has regions"
        )
    if attributes := sum(task.of_regions for task in tasks):
        belong = counted(attributes, "choice belongs", "choices belong")
        used = "it is not used as a label" if attributes == 1 else "they are not used as labels"
        notes.append(f"{belong} to a region, so {used} of the image")
    if turned := sum(task.turned for task in tasks):
        drawn = counted(turned, "region was", "regions were")
        notes.append(
            f"{drawn} drawn on an image that Label Studio showed rotated (image_rotation), which is read as if "
            "it were upright; rotate the image back there, look at the regions, and export again"
        )
    return tuple(notes)


def _task(item: Mapping[str, Any]) -> Task | None:
    count = 1
    if "annotator" in item:
        results = list(_minimal_results(item))
        if not results:
            _require_nothing(item)
    else:
        kept = [one for one in item["annotations"] if not one.get("was_cancelled")]
        if not kept:
            return None  # skipped, or not annotated yet
        truth = [one for one in kept if one.get("ground_truth")]
        filled = [one for one in kept if one["result"]]
        count = len(kept)
        results = (truth or filled or kept)[-1]["result"]
    regions: list[Region] = []
    choices: list[str] = []
    unnamed = turned = of_regions = 0
    for result in results:
        value = result.get("value", {})
        kind = str(result.get("type", "")).lower()
        if kind == "choices":
            if value.keys() & {"x", "points", "rle"}:  # an attribute of a region, such as `occluded`
                of_regions += 1
            else:
                choices += [str(name).strip() for name in value["choices"]]
        elif kind in UNNAMED or (kind in (*SHAPES, "labels") and not value.get(kind)):
            unnamed += 1
        elif kind in (*SHAPES, "labels"):
            size = size_of(result["original_height"], result["original_width"])
            turned += bool(result.get("image_rotation"))
            regions.append(Region(_tool(value), tuple(str(name).strip() for name in value[kind]), size, value))
    return Task(_image(item), tuple(regions), tuple(choices), (), unnamed, count, turned, of_regions)


_BESIDES = ("annotator", "created_at", "updated_at")
"""Texts of a task in JSON-MIN that no control is called by."""


def _require_nothing(item: Mapping[str, Any]) -> None:
    """Check that a task of JSON_MIN has no text that may be a choice: its control may have any name.

    Raises:
        TaskError: it has one.
    """
    image = _image(item)
    for key, value in item.items():
        if isinstance(value, str) and value != image and key not in _BESIDES:
            raise TaskError(f"task {item['id']}: '{key}' may be a choice or not; export it again in the format JSON")


def _tool(value: Mapping[str, Any]) -> str:
    """Return the member of SHAPES whose value this is: with the control `Labels` the type does not say it."""
    keys = {"rle": "brushlabels", "points": "polygonlabels", "radiusX": "ellipselabels", "width": "rectanglelabels"}
    return next(kind for key, kind in keys.items() if key in value)


def _image(item: Mapping[str, Any]) -> str:
    """Return the first value of a task that names an image."""
    data = item.get("data", item)
    texts = [value for value in data.values() if isinstance(value, str)]
    image = next((text for text in texts if re.search(r"\.(jpe?g|png|bmp|tiff?|webp|hei[cf])(\?|$)", text, re.I)), None)
    if image is None:
        raise TaskError(
            f"task {item['id']} names no image file (.jpg, .png, …); put the file's name or address into its data"
        )
    return image


def _minimal_results(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the results of a task of JSON_MIN in the form of JSON."""
    for value in item.values():
        if isinstance(value, dict) and "choices" in value:
            yield {"type": "choices", "value": value}
        for region in value if isinstance(value, list) else ():
            kind = next((kind for kind in SHAPES if isinstance(region, dict) and kind in region), None)
            if kind:
                yield {**{k: region[k] for k in ("original_height", "original_width")}, "type": kind, "value": region}
    if isinstance(item.get("choice"), str):
        yield {"type": "choices", "value": {"choices": [item["choice"]]}}
