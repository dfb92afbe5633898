"""`auxseg quality`: what IoU the labels of each round can be expected to have, without masks."""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.arguments import a_path, whole_number
from auxseg.cli.next_step import REPRO, require_result, require_run
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError
from auxseg.metrics.expected import Overlap
from auxseg.params.dag import read_params, require_round
from auxseg.quality import Expected, QualityJob, expected_iou, measure

MEAN = "mean"
MOST = 10
"""Images that are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the round, the length of the list, and the file."""
    parser.add_argument("--round", metavar="rN", help="only this round; default: all that have labels")
    parser.add_argument(
        "--worst",
        type=whole_number(999_999, least=0),
        default=MOST,
        metavar="N",
        help=f"labels of the last round to list; default: {MOST}",
    )
    parser.add_argument("--to", type=a_path, metavar="FILE.csv", help="write the expected IoU of every label there")


def run(arguments: argparse.Namespace) -> None:
    """Print the expected IoU of every class and round, and the labels of the last round with the lowest one.

    Raises:
        ParamsError: there is no such round.
        DataError: it has not run yet, an artifact is damaged, or the file cannot be written.
    """
    store, names, to = Store(), read_params()["label_rounds"], arguments.to
    if to is not None and (to.suffix != ".csv" or to.is_dir() or not to.parent.is_dir()):
        raise DataError(f"--to {to}: give the name of a file that ends with .csv, in a folder that exists")
    if arguments.round is not None:
        require_round(arguments.round)
        names = [arguments.round]
    rounds = [Round.parse(name) for name in names]
    require_run()
    dataset = Dataset(store)
    records = dataset.records("train")
    if not records:
        raise DataError(f"{store.manifest_of('train')}: has no training images; run `{REPRO}`, which writes it again")
    missing = {round_: _missing(store, dataset, round_) for round_ in rounds}
    made = [round_ for round_, paths in missing.items() if not paths]
    if not made:
        require_result(missing[rounds[0]][0])
    overlaps = {round_: measure(QualityJob.of(dataset, round_), records, f"quality {round_}") for round_ in made}
    print(format_table(dataset.classes.with_background, {str(name): expected_iou(overlaps[name]) for name in made}))
    rows = image_rows(records, overlaps)
    worst = [row for row in rows if row["round"] == str(made[-1])][: arguments.worst]
    if worst:
        print(f"labels of {made[-1]} with the lowest expected IoU, per cent, mean of their classes")
        print("".join(f"{row['expected_iou']:>6} {row['id']}\n" for row in worst))
    if to is not None:
        write_rows(to, rows)
        print(f"{to}: {counted(len(rows), 'label')}")


def _missing(store: Store, dataset: Dataset, round_: Round) -> list[Path]:
    """Return the files of a round that are not there yet."""
    shards = dataset.shards
    paths = [file(round_, shard) for file in (store.labels, store.saliency_labels, store.maps) for shard in shards]
    return [path for path in paths if not path.is_file()]


def format_table(classes: Sequence[str], rounds: Mapping[str, tuple[Sequence[Expected], Expected]]) -> str:
    """Return one line for every class and one for their mean, a column for every round, in per cent."""
    width = max(map(len, [*classes, MEAN])) + 2
    lines = ["expected IoU, per cent (90 % interval over images; no mask is read: docs/audit.md)"]
    lines.append(" " * width + "".join(f"{name:>22}" for name in rounds))
    columns = ([*each, mean] for each, mean in rounds.values())
    for name, *found in zip([*classes, MEAN], *columns, strict=True):
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
