"""Labels corrected by hand, and which of them replace the pseudo labels of a round in training.

    review/corrections/corrections.csv     one row per image and round
    review/corrections/<round>/<id>.png    the label: palette PNG of class indices, 0 = background, 255 = left open

A correction is of one round, like a verdict, but not of one label: what a person drew stays right when the pipeline
makes another label. It is stale only if the image is another one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.rounds import Round, is_round_name
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_table, require_columns, write_csv
from auxseg.datasets.manifest import SEPARATOR, ClassTable, ImageRecord
from auxseg.encoded import IGNORE, encode_label
from auxseg.errors import CONTROLS, DataError
from auxseg.params.review import ReviewParams
from auxseg.png_files import read_index_png

COLUMNS = ("image_id", "round", "classes", "image_sha256", "source", "reviewer", "date")


@dataclass(frozen=True)
class Correction:
    """One row of the table; the fields are the columns."""

    image_id: str
    round: str
    classes: str
    """Index and name of the classes in the PNG, as `1=cat;3=dog`: the class table may change, the PNG does not."""
    image_sha256: str
    """Of the image that was corrected."""
    source: str
    """The format that it was imported from."""
    reviewer: str
    date: str
    """ISO 8601, of the import."""

    @property
    def key(self) -> tuple[Round, str]:
        """Round and image. The table has one row for each key and is sorted by it."""
        return Round.parse(self.round), self.image_id

    @property
    def names(self) -> dict[int, str]:
        """Index in the PNG -> class name.

        Raises:
            ValueError: the cell is not of this form.
        """
        pairs = (text.partition("=") for text in self.classes.split(SEPARATOR) if text)
        return {int(index): name for index, _, name in pairs}


def shown_classes(label: np.ndarray, classes: ClassTable) -> str:
    """Return the cell `classes` of a label, uint8 (H, W) of class indices."""
    present = [int(index) for index in np.unique(label) if index not in (0, IGNORE)]
    return SEPARATOR.join(f"{index}={classes.with_background[index]}" for index in present)


def read_corrections(path: Path) -> list[Correction]:
    """Read the table and check every row.

    Raises:
        DataError: a row is wrong; the message names the file and the line.
    """
    header, rows = read_table(path)
    require_columns(path, header, COLUMNS)
    found: dict[tuple[Round, str], Correction] = {}
    for number, row in rows.items():
        where = f"{path} line {number}"
        if None in row or any(row[name] is None for name in COLUMNS):
            raise DataError(f"{where}: not as many cells as the header has; fix the row or remove it")
        one = Correction(*(row[name].strip() for name in COLUMNS))
        if CONTROLS.search(one.image_id + one.classes):
            raise DataError(f"{where}: image_id or classes have control characters or line breaks; remove them")
        if not is_round_name(one.round):
            raise DataError(f"{where}: round '{one.round}' is not a round; write r0, r1, …")
        try:
            _ = one.names
        except ValueError:
            raise DataError(
                f"{where}: classes '{one.classes}' is not of the form 1=cat;3=dog; import it again"
            ) from None
        if one.key in found:
            raise DataError(f"{where}: {one.round} {one.image_id} appears twice; remove one of the rows")
        found[one.key] = one
    return list(found.values())


def write_corrections(path: Path, corrections: Iterable[Correction]) -> None:
    """Write the table in the order of `Correction.key`, so that the same corrections give the same bytes."""
    write_csv(path, COLUMNS, [astuple(one) for one in sorted(corrections, key=lambda one: one.key)])


def in_force(
    corrections: Iterable[Correction], round_: Round, params: ReviewParams, hashes: Mapping[str, str]
) -> tuple[dict[str, Correction], list[Correction]]:
    """Return image id -> the correction that replaces its label of `round_`: the latest one if there are several.

    `hashes` gives the SHA-256 of every training image. A correction of another image is stale. Stale ones hide no
    earlier correction; they are returned as a list.
    """
    found: dict[str, Correction] = {}
    stale: list[Correction] = []
    for one in sorted(corrections, key=lambda one: one.key):
        own = one.key[0]
        if own == round_ or (params.corrections == "for_good" and own < round_):
            if hashes.get(one.image_id) == one.image_sha256:
                found[one.image_id] = one
            else:
                stale.append(one)
    return found, stale


def corrected_labels(
    store: Store, round_: Round, records: Sequence[ImageRecord], classes: ClassTable, params: ReviewParams
) -> dict[str, bytes]:
    """Return image id -> corrected label, palette PNG of class indices, for the training on labels of `round_`.

    Logs how many there are, and those that are not applied because the image has changed or is not trained on.

    Args:
        store: has the table and the PNGs.
        round_: the round.
        records: the training images.
        classes: the class table of today.
        params: how long a correction holds.

    Raises:
        DataError: a row, or the PNG of a row, is wrong or missing.
    """
    known = {record.id: record for record in records}
    hashes = {record.id: record.sha256 for record in records}
    found, stale = in_force(read_corrections(store.corrections), round_, params, hashes)
    for one in stale:
        why = "has changed since" if one.image_id in known else "is not a training image"
        logging.warning("the correction of %s in %s is not applied: the image %s", one.image_id, one.round, why)
    labels = {
        image_id: encode_label(_read_label(store, one, known[image_id], classes)) for image_id, one in found.items()
    }
    if labels:
        logging.info("%s: %d of %d labels corrected by hand", round_, len(labels), len(known))
    return labels


def _read_label(store: Store, one: Correction, record: ImageRecord, classes: ClassTable) -> np.ndarray:
    """Return a corrected label, uint8 (H, W), with the indices of today's class table."""
    path = store.correction(*one.key)
    stored = read_index_png(path)
    if stored.shape != (record.height, record.width):
        size = f"{stored.shape[1]}x{stored.shape[0]}"
        raise DataError(f"{path}: {size}, but the image is {record.width}x{record.height}; import it again")
    table = _lookup(one.names, classes, f"{store.corrections}: {one.round} {one.image_id}")
    strange = sorted(set(np.unique(stored).tolist()) - set(table))
    if strange:
        raise DataError(f"{path}: value {strange[0]} is not among the row's classes '{one.classes}'; import it again")
    values = np.zeros(256, np.uint8)
    values[list(table)] = list(table.values())
    label: np.ndarray = values[stored]
    return label


def _lookup(names: Mapping[int, str], classes: ClassTable, where: str) -> dict[int, int]:
    """Return index in the PNG -> index in the class table."""
    for name in names.values():
        if name not in classes.names:
            raise DataError(
                f"{where}: the label shows '{name}', but the classes are {', '.join(classes.names)}; if the class was "
                "renamed, write its new name into the row's cell 'classes', otherwise import it again or remove the row"
            )
    return {0: 0, IGNORE: IGNORE, **{index: classes.index(name) for index, name in names.items()}}
