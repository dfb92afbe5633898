"""`auxseg quality`: what IoU the labels of each round can be expected to have, without masks."""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.next_step import require_result, require_run
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.metrics.expected import Overlap
from auxseg.params.dag import read_params, require_round
from auxseg.quality import Expected, QualityJob, expected_iou, measure

MEAN = "mean"
MOST = 10
"""Images that are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the round, the length of the list, and the file."""
    parser.add_argument("--round", metavar="rN", help="only this round; default: all that have labels")
    parser.add_argument("--worst", type=int, default=MOST, metavar="N", help=f"labels to list; default: {MOST}")
    parser.add_argument("--to", type=Path, metavar="FILE.csv", help="write the expected IoU of every label there")


def run(arguments: argparse.Namespace) -> None:
    """Print the expected IoU of every class and round, and the labels of the last round with the lowest one.

    Raises:
        ParamsError: there is no such round.
        DataError: it has not run yet, or an artifact is damaged.
    """
    store, names = Store(), read_params()["label_rounds"]
    if arguments.round is not None:
        require_round(arguments.round)
        names = [arguments.round]
    rounds = [Round.parse(name) for name in names]
    require_run()
    dataset = Dataset(store)
    records = dataset.records("train")
    shards = {round_: [store.labels(round_, shard) for shard in dataset.shards] for round_ in rounds}
    made = [round_ for round_ in rounds if all(path.is_file() for path in shards[round_])]
    if not made:
        require_result(next(path for path in shards[rounds[0]] if not path.is_file()))
    overlaps = {round_: measure(QualityJob.of(dataset, round_), records, f"quality {round_}") for round_ in made}
    print(format_table(dataset.classes.with_background, {str(name): expected_iou(overlaps[name]) for name in made}))
    rows = image_rows(records, overlaps)
    for row in [row for row in rows if row["round"] == str(made[-1])][: arguments.worst]:
        print(f"{row['round']:>4} {row['expected_iou']:>6} {row['id']}")
    if arguments.to is not None:
        write_rows(arguments.to, rows)
        print(f"{arguments.to}: {len(rows)} labels")


def format_table(classes: Sequence[str], rounds: Mapping[str, tuple[Sequence[Expected], Expected]]) -> str:
    """Return one line for every class and one for their mean, a column for every round, in per cent."""
    width = max(map(len, [*classes, MEAN])) + 2
    lines = ["expected IoU, per cent (90 % interval over images; no mask is read: docs/audit.md)"]
    lines.append(" " * width + "".join(f"{name:>22}" for name in rounds))
    for number, name in enumerate([*classes, MEAN]):
        found = (mean if name == MEAN and number == len(classes) else each[number] for each, mean in rounds.values())
        lines.append(name.ljust(width) + "".join(f"{_cell(one):>22}" for one in found))
    return "\n".join(lines) + "\n"


def image_rows(records: Sequence[ImageRecord], overlaps: Mapping[Round, Sequence[Overlap]]) -> list[dict[str, object]]:
    """Return a row for each round and label: round, id, expected IoU in per cent; the lowest of a round first."""
    return [
        {"round": str(round_), "id": record.id, "expected_iou": round(100 * value, 2)}
        for round_, found in overlaps.items()
        for value, record in sorted(
            ((overlap.mean(), record) for overlap, record in zip(found, records, strict=True)),
            key=lambda pair: (pair[0], pair[1].id),
        )
    ]


def _cell(expected: Expected) -> str:
    if math.isnan(expected.iou):
        return "-"
    return "{:.1f} ({:.1f} to {:.1f})".format(*(100 * value for value in expected))
