"""How cells of labels, as people write them, are split into class names.

Separators are `;` `,` `|`, tabs and line breaks; JSON lists and Python lists are read too. Spaces separate names only
if no cell of the file has one of these separators. Quotes and brackets are never part of a name.
"""

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from auxseg.datasets.class_table import NOTHING
from auxseg.datasets.manifest import SEPARATOR
from auxseg.datasets.one_hot import truth
from auxseg.datasets.problems import ROWS, STRICT, Problems
from auxseg.datasets.spelling import SHOWN, KnownNames, fold, images, unify
from auxseg.errors import DataError

QUOTES = '"`“”„‟«»\u2039\u203a'
APOSTROPHES = "'\u2018\u2019\u201a\u201b"
BRACKETS = "[]{}<>"
_WRAPPING = QUOTES + APOSTROPHES + BRACKETS

# One space beside a separator is normal. More become part of the name, and `unify` notes them as another spelling.
# A separator in round parentheses is part of the name: `crane (bird, not machine)`.
_LEVELS = tuple(re.compile(rf" ?{mark} ?(?![^()]*\))") for mark in (r"[;\t\r\n]", r"\|", ","))
"""Separators, strongest first: a known name may contain a weaker one."""
_ANY_LEVEL = (re.compile(r" ?[;\t\r\n|,] ?(?![^()]*\))"),)
_JOINTS = (
    re.compile(r"\s*[/\\+&:~、\uff0c\uff1b]\s*|(?:^|\s+)and\s+", re.IGNORECASE),
    re.compile(r"[\s/\\+&:~、\uff0c\uff1b._-]+(?:and\s+)?", re.IGNORECASE),
)
"""What people write between names without meaning one name: marks and words; then spaces, dots and hyphens too."""
_NOTHING = (*NOTHING, "-", "--", "?")
"""What programs and people write into a cell without a value."""
_BETWEEN_QUOTES = re.compile(rf"(?<=[{QUOTES + APOSTROPHES}])\s+(?=[{QUOTES + APOSTROPHES}])")
"""As numpy prints an array: `['horse' 'person']`."""


@dataclass(frozen=True)
class _Cell:
    """Parts of a cell as written; `is_divided`: the cell has separators, so spaces are part of its names."""

    where: str
    parts: tuple[str, ...]
    is_divided: bool
    is_list: bool = False


