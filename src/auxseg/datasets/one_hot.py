"""Tables with one column a class and 0 or 1 in the cells, as scikit-learn, pandas and Roboflow write them.

filename, cat, dog              Roboflow's _classes.csv
,cat,dog                        pandas: the index has no name; `,image_id,cat,dog` has both
image_id,cat,dog,split          1.0, True and true mean 1; 0.0, False, false and an empty cell mean 0
"""

from collections.abc import Iterator, Sequence

YES = ("1", "1.0", "true", "yes", "x")
NO = ("0", "0.0", "false", "no", "")


def is_one_hot(names: Sequence[str], skipped: Sequence[int], first: Sequence[str]) -> bool:
    """Tell whether a table without a column of labels is one-hot, by its header and its first row.

    Args:
        names: the header.
        skipped: positions of columns that are no classes.
        first: the cells of the first row.
    """
    cells = [cell.strip().lower() for position, cell in enumerate(first) if position not in skipped]
    named = [name for position, name in enumerate(names) if position not in skipped]
    return bool(named) and all(named) and len(first) == len(names) and all(cell in YES + NO for cell in cells)


def shown_classes(names: Sequence[str], skipped: Sequence[int], cells: Sequence[str]) -> Iterator[str]:
    """Yield the classes of a row.

    Raises:
        ValueError: a cell is neither 0 nor 1; names its column.
    """
    for position, (name, cell) in enumerate(zip(names, cells, strict=True)):
        value = cell.strip().lower()
        if position in skipped or value in NO:
            continue
        if value not in YES:
            raise ValueError(f"column '{name}' has '{cell.strip()}', expected 0 or 1")
        yield name
