"""The demo at another commit and at this one, in turns: wall and CPU seconds of every stage.

    python benchmarks/performance/stages.py --against COMMIT --work FOLDER [--turns 1]

Both run by `dvc repro` in clones below --work, with this environment's packages; stages that are in one of them only
are left out. Rows are written to benchmarks/performance/stages.csv: the smallest of the turns, because a disturbance
only adds. A clone that has run already, in a killed run of this program, is not run again.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas
import torch
from timing import RESULTS, keep, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from clones import call, clone, head
from record import stage_costs

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the turns, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", required=True, metavar="COMMIT")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--turns", type=int, default=1)
    arguments = parser.parse_args()
    costs: dict[str, list[pandas.DataFrame]] = {"before": [], "now": []}
    for turn in range(arguments.turns):
        for name, commit in (("before", arguments.against), ("now", head(ROOT))):
            costs[name].append(run_demo(arguments.work / f"{name}{turn}", commit))
    before, now = (least(costs[name]) for name in ("before", "now"))
    stages = [stage for stage in now.index if stage in before.index]
    where = machine(torch.device("cpu"))
    rows = [row(stage, before.loc[stage], now.loc[stage], where) for stage in stages]
    rows.append(row("all of these", before.loc[stages].sum(), now.loc[stages].sum(), where))
    keep(RESULTS / "stages.csv", rows, ("stage", "machine"))


def run_demo(folder: Path, commit: str) -> pandas.DataFrame:
    """Return wall and CPU seconds of every stage of the demo at a commit, summed over rounds and shards."""
    clone(ROOT, folder, commit)
    times = folder / "logs/times.csv"
    if not (times.exists() and "audit" in times.read_text()):  # the last stage
        call(folder, "-m", "dvc", "repro", log=folder.with_suffix(".log"))
    return stage_costs(times).groupby("stage", sort=False)[["seconds", "cpu_seconds"]].sum()


def least(turns: list[pandas.DataFrame]) -> pandas.DataFrame:
    """Return the smallest value of each cell."""
    return pandas.concat(turns).groupby(level=0, sort=False).min()


def row(stage: str, before: pandas.Series, now: pandas.Series, where: dict[str, Any]) -> dict[str, Any]:
    """Return the row of one stage."""
    return {
        "stage": stage,
        **where,
        "seconds_before": round(before["seconds"], 1),
        "seconds": round(now["seconds"], 1),
        "ratio": round(now["seconds"] / before["seconds"], 2),
        "cpu_before": round(before["cpu_seconds"], 1),
        "cpu": round(now["cpu_seconds"], 1),
        "cpu_ratio": round(now["cpu_seconds"] / before["cpu_seconds"], 2),
    }


if __name__ == "__main__":
    main()
