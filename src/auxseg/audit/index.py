"""The index of the report: what the page knows about every image before it is opened.

index/base.js            classes, rounds, records, meaning of the figures, provenance
index/<round>-<split>.js one column per figure, in the order of the split's records
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from auxseg.artifacts.rounds import Round
from auxseg.audit import panels
from auxseg.audit.chunks import BASE_KINDS, CHUNK, CHUNK_PIXELS, Chunk, kinds_of, rounds_of
from auxseg.audit.figures import FIGURES, area_outliers
from auxseg.audit.sources import Sources
from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.encoded import PALETTE
from auxseg.guard.judge import slip_note
from auxseg.guard.record import read_judgements

DIGITS = 5
"""Decimals of a figure in the index; rankings need no more."""


def cut_chunks(records: Sequence[ImageRecord], sources: Sources) -> list[Chunk]:
    """Divide records into chunks of one split and shard each, so that a worker opens few files."""
    groups: dict[tuple[str, str], list[ImageRecord]] = {}
    for record in sorted(records, key=lambda record: record.id):
        groups.setdefault((record.split, shard_of(record.id, sources.shards)), []).append(record)
    pieces = [(split, piece) for (split, _), group in sorted(groups.items()) for piece in _cut(group)]
    return [Chunk(f"{number:05d}", split, piece) for number, (split, piece) in enumerate(pieces)]


def _cut(records: Iterable[ImageRecord]) -> Iterator[tuple[ImageRecord, ...]]:
    """Yield pieces of at most CHUNK images and CHUNK_PIXELS pixels; a larger image has its own."""
    piece: list[ImageRecord] = []
    pixels = 0
    for record in records:
        size = record.width * record.height
        if piece and (len(piece) == CHUNK or pixels + size > CHUNK_PIXELS):
            yield tuple(piece)
            piece, pixels = [], 0
        piece.append(record)
        pixels += size
    yield tuple(piece)


def base_index(
    dataset: str,
    chunks: Sequence[Chunk],
    sources: Sources,
    rounds: Sequence[Round],
    totals: dict[str, int],
    origin: dict[str, Any],
) -> dict[str, Any]:
    """Return the part of the index that all rounds share.

    Args:
        dataset: from `dataset_name`.
        totals: split -> images of the data set, shown or not.
        origin: from `auxseg.audit.provenance`.
    """
    columns: dict[str, dict[str, list[Any]]] = {}
    for chunk in chunks:
        split = columns.setdefault(
            chunk.split, {name: [] for name in ("id", "tags", "width", "height", "chunk", "slot", "shard")}
        )
        for slot, record in enumerate(chunk.records):
            split["id"].append(record.id)
            split["tags"].append([sources.classes.index(name) for name in record.tags])
            split["width"].append(record.width)
            split["height"].append(record.height)
            split["chunk"].append(chunk.name)
            split["slot"].append(slot)
            split["shard"].append(shard_of(record.id, sources.shards))
    return {
        "dataset": dataset,
        "classes": list(sources.classes.with_background),
        "palette": PALETTE[: len(sources.classes) + 1].tolist(),
        "changeColours": panels.CHANGE_COLOURS,
        "rounds": list(map(str, rounds)),
        "records": columns,
        "totals": totals,
        "figures": [asdict(figure) for figure in FIGURES],
        "rule": sources.rule.model_dump(),
        "sheets": {
            "cell": [panels.CELL_WIDTH, panels.CELL_HEIGHT],
            "columns": panels.SHEET_COLUMNS,
            "base": BASE_KINDS,
        },
        "kinds": {
            f"{name}-{split}": kinds_of(rounds_of(rounds, split), name, split, sources)
            for split in columns
            for name in rounds_of(rounds, split)
        },
        "provenance": origin,
        **_guard(sources, rounds),
    }


def _guard(sources: Sources, rounds: Sequence[Round]) -> dict[str, Any]:
    """Return the best round and what the first screen shows.

    That is the guard's warnings and notes, and whether masks contradict image-level labels.
    """
    judgements = read_judgements(sources.store, rounds)
    warnings = [one.warning for one in judgements if not one.good]
    wrong = sources.contradictions.message
    return {
        "best": judgements[-1].best,
        "warnings": warnings,
        "slips": [f"{note}." for one in judgements if (note := slip_note(one))],
        "contradictions": f"{wrong}." if wrong else "",
    }


def round_index(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the columns of one round and split from its rows (`ChunkJob`), in the order of the records."""
    shares = [{index: count / row["size"] for index, count in row["pixels"].items()} for row in rows]
    columns = {
        figure.key: [_round(row["figures"][figure.key]) for row in rows]
        for figure in FIGURES
        if figure.key != "outlier"
    }
    columns["outlier"] = [_round(value) for value in area_outliers(shares)]
    return {
        "figures": columns,
        **{name: [row[name] for row in rows] for name in ("label", "pixels", "missing", "untagged", "changes")},
    }


def dataset_name(records: Iterable[ImageRecord]) -> str:
    """Return a name for the data set, under which a browser stores the verdicts.

    It does not depend on the number of shards or on which images the report shows, but on every image of the data set.
    """
    digest = sha256()
    for record in sorted(records, key=lambda record: record.id):
        digest.update(f"{record.id}\0{record.sha256}\0".encode())
    return digest.hexdigest()


def _round(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else round(value, DIGITS)