def read_names(
    rows: Sequence[tuple[str, Sequence[str]]], known: Collection[str] | None, problems: Problems = STRICT
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the class names of each row, and notes on how ambiguous cells were read.

    Args:
        rows: for each image a text that names file and line, and its cells of labels: one, or several for an
            unquoted `cow,car`.
        known: the names of `data.classes`; None allows any name.
        problems: a row with one has no names, if it collects them.

    Raises:
        DataError: a cell is a JSON object or a nested list, or a name contains a quote or bracket, or all names are
            words like 0 and 1; names a row.
    """
    names = KnownNames(known or ())
    # names of only letters and spaces, the usual case, cannot contain a separator
    marked = names if re.search(rf"[;\t\r\n|,{re.escape(_WRAPPING)}]", "".join(known or ())) else None
    cells = []
    for where, texts in rows:
        cell = _Cell(where, (), is_divided=False)
        with problems.of(ROWS):
            cell = _read_cells(texts, marked, where)
        cells.append(cell)
    is_divided = any(cell.is_divided for cell in cells)
    notes: list[str] = []
    if known is None and not is_divided:
        splits_spaces, notes = _judge_spaces(cells)
    else:
        splits_spaces = not is_divided
    raw = []
    met: dict[tuple[str, bool], list[str]] = {}  # the same few parts recur in every row
    for cell in cells:
        for part in cell.parts:
            if (part, cell.is_list) not in met:
                met[part, cell.is_list] = []
                with problems.of(ROWS):
                    found = _raw_names(part, cell, names, known is not None, splits_spaces)
                    met[part, cell.is_list] = found
        raw.append([name for part in cell.parts for name in met[part, cell.is_list]])
    unified, merged = unify(raw, names)
    if known is None:
        _check_not_truths(rows, unified)
    return unified, notes + merged + _note_joined(unified, names)


def _check_not_truths(rows: Sequence[tuple[str, Sequence[str]]], unified: Sequence[Sequence[str]]) -> None:
    """Check that labels are not answers: a column `label` of 0 and 1 says whether an image shows the one class."""
    found = {name for row in unified for name in row}
    is_column = len(rows) > 1 and all(len(row) <= 1 for row in unified)
    if found and is_column and all(truth(name) is not None for name in found):
        where = next(where for where, texts in rows if any(text.strip() for text in texts))
        raise DataError(
            f"{where}: all labels are {' or '.join(sorted(found))}; if they say whether the image shows a class, give "
            "the column the name of that class, as in image_id,road; if they are the names of classes, list them in "
            "data.classes"
        )


def joined_names(name: str, known: KnownNames) -> list[str]:
    """Return the known names that a name like `cow/car`, `cow and car` or `and car` consists of, or none."""
    for joint in _JOINTS:
        parts = [known.find(part) for part in joint.split(name) if part]
        found = [part for part in parts if part is not None and part != name]
        if found and len(found) == len(parts):
            return found
    return []


def _note_joined(rows: Sequence[Sequence[str]], known: KnownNames) -> list[str]:
    """Return a note for each name that consists of other names of the file or of a mark alone, or means no value."""
    counts = Counter(name for row in rows for name in row)
    others = KnownNames(counts)
    notes = []
    for name, count in counts.items():
        if known.find(name) is not None:
            continue
        if name.casefold() in _NOTHING:
            notes.append(
                f"labels: '{name}' ({images(count)}) is read as a class; if it means no object, leave the cell empty"
            )
        elif _JOINTS[0].fullmatch(f" {name} "):
            notes.append(f"labels: '{name}' ({images(count)}) is read as a class; write '|' between names instead")
        elif parts := joined_names(name, others):
            are = "is a class" if len(parts) == 1 else "are classes"
            notes.append(
                f"labels: '{name}' ({images(count)}) is read as one name, but {' and '.join(parts)} {are} too; if it "
                f"means {'that' if len(parts) == 1 else 'several'}, write '{'|'.join(parts)}'"
            )
    if len(notes) > SHOWN:
        notes[SHOWN:] = [f"labels: {len(notes) - SHOWN} more names consist of other ones"]
    return notes


def _read_cells(texts: Sequence[str], known: KnownNames | None, where: str) -> _Cell:
    found = [_read_cell(text, known, where) for text in texts]
    if len(found) == 1:
        return found[0]
    parts = tuple(part for cell in found for part in cell.parts)
    return _Cell(where, parts, True)


def _read_cell(text: str, known: KnownNames | None, where: str) -> _Cell:
    """Split a cell; `known` is None if no known name contains a separator."""
    if not text.strip() or (known is not None and known.find(text) is not None):
        return _Cell(where, (text,) if text.strip() else (), False)
    listed = _list_items(text, where)
    if listed is not None:
        items = tuple(filter(str.strip, listed))
        return _Cell(where, items, bool(items), True)
    bare = text.strip()
    is_quoted_list = bare[0] in "[{" and bare.strip("[]{} ")[:1] in (*QUOTES, *APOSTROPHES)
    parts = _split(text, known, _LEVELS if known else _ANY_LEVEL)
    return _Cell(where, tuple(filter(str.strip, parts)), is_quoted_list or len(parts) > 1)


def _split(text: str, known: KnownNames | None, levels: Sequence[re.Pattern[str]]) -> list[str]:
    if not levels or (known is not None and known.find(_unwrap(text)) is not None):
        return _BETWEEN_QUOTES.split(text)
    return [part for piece in levels[0].split(text) for part in _split(piece, known, levels[1:])]


def _list_items(text: str, where: str) -> list[str] | None:
    """Return the items of a JSON or Python list, or None if the text is neither."""
    bare = text.strip().strip(QUOTES).strip()
    if bare[:1] not in ("[", "{"):
        return None
    if bare.startswith("{") and ":" in bare:
        raise DataError(f"{where}: the labels are a JSON object, {_shorten(bare)}; {HOW}")
    if re.match(r"\[\s*[\[{(]", bare):
        raise DataError(f"{where}: the labels are a nested list, {_shorten(bare)}; {HOW}")
    items = _parse_list(bare) if bare.startswith("[") else None
    for item in items or ():
        if isinstance(item, bool) or not isinstance(item, str | int):
            kind = "a nested list" if isinstance(item, list | tuple | dict) else "a list with a value that is not text"
            raise DataError(f"{where}: the labels are {kind}, {_shorten(bare)}; {HOW}")
    return None if items is None else [str(item) for item in items]


def _parse_list(text: str) -> list[Any] | None:
    joins = re.search(rf"[{QUOTES + APOSTROPHES}]\s*[{QUOTES + APOSTROPHES}]", text)
    # Python would join 'horse' 'person' to one string
    for parse in (json.loads,) if joins else (json.loads, ast.literal_eval):
        try:
            with warnings.catch_warnings(action="ignore"):  # about invalid escape sequences
                found = parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(found, list):
            return found
    return None


def _judge_spaces(cells: Sequence[_Cell]) -> tuple[bool, list[str]]:
    """Decide whether `traffic light` is one name or two labels, in a file without any other separator than spaces.

    Labels recur in other combinations; words of a name rarely do. Spaces separate labels if at least half of the words
    in cells with several words also occur in a different cell.

    Returns:
        Whether spaces separate labels, and, if any cell has several words, a note with an example.
    """
    distinct = {" ".join(words): words for cell in cells if (words := _words(fold("".join(cell.parts))))}
    several = {text: words for text, words in distinct.items() if len(words) > 1}
    if not several:
        return False, []
    homes: dict[str, int] = {}
    for words in distinct.values():
        for word in set(words):
            homes[word] = homes.get(word, 0) + 1
    inner = {word for words in several.values() for word in words}
    separate = 2 * sum(homes[word] > 1 for word in inner) >= len(inner)
    example = next(parts for cell in cells if len(parts := _words("".join(cell.parts))) > 1)
    text = " ".join(example)
    if separate:
        note = (
            f"separate labels: '{text}' is read as {', '.join(example)}. If it is one name, write '{text}|' or name "
            "it in data.classes"
        )
    else:
        note = f"are part of names: '{text}' is read as one label. If it is several, write '{'|'.join(example)}'"
    return separate, [f"labels: no cell has a ';' or ',', so spaces decide; they {note}"]


def _words(text: str) -> list[str]:
    return [word for piece in text.split() if (word := _unwrap(piece))]


def _raw_names(part: str, cell: _Cell, known: KnownNames, has_known: bool, splits_spaces: bool) -> list[str]:
    """Return the names in a part of a cell, spelled as in the file."""
    name = _unwrap(part)
    for text in (part, name):
        if known.find(text) is not None:
            return [text]
    words = [name] if cell.is_list else _words(part)
    if has_known:
        words = _segment(words, known)
    are_known = has_known and all(known.find(word) is not None for word in words)
    if are_known or (splits_spaces and not cell.is_list):
        return [word if known.find(word) is not None else check_name(word, cell.where) for word in words]
    return [check_name(name, cell.where)] if name.strip() else []


def _segment(words: Sequence[str], known: KnownNames) -> list[str]:
    """Join words to known names, the longest first: `traffic light cat` is `traffic light` and `cat`."""
    names, start = [], 0
    while start < len(words):
        stops = range(min(len(words), start + known.most_words), start, -1)
        stop = next((stop for stop in stops if known.find(" ".join(words[start:stop])) is not None), start + 1)
        names.append(" ".join(words[start:stop]))
        start = stop
    return names


def _unwrap(part: str) -> str:
    """Return a part without the quotes and brackets around it; if there are none, outer spaces stay."""
    while (inner := part.strip().strip(_WRAPPING)) != part.strip():
        part = inner
    return part


def check_name(name: str, where: str) -> str:
    """Check that a name can be a class; return it.

    Raises:
        DataError: it contains a quote, a bracket or the manifest's separator.
    """
    inside = next((mark for mark in name if mark in QUOTES + BRACKETS + SEPARATOR), None)
    # an apostrophe may be in a word, as in `driver's cab`
    if inside is None and re.search(rf"(?<!\S)[{APOSTROPHES}]|[{APOSTROPHES}](?![^\s{APOSTROPHES}])", name):
        inside = next(mark for mark in name if mark in APOSTROPHES)
    if inside is not None:
        raise DataError(f"{where}: label '{_shorten(name)}' has a {inside} inside; {HOW}")
    depth = 0
    for mark in name:
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth < 0:
            break
    if depth:
        raise DataError(f"{where}: label '{_shorten(name)}' has a parenthesis without its partner; {HOW}")
    return name


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


HOW = "write names with ';' between them, as in cat; traffic light"
"""The end of every error message about a cell."""
