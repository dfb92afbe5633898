"""Image-level labels in a JSON file.

{"a.jpg": ["cat", "dog"], "b.jpg": "cat, dog", "c.jpg": {"cat": 1, "dog": 0}}
[{"image": "a.jpg", "labels": ["cat"], "split": "train"}, …]     keys as the columns of the CSV
{"images": [{"file_name": "a.jpg", "tags": [{"name": "cat"}]}]}    a list below a key of its own
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from auxseg.datasets.csv_header import COLUMNS
from auxseg.datasets.csv_tags import CsvTags
from auxseg.datasets.other_tables import there_instead
from auxseg.datasets.problems import ROWS, STRICT, Problems
from auxseg.datasets.spelling import KnownNames, unify
from auxseg.datasets.tag_cells import check_name, read_names
from auxseg.datasets.tags import Tags, image_id
from auxseg.errors import DataError
from auxseg.files import read_json

HOW = 'write {"a.jpg": ["cat", "dog"]} or [{"image": "a.jpg", "labels": ["cat", "dog"]}]'


def read_json_tags(path: Path, known: Collection[str] | None, problems: Problems = STRICT) -> CsvTags:
    """Read a JSON file of labels.

    Args:
        path: the file.
        known: the names of `data.classes`; None allows any name.
        problems: entries with one are left out, if it collects them.

    Raises:
        DataError: the file is not JSON, has another form, or an image appears twice; names the entry.
    """
    try:
        content = read_json(path, object_pairs_hook=_without_repeats)
    except FileNotFoundError:
        fix = there_instead(path) or "add it, or set data.labels_file"
        raise DataError(f"{path}: no such file; {fix}") from None
    rows: dict[str, Tags] = {}
    texts: dict[str, str] = {}
    for raw, labels, split, group in _entries(content, path):
        key = image_id(raw)
        where = f"{path} entry '{key}'"
        with problems.of(ROWS):
            if not key or key in rows:
                raise DataError(f"{where}: {'is listed twice' if key else 'has no image'}; each image has one entry")
            if isinstance(labels, str):
                texts[key] = labels
                names: tuple[str, ...] = ()
            else:
                names = tuple(check_name(name.strip(), where) for name in _names(labels, where) if name.strip())
            plain = None if split is None else str(split).strip().lower()
            rows[key] = Tags(names, where, plain, None if group is None else str(group).strip() or None)
    # a text is read as the cell of a CSV
    split_names, split_notes = read_names([(rows[key].where, (text,)) for key, text in texts.items()], known, problems)
    rows |= {key: replace(rows[key], names=names) for key, names in zip(texts, split_names, strict=True)}
    unified, notes = unify([row.names for row in rows.values()], KnownNames(known or ()))
    named = zip(rows.items(), unified, strict=True)
    return CsvTags({key: replace(row, names=names) for (key, row), names in named}, (*split_notes, *notes))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"'{next(key for key, count in counts.items() if count > 1)}' appears twice")
    return found


def _entries(content: Any, path: Path) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield image, labels, split and group of each entry."""
    if isinstance(content, dict):
        inner = [
            value for value in content.values() if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
        if len(inner) == 1 and _value(inner[0][0], "image_id", f"{path} entry 1") is not None:
            content = inner[0]
        else:
            yield from ((key, value, None, None) for key, value in content.items())
            return
    if not isinstance(content, list):
        raise DataError(f"{path}: neither an object nor a list of objects; {HOW}")
    for number, item in enumerate(content, 1):
        where = f"{path} entry {number}"
        found = {meaning: _value(item, meaning, where) for meaning in COLUMNS} if isinstance(item, dict) else {}
        if found.get("image_id") is None or found["labels"] is None:
            raise DataError(f"{where}: has no image or no labels; {HOW}")
        yield str(found["image_id"]), found["labels"], found["split"], found["group"]


def _value(item: Mapping[str, Any], meaning: str, where: str) -> Any:
    found = [name for name in COLUMNS[meaning] if item.get(name) is not None]
    if len(found) > 1 and "id" in found:  # the number of an entry that names its file beside it
        found.remove("id")
    if len(found) > 1:
        raise DataError(f"{where}: '{found[0]}' and '{found[1]}' mean the same ({meaning}); remove or rename one")
    return item[found[0]] if found else None


def _names(labels: Any, where: str) -> Iterator[str]:
    if isinstance(labels, list):
        for item in labels:
            name = (
                next((item[key] for key in ("name", "label") if key in item), None) if isinstance(item, dict) else item
            )
            if not isinstance(name, str):
                raise DataError(f"{where}: {json.dumps(item)[:60]} is not the name of a class; {HOW}")
            yield name
    elif isinstance(labels, dict) and all(value in (0, 1) for value in labels.values()):
        yield from (name for name, value in labels.items() if value)
    else:
        raise DataError(f"{where}: {json.dumps(labels)[:60]} is not a list of class names; {HOW}")
