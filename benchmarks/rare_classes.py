"""Measure `balance` where some classes are rare: the preset `own-data` on a subset in which they have few images.

    python benchmarks/rare_classes.py --data FOLDER --work FOLDER --images 200 --rare cow=10 sheep=10

Subsets are drawn as `small_sets.py` draws them, but a rare class has at most the images that --rare gives it. The
pipeline runs once for each value of `classify.balance` and `train.balance`, with one round, in clones of HEAD. The IoU
of each class (labels and model) is kept in benchmarks/rare_classes.csv, and what is kept is not run again.
"""

import argparse
import sys
from pathlib import Path

from small_sets import run_subset

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv, write_rows

RESULTS = Path(__file__).resolve().with_suffix(".csv")
COLUMNS = ("images", "subset", "rare", "balance", "round", "what", "class", "iou", "precision", "recall", "commit")


def main() -> int:
    """Run what is missing."""
    arguments = _parser().parse_args()
    limits = {name: int(most) for name, _, most in (text.partition("=") for text in arguments.rare)}
    for balance in arguments.balance:
        key = {
            "images": str(arguments.images),
            "subset": str(arguments.subset),
            "rare": " ".join(arguments.rare),
            "balance": balance,
        }
        kept = read_csv(RESULTS) if RESULTS.exists() else []
        if any(row.items() >= key.items() for row in kept):
            print(f"{balance}: kept", flush=True)
            continue
        project = arguments.work.resolve() / f"rare-{arguments.images}-{arguments.subset}-{balance}"
        settings = [f"{stage}.balance={balance}" for stage in ("classify", "train")]
        settings += ["rounds={r1: r0}", "label_rounds=[r0, r1]"]
        data, sizes = arguments.data.resolve(), (arguments.images, arguments.subset, arguments.val)
        commit = run_subset(project, data, *sizes, settings, limits)[0]["commit"]
        rows = [{**row, **key, "commit": commit} for row in read_csv(Store(project).table("classes.csv"))]
        kept = read_csv(RESULTS) if RESULTS.exists() else []
        order = ("none", "sqrt", "inverse")
        rows.sort(key=lambda row: (row["what"], Round.parse(row["round"])))
        write_rows(RESULTS, sorted([*kept, *rows], key=lambda row: (row["rare"], order.index(row["balance"]))), COLUMNS)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="as for small_sets.py")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="where the clones lie")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--subset", type=int, default=0)
    parser.add_argument("--val", type=int, default=200, help="number of val images to measure models on")
    parser.add_argument("--rare", nargs="+", required=True, metavar="CLASS=IMAGES")
    parser.add_argument("--balance", nargs="+", default=["none", "sqrt", "inverse"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
