"""The table of verdicts, review/verdicts.csv: read, check, merge, and compare with the current labels.

One row is one reviewer's judgement of one image in one round. `label_hash`, the SHA-256 of the bytes of the label PNG
(`Store.labels`), says exactly what was judged.
"""

import datetime
import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.atomic import atomic_path
from auxseg.artifacts.rounds import Round, is_round_name
from auxseg.artifacts.tables import csv_text, read_table, require_columns
from auxseg.datasets.manifest import SEPARATOR
from auxseg.errors import CONTROLS, DataError

ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
"""The form of ISO 8601 that both this reader and the report accept."""

VERDICTS = ("accept", "reject", "unsure")
COLUMNS = ("image_id", "label_hash", "round", "verdict", "drop_classes", "note", "reviewer", "date")


@dataclass(frozen=True)
class Verdict:
    """One row. The fields are the columns: text, except `drop_classes`, which is a tuple of class names."""

    image_id: str
    label_hash: str
    round: str
    verdict: str
    drop_classes: tuple[str, ...]
    note: str
    reviewer: str
    date: str

    @property
    def key(self) -> tuple[Round, str, str, str]:
        """Round, image, reviewer and label. The table has one row for each key and is sorted by it.

        The label is in it because another project on the same images has other labels in the same rounds.
        """
        return Round.parse(self.round), self.image_id, self.reviewer, self.label_hash

    @property
    def time(self) -> datetime.datetime:
        """The date as a point in time: UTC if it has no zone, the start of the day if it has no time."""
        return _parse_date(self.date)

    def is_stale(self, hashes: Mapping[str, str]) -> bool:
        """Return whether the judged label has changed or no longer exists; `hashes` comes from `label_hashes`."""
        return hashes.get(self.image_id) != self.label_hash


def read_verdicts(path: Path) -> list[Verdict]:
    """Read a table, a CSV with the columns COLUMNS in any order, and check the form of every row.

    Raises:
        DataError: a row is wrong; the message names the file and the line.
    """
    return list(read_numbered(path).values())


def read_numbered(path: Path) -> dict[int, Verdict]:
    """Return the verdicts of `read_verdicts` by the number of their last line, counted from 1."""
    header, rows = read_table(path)
    _check_header(path, header)
    return {number: _verdict(row, f"{path} line {number}") for number, row in rows.items()}


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write a table in the order of `Verdict.key`, so that the same verdicts give the same bytes.

    What was written is read back before it replaces the table, which holds work of people.

    Raises:
        DataError: the verdicts would not be read back as they are; the table stays as it was.
    """
    ordered = sorted(verdicts, key=lambda verdict: verdict.key)
    text = csv_text(COLUMNS, [[_cell(getattr(verdict, name)) for name in COLUMNS] for verdict in ordered])
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode())
        try:
            again = read_verdicts(temporary)
        except DataError as error:
            raise DataError(f"{path}: not written, because it could not be read again: {error}") from None
        if again != ordered:
            raise DataError(f"{path}: not written, because a verdict would change; remove odd characters from its note")


def merge(*tables: Iterable[Verdict]) -> list[Verdict]:
    """Return the newest verdict for every `Verdict.key`; if two have the same date, the later one."""
    newest: dict[tuple[Round, str, str, str], Verdict] = {}
    for verdict in (verdict for table in tables for verdict in table):
        kept = newest.get(verdict.key)
        if kept is None or verdict.time >= kept.time:
            newest[verdict.key] = verdict
    return [newest[key] for key in sorted(newest)]


def latest(verdicts: Iterable[Verdict], hashes: Mapping[str, str]) -> list[Verdict]:
    """Return each reviewer's verdict on each image of one round, sorted: the one on the label, else the newest one.

    A reviewer who has judged the label has nothing to judge again, so earlier verdicts on other labels are left out.

    Args:
        verdicts: of one round.
        hashes: from `label_hashes`; empty if the labels are not known, which makes every verdict stale.
    """
    found: dict[tuple[str, str], Verdict] = {}
    for verdict in sorted(verdicts, key=lambda one: (not one.is_stale(hashes), one.time)):
        found[verdict.image_id, verdict.reviewer] = verdict
    return sorted(found.values(), key=lambda one: one.key)


def conflicts(verdicts: Iterable[Verdict]) -> list[list[Verdict]]:
    """Return the groups of verdicts on one label in which one accepts it and another rejects it."""
    groups = defaultdict(list)
    for verdict in sorted(verdicts, key=lambda verdict: verdict.key):
        groups[verdict.round, verdict.image_id, verdict.label_hash].append(verdict)
    return [group for group in groups.values() if {"accept", "reject"} <= {one.verdict for one in group}]


def label_hashes(archives: Iterable[Path]) -> dict[str, str]:
    """Return image id -> SHA-256 of the label PNG, from all archives of a round."""
    return {
        name.removesuffix(".png"): hashlib.sha256(content).hexdigest()
        for path in archives
        for name, content in Archive(path).items()
    }


def _check_header(path: Path, header: Sequence[str]) -> None:
    # without this check, a table that has lost its header would count as empty, and no label would be rejected any more
    if not header:
        raise DataError(f"{path}: an empty file; give a CSV with the header {','.join(COLUMNS)}")
    require_columns(path, header, COLUMNS)


def _verdict(row: Mapping[str | None, str | None], where: str) -> Verdict:
    missing = [name for name in COLUMNS if row.get(name) is None]
    if missing:
        raise DataError(f"{where} has no cell '{missing[0]}'; the header is {','.join(COLUMNS)}")
    if None in row:
        raise DataError(f"{where} has more cells than the header; put a note that contains a comma in double quotes")
    cells = {name: str(row[name]).strip() for name in COLUMNS}
    if not cells["image_id"]:
        raise DataError(f"{where} has no image_id; fill it in or remove the row")
    for name in ("image_id", "drop_classes"):
        if CONTROLS.search(cells[name]):
            raise DataError(f"{where}: {name} '{cells[name]}' has control characters or line breaks; remove them")
    if not re.fullmatch(r"[0-9a-f]{64}", cells["label_hash"]):
        raise DataError(f"{where}: label_hash '{cells['label_hash']}' is not a SHA-256 of 64 digits; export it again")
    if not is_round_name(cells["round"]):
        raise DataError(f"{where}: round '{cells['round']}' is not a round; write r0, r1, …")
    if cells["verdict"] not in VERDICTS:
        raise DataError(f"{where}: verdict '{cells['verdict']}' is not one of {', '.join(VERDICTS)}; write one of them")
    dropped = tuple(sorted(filter(None, map(str.strip, cells["drop_classes"].split(SEPARATOR)))))
    try:
        _parse_date(cells["date"])
    except ValueError:
        raise DataError(
            f"{where}: date '{cells['date']}' is not an ISO date; write it as 2026-01-31T12:00:00Z"
        ) from None
    return Verdict(**{name: text for name, text in cells.items() if name != "drop_classes"}, drop_classes=dropped)


def check_dropped(dropped: Iterable[str], classes: Collection[str], where: str) -> None:
    """Reject dropped classes that are not in the class table.

    Raises:
        DataError: names `where` and the first unknown class.
    """
    for name in dropped:
        if name not in classes:
            raise DataError(
                f"{where}: drop_classes contains '{name}', but the classes are {', '.join(classes)}; write one of "
                "them, or remove it"
            )


def _parse_date(text: str) -> datetime.datetime:
    if not ISO_DATE.fullmatch(text):
        raise ValueError(text)
    time = datetime.datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)


def _cell(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else SEPARATOR.join(value)
