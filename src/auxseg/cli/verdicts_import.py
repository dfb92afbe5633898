"""`auxseg verdicts import`: merge the verdicts of reviewers into review/verdicts.csv."""

import argparse

from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import REPRO, print_next
from auxseg.cli.verdicts import TABLE, hashes_of, print_conflicts
from auxseg.counts import counted
from auxseg.datasets.manifest import read_classes
from auxseg.params.dag import read_params
from auxseg.review.verdicts import merge, read_verdicts, write_verdicts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files."""
    parser.description = (
        f"Merge CSV files that the report exported into {TABLE}. A second import of a file changes nothing."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=a_path, help="a CSV that the report exported")


def run(arguments: argparse.Namespace) -> None:
    """Merge the files; nothing is written if any row of any file is wrong."""
    table = Store().classes
    classes = read_classes(table).names if table.exists() else None
    rounds = read_params()["label_rounds"]
    before = read_verdicts(TABLE) if TABLE.exists() else []
    imported = [verdict for path in arguments.files for verdict in read_verdicts(path, classes, rounds)]
    after = merge(before, imported)
    write_verdicts(TABLE, after)
    keys, known = {verdict.key for verdict in before}, set(before)
    new = sum(verdict.key not in keys for verdict in after)
    changed = sum(verdict not in known for verdict in after) - new
    rows = counted(len(imported), "imported row")
    print(f"{TABLE}: {counted(len(after), 'verdict')}, {new} new, {changed} changed; of {rows}")
    stale = 0
    for name in {verdict.round for verdict in imported}:
        hashes = hashes_of(name)
        stale += sum(verdict.round == name and verdict.is_stale(hashes) for verdict in imported if hashes is not None)
    if stale:
        print(f"stale: {stale} imported rows judge labels that are not here; `auxseg verdicts status` lists them")
    print_conflicts(after)
    print_next(f"git add {TABLE} and commit it, then {REPRO}: the next round's training uses the verdicts")
