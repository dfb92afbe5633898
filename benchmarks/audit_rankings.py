"""Compare the report's rankings: how well does each find bad labels, judged by their IoU with the masks?

    python benchmarks/audit_rankings.py --report data/audit --round r1

For every figure of the report, over the train images with a mask: Spearman's rank correlation with the IoU; mean IoU of
the ten images ranked first; how many of the first hundred are among the hundred lowest IoUs. Writes
benchmarks/audit/rankings.csv, or the file of --to (rankings_best.csv is that of `auxseg-best`).
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from auxseg.artifacts.tables import write_rows
from auxseg.audit.ranking import SMALLEST_FIRST
from auxseg.audit.scripts import read_data_script

RESULTS = Path(__file__).resolve().parent / "audit"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, default=Path("data/audit"))
    parser.add_argument("--round", default="r1")
    parser.add_argument("--to", type=Path, default=RESULTS / "rankings.csv", metavar="CSV")
    arguments = parser.parse_args()
    index = read_data_script(arguments.report / f"index/{arguments.round}-train.js")
    figures = {name: np.array(column, float) for name, column in index["figures"].items()}
    iou = figures.pop("iou")
    known = np.isfinite(iou)
    rows = [{"figure": "all images", "spearman": None, "first_10_iou": iou[known].mean(), "of_worst_100": None}]
    for name, values in figures.items():
        finite = values[np.isfinite(values)]
        if finite.size and finite.min() < finite.max():
            rows.append({"figure": name, **rank(-values if name in SMALLEST_FIRST else values, iou, known)})
    write_rows(arguments.to, sorted(rows, key=lambda row: row["first_10_iou"]))
    print(arguments.to.read_text())


def rank(suspicion: np.ndarray, iou: np.ndarray, known: np.ndarray) -> dict:
    """Compare one ranking, largest first, with the IoU."""
    used = np.flatnonzero(known & np.isfinite(suspicion))
    order = used[np.argsort(-suspicion[used], kind="stable")]
    worst = used[np.argsort(iou[used], kind="stable")][:100]
    return {
        "spearman": float(spearmanr(suspicion[used], iou[used]).statistic),
        "first_10_iou": float(iou[order[:10]].mean()),
        "of_worst_100": int(np.isin(order[:100], worst).sum()),
    }


if __name__ == "__main__":
    main()
