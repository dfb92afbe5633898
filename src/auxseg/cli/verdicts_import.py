"""`auxseg verdicts import`: merge the verdicts of reviewers into review/verdicts.csv."""

import argparse
from collections.abc import Collection
from pathlib import Path

from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import REPRO, print_next
from auxseg.cli.verdicts import TABLE, judged, print_conflicts
from auxseg.counts import counted
from auxseg.datasets.manifest import read_classes
from auxseg.errors import cut
from auxseg.params.dag import read_params
from auxseg.review.verdicts import Verdict, merge, read_numbered, read_verdicts, write_verdicts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files."""
    parser.description = (
        f"Merge CSV files that the report exported into {TABLE}. A second import of a file changes nothing."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=a_path, help="a CSV that the report exported")


def run(arguments: argparse.Namespace) -> None:
    """Merge the files. Nothing is written if any row is wrong; rows that cannot be used here are left out."""
    table = Store().classes
    classes = read_classes(table).names if table.exists() else None
    rounds = read_params()["label_rounds"]
    before = read_verdicts(TABLE) if TABLE.exists() else []
    imported = [verdict for path in arguments.files for verdict in _usable(path, classes, rounds)]
    after = merge(before, imported)
    write_verdicts(TABLE, after)
    keys, known = {verdict.key for verdict in before}, set(before)
    new = sum(verdict.key not in keys for verdict in after)
    changed = sum(verdict not in known for verdict in after) - new
    rows = counted(len(imported), "imported row")
    print(f"{TABLE}: {counted(len(after), 'verdict')}, {new} new, {changed} changed; of {rows}")
    found = [judged(after, name) for name in {verdict.round for verdict in after}]
    stale = len(set(imported).intersection(verdict for one in found for verdict in one.stale))
    if stale:
        print(f"stale: {stale} imported rows judge labels that are not here; `auxseg verdicts status` lists them")
    print_conflicts(verdict for one in found for verdict in one.holding)
    print_next(f"git add {TABLE} and commit it, then {REPRO}: the next round's training uses the verdicts")


def _usable(path: Path, classes: Collection[str] | None, rounds: Collection[str]) -> list[Verdict]:
    """Return the verdicts of a file without those that cannot be used here, of which it prints number and first.

    The report exports all verdicts of the browser: also those on rounds that were removed, or from before a class was
    renamed. They stay in the browser and in the file.

    Args:
        path: the file.
        classes: names that may be dropped, or None if they are not known here.
        rounds: names of the rounds.
    """
    found = read_numbered(path)
    gone = {number: verdict.round for number, verdict in found.items() if verdict.round not in rounds}
    unknown = {
        number: name
        for number, verdict in found.items()
        for name in verdict.drop_classes
        if number not in gone and classes is not None and name not in classes
    }
    for lines, why, fix in (
        (gone, f"the rounds are {', '.join(rounds)}", "set the rounds with `auxseg rounds N`"),
        (unknown, f"the classes are {', '.join(classes or ())}", "write the class's name of today into drop_classes"),
    ):
        if lines:
            number, name = next(iter(lines.items()))
            rows = counted(len(lines), "row")
            print(
                f"warning: {path}: {rows} left out, the first with '{cut(name)}' in line {number}, but {why}; {fix} "
                "and import it again"
            )
    return [verdict for number, verdict in found.items() if number not in gone and number not in unknown]
