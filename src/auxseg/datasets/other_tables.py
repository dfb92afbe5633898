"""Tables that lie beside the images and are not read, and what to do about them."""

import os
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from auxseg.errors import DataError, shorten
from auxseg.files import open_file
from auxseg.params.data import DataParams

READ = (".csv", ".tsv", ".json")
"""Extensions of tables that `data.labels_file` may have."""
_BINARY = {
    ".xlsx": "an Excel workbook",
    ".xlsm": "an Excel workbook",
    ".xls": "an Excel workbook",
    ".ods": "a spreadsheet",
    ".numbers": "a spreadsheet",
    ".parquet": "a Parquet file",
    ".feather": "an Arrow file",
    ".arrow": "an Arrow file",
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".sqlite": "a database",
}
_SIGNS = {
    b"PK\3\4": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x1f\x8b": "a gzip file",
}
"""How such a file begins, whatever its name."""
_TEXTS = (".txt", ".xml", ".jsonl")
_NO_LABELS = ("readme", "licen", "notice", "changelog", "requirements", "classes", "_classes", "labelmap", "dataset.")
"""Beginnings of names of files that people keep in such folders and that have no labels of images."""
EXPORT = "export it as CSV (Excel: CSV UTF-8)"
NAMED = 3
"""Number of files that a warning names."""


def reject_other_tables(path: Path) -> None:
    """Check that a file is not a table in another form than text.

    Raises:
        FileNotFoundError: there is no file.
        DataError: it is such a table; the message says how to get a CSV.
    """
    with open_file(path) as stream:
        start = stream.read(8)
    kind = next((kind for sign, kind in _SIGNS.items() if start.startswith(sign)), _BINARY.get(path.suffix.lower()))
    if kind:
        raise DataError(f"{path}: {kind}, not a CSV; {EXPORT} and set data.labels_file to the CSV")


def there_instead(path: Path) -> str:
    """Return what to do about a missing table of labels if its folder has another table; empty if it has none."""
    names = [name for name in _names(path.parent) if _is_table(name)]
    text = [name for name in names if Path(name).suffix.lower() in READ]
    if text:
        return f"'{text[0]}' is there: set data.labels_file in params.yaml to it, or rename it to {path.name}"
    return f"'{names[0]}' is there: {EXPORT} to {path.name}" if names else ""


def unread_tables(root: Path, params: DataParams, ids: Set[str]) -> Iterator[str]:
    """Yield a warning for each kind of file beside the images that may have labels and is not read.

    Args:
        root: the data root; it and the folder of images are looked at.
        params: they name the files that are read.
        ids: those of the listed images, by which files of single images are recognised.
    """
    if params.format == "scenes":
        return
    tables: list[str] = []
    texts: list[str] = []  # lists and files of single images
    for folder in dict.fromkeys(os.path.normpath(one) for one in (".", params.photos)):
        inner = "" if folder == "." else f"{Path(folder).as_posix()}/"
        for name in (inner + one for one in _names(root / folder) if inner + one not in _read(params)):
            suffix = Path(name).suffix.lower()
            if _is_table(name) and not (params.is_annotated and suffix == ".json"):
                tables.append(name)
            elif suffix in _TEXTS and not params.is_annotated and not _has_no_labels(name):
                texts.append(name)
    single = [name for name in (*tables, *texts) if Path(name).stem in ids]
    tables = [name for name in tables if name not in single]
    lists = [] if params.in_voc_layout else [name for name in texts if name not in single]
    source, read = _source(params)
    export = read.replace(" to it", " to the CSV")
    for files, fix in (
        ([name for name in tables if Path(name).suffix.lower() in READ], read),
        ([name for name in tables if Path(name).suffix.lower() not in READ], f"{EXPORT} and {export}"),
        (lists, f"write them as a CSV with the columns image_id,labels and {export}"),
        (single, f"write them into {source}, or set data.format to the tool that wrote them"),
    ):
        if files:
            are = "is" if len(files) == 1 else "are" if len(files) <= NAMED else f"and {len(files) - NAMED} more are"
            shown = shorten(files[:NAMED], NAMED)
            yield f"{shown} {are} not read, because the labels come from {source}; if labels are there, {fix}"


def _read(params: DataParams) -> set[str | None]:
    """Return the files that are read, relative to the data root."""
    reads_table = not params.is_annotated and params.labels in ("csv", "npy")
    return {params.annotations, params.colours, params.labels_file if reads_table else None}


def _source(params: DataParams) -> tuple[str, str]:
    """Return where the labels come from, and how to read them from a table instead."""
    if params.is_annotated:
        return "the annotations", "set data.format to folder and data.labels_file to it"
    if params.labels == "csv":
        return params.labels_file, "set data.labels_file to it"
    source = {"xml": "Annotations", "lists": "ImageSets"}.get(params.labels, params.labels_file)
    return source, "set data.labels to csv and data.labels_file to it"


def _names(folder: Path) -> Sequence[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith((".", "~")) and entry.is_file())
    except OSError:  # the readers say what is missing
        return ()


def _is_table(name: str) -> bool:
    return Path(name).suffix.lower() in (*READ, *_BINARY) and not _has_no_labels(name)


def _has_no_labels(name: str) -> bool:
    return Path(name).name.lower().startswith(_NO_LABELS)
