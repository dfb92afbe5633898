"""Classes that no mask of a split shows, and how mIoU counts them (docs/evaluation.md, "What is counted")."""

from collections.abc import Iterable, Mapping

from auxseg.errors import shorten

NAMED = 5
"""Classes that a note names."""

Rows = Iterable[Mapping[str, str]]


def absent_notes(rounds: Rows, classes: Rows) -> list[str]:
    """Return a note for every split with masks that lack a class.

    Args:
        rounds: rows of rounds.csv, of which `round`, `what` and `set` are read.
        classes: rows of classes.csv, of which `round`, `what`, `class` and `recall` are read; recall is empty where no
            mask shows the class.
    """
    sets = {(row["round"], row["what"]): row["set"] for row in rounds}
    absent: dict[str, dict[str, None]] = {}
    for row in classes:
        split = sets.get((row["round"], row["what"]))
        if split and not row["recall"]:
            absent.setdefault(split, {})[row["class"]] = None
    return [
        f"no mask of {split} shows {shorten(names, NAMED)}; a class without masks counts as 0 in mIoU where it is "
        "predicted, and is left out where it is not"
        for split, names in sorted(absent.items())
    ]
