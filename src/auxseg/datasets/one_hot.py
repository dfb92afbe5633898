"""Tables with one column a class and 0 or 1 in the cells, as scikit-learn, pandas and Roboflow write them.

filename, cat, dog              Roboflow's _classes.csv
,cat,dog                        pandas: the index has no name; `,image_id,cat,dog` has both
image_id,cat,dog,split          1.0, True and true mean 1; 0.0, False, false and an empty cell mean 0
"""

import functools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from auxseg.counts import counted
from auxseg.errors import quote, shorten

YES = ("true", "yes", "x")
NO = ("false", "no", "")
NAMED = 5
"""Number of columns that a note names."""

Rows = Sequence[tuple[int, Sequence[str]]]
"""Line number and cells of each row."""


@functools.lru_cache(4096)
def truth(cell: str) -> bool | None:
    """Return whether a cell says that the image shows the class; None if it is neither 0 nor 1.

    Numbers may be written in any way, with a decimal comma too: `1`, `1.0`, `1,00`.
    """
    text = cell.strip().lower()
    if text in YES or text in NO:
        return text in YES
    number = _number(text)
    return bool(number) if number in (0, 1) else None


def is_one_hot(names: Sequence[str], skipped: Sequence[int], rows: Rows) -> bool:
    """Tell whether a table without a column of labels is meant as one-hot.

    It is if the first row is, if a column has only 0 and 1, or if all values are numbers in 0..1, as probabilities are.

    Args:
        names: the header.
        skipped: positions of columns that are no classes.
        rows: at least as many cells in a row as the header has; others are not looked at.
    """
    positions = [position for position in range(len(names)) if position not in skipped]
    rows = [(line, cells) for line, cells in rows if len(cells) >= len(names)]
    if not positions or not rows or not all(names[position] for position in positions):
        return False
    if all(truth(rows[0][1][position]) is not None for position in positions):
        return True
    if any(all(truth(cells[position]) is not None for _, cells in rows) for position in positions):
        return True
    return all(_is_share(cells[position]) for _, cells in rows for position in positions)


def no_classes(names: Sequence[str], skipped: Sequence[int], rows: Rows) -> dict[int, tuple[int, str]]:
    """Return the columns none of whose cells is 0 or 1: position -> line and value of the first cell that is neither.

    Args: as `is_one_hot`.
    """
    found: dict[int, tuple[int, str]] = {}
    for position in range(len(names)):
        cells = [(line, cells[position]) for line, cells in rows if len(cells) > position and cells[position].strip()]
        if position not in skipped and cells and all(truth(cell) is None for _, cell in cells):
            found[position] = cells[0]
    return found


def shown_classes(names: Sequence[str], skipped: Sequence[int], cells: Sequence[str]) -> Iterator[str]:
    """Yield the classes of a row.

    Raises:
        ValueError: a cell is neither 0 nor 1; names its column, and what to do.
    """
    for position, (name, cell) in enumerate(zip(names, cells, strict=True)):
        if position in skipped:
            continue
        shown = truth(cell)
        if shown is None:
            raise ValueError(wrong_cell(name, cell))
        if shown:
            yield name


def wrong_cell(name: str, cell: str) -> str:
    """Return what is wrong with a cell of a class, and what to do."""
    head = f"column '{name}' has {quote(cell.strip())}, expected 0 or 1; "
    if _is_share(cell):
        return head + f"probabilities are not labels: write 1 where the image shows '{name}', and 0 where it does not"
    return head + f"write 1 if the image shows '{name}' and 0 if not, or remove the column if it is not a class"


def one_hot_notes(names: Sequence[str], skipped: Sequence[int], rows: Rows) -> Iterator[str]:
    """Yield what is odd about a one-hot table: empty cells, which mean 0, and columns without any 1."""
    empty, first, used = 0, "", set()
    for line, cells in rows:
        for position, cell in enumerate(cells[: len(names)]):
            if position in skipped:
                continue
            if not cell.strip():
                empty, first = empty + 1, first or f"column '{names[position]}' in line {line}"
            elif truth(cell):
                used.add(position)
    if empty:
        cells_are = counted(empty, "empty cell of a class is", "empty cells of classes are")
        yield f"labels: {cells_are} read as 0, the first is {first}; write 1 where the image shows the class"
    if unused := [name for position, name in enumerate(names) if position not in {*skipped, *used}]:
        columns = "column" if len(unused) == 1 else f"{len(unused)} columns"
        yield f"labels: {columns} without any 1: {shorten(unused, NAMED)}; nothing can be learned about such a class"


def beside_labels(
    names: Sequence[str], skipped: Sequence[int], rows: Rows, labels: Mapping[int, Collection[str]], column: str
) -> Iterator[str]:
    """Yield a note on columns of 0 and 1 beside a column of labels, which are not read.

    Args:
        names, skipped, rows: as `is_one_hot`.
        labels: line number -> the names in the column of labels, in lower case; a line that cannot be read has none.
        column: the name of the column of labels.
    """
    hot = [
        position
        for position, name in enumerate(names)
        if name
        and position not in skipped
        and all(len(cells) > position and truth(cells[position]) is not None for _, cells in rows)
        and any(truth(cells[position]) for _, cells in rows)
    ]
    if not hot:
        return
    used = {name for own in labels.values() for name in own}
    classes = [position for position in hot if names[position].casefold() in used]
    wrong = [
        line
        for line, cells in rows
        if line in labels
        and any(truth(cells[position]) != (names[position].casefold() in labels[line]) for position in classes)
    ]
    columns = counted(len(hot), "column of 0 and 1 is", "columns of 0 and 1 are")
    note = f"labels: column '{column}' has the labels, and {columns} not read: " + shorten(
        (names[position] for position in hot), NAMED
    )
    if wrong:
        note += f"; in {len(wrong)} of {len(rows)} rows they say otherwise, first in line {wrong[0]}"
    if len(classes) < len(hot) or wrong:
        note += f"; to read them instead, remove column '{column}'"
    yield note


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def _is_share(cell: str) -> bool:
    """Tell whether a cell is a number in 0..1."""
    return 0 <= _number(cell.strip()) <= 1
