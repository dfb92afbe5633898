"""`auxseg audit diff`: what happened to the labels between two rounds, or between two revisions."""

import argparse
import contextlib
from collections.abc import Sequence

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import require_result
from auxseg.comparison.diff import FIGURES, ImageDiff, diff_labels, image_rows, summary_rows
from auxseg.comparison.label_set import LabelSet, round_labels
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.engines.revisions import revision_labels
from auxseg.errors import DataError, ParamsError
from auxseg.params.dag import read_params, require_round

WORKSPACE = "workspace"
"""The files on disk, as in `dvc diff`."""
SHOWN = 10
"""Number of images listed below the table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add revisions, rounds and the CSV file."""
    parser.description = "Compare one round of two git revisions, or two rounds. Nothing is checked out."
    parser.add_argument("revisions", nargs="*", metavar="REV", help=f"one or two; default for the second: {WORKSPACE}")
    parser.add_argument("--round", metavar="rN", help="round to compare; default: the last one")
    parser.add_argument("--rounds", nargs=2, metavar="rN", help="compare two rounds on disk (or of one revision)")
    parser.add_argument("--csv", type=a_path, metavar="FILE", help="also write one row per image and class")


def run(arguments: argparse.Namespace) -> None:
    """Print the summary and the images that differ most; write the CSV."""
    if arguments.csv and arguments.csv.is_dir():
        raise DataError(f"--csv {arguments.csv}: a folder; give the name of a file")
    sides = _sides(arguments)
    if any(revision == WORKSPACE for revision, _ in sides):
        require_result(Store().classes)
    with contextlib.ExitStack() as stack:
        (first, before), (second, after) = (
            (f"{revision} {name}", stack.enter_context(_labels(revision, name))) for revision, name in sides
        )
        names, diffs = diff_labels(before, after)
    print(f"labels, pixels: {first} -> {second}\n")
    print(format_summary(summary_rows(names, diffs)), end="")
    print(format_images(diffs), end="")
    if arguments.csv:
        write_rows(arguments.csv, image_rows(names, diffs), ("image_id", "state", "class", *FIGURES))
        print(f"\n{arguments.csv}: a row for every image and class")


def format_summary(rows: Sequence[dict[str, object]]) -> str:
    """Return the rows of `summary_rows` as text."""
    columns = list(rows[0])[1:]
    width = max(len(str(row["class"])) for row in rows) + 2
    lines = ["class".ljust(width) + "".join(f"{name:>14}" for name in columns)]
    lines += [str(row["class"]).ljust(width) + "".join(f"{row[name]:>14}" for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def format_images(diffs: Sequence[ImageDiff]) -> str:
    """Return the images with the most differing pixels as text; empty if no pixel differs."""
    worst = sorted((diff for diff in diffs if diff.differing), key=lambda diff: (-diff.differing, diff.image_id))
    lines = [f"{diff.differing:>14}  {diff.image_id}{_remark(diff.state)}" for diff in worst[:SHOWN]]
    return "\n".join(["", f"most differing of {counted(len(diffs), 'image')}, pixels:", *lines, ""]) if worst else ""


def _remark(state: str) -> str:
    return {"both": "", "resized": " (another size)"}.get(state, f" (only {state})")


def _sides(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """Return revision and round of both sides."""
    revisions = arguments.revisions
    if arguments.rounds:
        if len(revisions) > 1 or arguments.round:
            raise ParamsError("--rounds: compares two rounds of one revision; leave --round and the second REV out")
        return [(revisions[0] if revisions else WORKSPACE, name) for name in arguments.rounds]
    if not 1 <= len(revisions) <= 2:
        raise ParamsError("auxseg audit diff: name one or two revisions, or two rounds with --rounds")
    rounds = read_params()["label_rounds"]
    if set(revisions) <= set(rounds):
        raise ParamsError(f"{revisions[0]}: is a round, not a revision; write --rounds rN rM")
    name = arguments.round or rounds[-1]
    return [(revision, name) for revision in (*revisions, WORKSPACE)[:2]]


def _labels(revision: str, round_name: str) -> contextlib.AbstractContextManager[LabelSet]:
    if revision != WORKSPACE:
        return revision_labels(revision, round_name)
    require_round(round_name)
    return contextlib.nullcontext(round_labels(Dataset(Store()), Round.parse(round_name)))
