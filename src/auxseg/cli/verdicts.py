"""`auxseg verdicts`: bring reviewers' verdicts into review/verdicts.csv, and see which still hold."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auxseg.cli.arguments import a_path

if TYPE_CHECKING:
    from auxseg.review.verdicts import Verdict

TABLE = Path("review/verdicts.csv")
CLASSES = Path("data/manifest/classes.csv")
LABELS = Path("data/labels")


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("verdicts", help="reviewers' verdicts on the pseudo labels")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    taken = actions.add_parser("import", help=f"merge exported CSV files into {TABLE}; twice is once")
    taken.add_argument("files", nargs="+", metavar="FILE", type=a_path, help="a CSV that the report exported")
    taken.set_defaults(run=run_import)
    status = actions.add_parser("status", help="count the verdicts of every round; list stale ones and disagreements")
    status.set_defaults(run=run_status)


def run_import(arguments: argparse.Namespace) -> None:
    """Merge the files; nothing is written when one row of one file is wrong."""
    from auxseg.cli.next_step import REPRO, print_next
    from auxseg.params.dag import read_params
    from auxseg.review.verdicts import merge, read_verdicts, write_verdicts

    classes, rounds = _class_names(), read_params()["label_rounds"]
    before = read_verdicts(TABLE) if TABLE.exists() else []
    imported = [verdict for path in arguments.files for verdict in read_verdicts(path, classes, rounds)]
    after = merge(before, imported)
    write_verdicts(TABLE, after)
    keys, known = {verdict.key for verdict in before}, set(before)
    new = sum(verdict.key not in keys for verdict in after)
    changed = sum(verdict not in known for verdict in after) - new
    print(f"{TABLE}: {len(after)} verdicts, {new} new, {changed} changed; of {len(imported)} imported rows")
    stale = 0
    for name in {verdict.round for verdict in imported}:
        hashes = _hashes(name)
        stale += sum(verdict.round == name and verdict.is_stale(hashes) for verdict in imported if hashes is not None)
    if stale:
        print(f"stale: {stale} imported rows judge labels that are not here; `auxseg verdicts status` lists them")
    _print_conflicts(after)
    print_next(f"git add {TABLE} and commit it, then {REPRO}: the next round's training uses the verdicts")


def run_status(arguments: argparse.Namespace) -> None:
    """Print what the next run would make of the verdicts."""
    from auxseg.params.dag import read_params
    from auxseg.review.verdicts import VERDICTS, read_verdicts

    rounds, holding = read_params()["label_rounds"], []
    verdicts = read_verdicts(TABLE)
    print(f"{'round':<8}" + "".join(f"{name:>8}" for name in (*VERDICTS, "drops", "stale")))
    for name in sorted({verdict.round for verdict in verdicts} | set(rounds), key=lambda r: int(r[1:])):
        own = [verdict for verdict in verdicts if verdict.round == name]
        counts = [sum(verdict.verdict == kind for verdict in own) for kind in VERDICTS]
        counts.append(sum(bool(verdict.drop_classes) for verdict in own))
        hashes = _hashes(name)
        if hashes is None:
            holding += own
            print(f"{name:<8}" + "".join(f"{count:>8}" for count in counts) + f"{'?':>8}  no labels here")
            continue
        stale = [verdict for verdict in own if verdict.is_stale(hashes)]
        holding += [verdict for verdict in own if not verdict.is_stale(hashes)]
        print(f"{name:<8}" + "".join(f"{count:>8}" for count in (*counts, len(stale))))
        for verdict in stale:
            why = "has changed since" if verdict.image_id in hashes else "is gone"
            print(f"  stale: {_short(verdict)}; the label {why}")
    _print_conflicts(holding)


def _hashes(name: str) -> dict[str, str] | None:
    """Return what `label_hashes` returns of a round, or None if its labels are not here."""
    from auxseg.params.dag import read_params
    from auxseg.review.verdicts import label_hashes

    archives = [LABELS / name / f"{shard}.zip" for shard in read_params()["shards"]]
    return label_hashes(archives) if all(path.exists() for path in archives) else None


def _class_names() -> Sequence[str] | None:
    from auxseg.datasets.manifest import read_classes

    return read_classes(CLASSES).names if CLASSES.exists() else None


def _print_conflicts(verdicts: Iterable["Verdict"]) -> None:
    from auxseg.review.verdicts import conflicts

    for group in conflicts(verdicts):
        print(f"disagreement: {'; '.join(_short(verdict) for verdict in group)}; one rejection rejects")


def _short(verdict: "Verdict") -> str:
    return f"{verdict.round} {verdict.image_id}: {verdict.reviewer or 'nobody'} {verdict.verdict} {verdict.date}"
