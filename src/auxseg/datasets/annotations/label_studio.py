"""Label Studio: the JSON or JSON-MIN of a project, and brush PNGs beside it.

Image-level labels are the classes of regions and of choices. Brushes, polygons, rectangles and ellipses make the mask.
A task that was skipped or never annotated is left out; with choices alone, an image has no mask.
"""

from pathlib import Path

from auxseg.counts import counted
from auxseg.datasets.annotations.annotated import (
    Annotated,
    ImageFiles,
    Item,
    json_files,
    object_names,
    read_annotations,
    split_of,
)
from auxseg.datasets.annotations.label_studio_file import (
    Task,
    image_names,
    is_label_studio,
    png_class,
    read_label_studio_file,
    task_notes,
)
from auxseg.datasets.mask_form import MaskForm
from auxseg.datasets.problems import ANNOTATIONS, STRICT, Problems
from auxseg.errors import DataError
from auxseg.files import open_file
from auxseg.params.data import DataParams


def read_label_studio(root: Path, params: DataParams, problems: Problems = STRICT) -> Annotated:
    """Read one export, or several.

    Raises:
        DataError: there is no export, one is damaged, or an image's name is ambiguous.
    """
    paths = label_studio_files(root, params.annotations)
    if not paths:
        raise DataError(f"{root}: no JSON of Label Studio; add it, or set data.annotations")
    files = ImageFiles(root, params.folder.images)
    tasks = [(path, key, task) for path in paths for key, task in read_label_studio_file(path).items()]
    known = tuple({name for _, _, task in tasks for name in task.names} | set(params.classes or ()))
    names: set[str] = set()
    items: list[Item] = []
    missing: list[str] = []
    for path, key, task in tasks:
        with problems.of(ANNOTATIONS):
            found = next(filter(None, (files.find(name, path) for name in image_names(task.image))), None)
            if found is None:
                missing.append(task.image)
                continue
            shown = object_names((*task.names, *(png_class(png, known) for png in task.pngs)))
            names.update(shown)
            relative = path.relative_to(root)
            mask = f"{relative.as_posix()}#{key}" if task.regions or task.pngs else None
            items.append(Item(found, split_of(*relative.parts[:-1]), shown, mask, f"{path} task {key}"))
    return Annotated(tuple(sorted(names)), items, MaskForm("label-studio"), tuple(missing), _notes(tasks))


def label_studio_files(root: Path, given: str | None = None) -> list[Path]:
    """Return the exports of a data root; see `json_files`."""
    return json_files(root, given, _looks_like_an_export)


def _looks_like_an_export(path: Path) -> bool:
    with open_file(path) as stream:
        if not stream.read(16).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"["):
            return False
    try:
        return is_label_studio(read_annotations(path))
    except DataError:
        return False


def _notes(tasks: list[tuple[Path, str, Task]]) -> tuple[str, ...]:
    bare = sum(not task.regions and not task.pngs for _, _, task in tasks)
    have = counted(bare, "task has", "tasks have")
    notes = (f"{have} choices or no region, so there is no mask of the image",) if bare else ()
    return (*notes, *task_notes([task for _, _, task in tasks]))
