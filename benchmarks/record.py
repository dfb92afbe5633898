"""Store a finished run's figures: mIoU of every round, wall time, CPU time and peak memory of every stage.

    python benchmarks/record.py voc6 --project FOLDER

Copies data/summary/{rounds,classes}.csv and params.yaml of the project, and writes stages.csv from logs/times.csv (the
last run of every instance, times summed over shards; memory is the largest process), to benchmarks/<name>/.
"""

import argparse
import shutil
from pathlib import Path

import pandas

from auxseg.artifacts.frames import write_frame
from auxseg.artifacts.store import Store

RESULTS = Path(__file__).resolve().parent


def main() -> None:
    """Copy the tables and sum up the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--project", type=Path, default=Path())
    arguments = parser.parse_args()
    target = RESULTS / arguments.name
    target.mkdir(exist_ok=True)
    store = Store(arguments.project)
    for path in (store.table("rounds.csv"), store.table("classes.csv"), store.path("params.yaml")):
        shutil.copy(path, target)
    write_frame(target / "stages.csv", stage_costs(arguments.project / "logs/times.csv"))


def stage_costs(path: Path) -> pandas.DataFrame:
    """Return one row per stage and round: seconds of wall and CPU time over its shards, and the peak memory in MB."""
    columns = ["stage", "key", "seconds", "cpu_seconds", "peak_mb"]
    times = pandas.read_csv(path, names=columns, dtype={"key": str}, keep_default_na=False)
    times = times.drop_duplicates(["stage", "key"], keep="last")
    times["round"] = times["key"].str.extract(r"^(r\d+)", expand=False).fillna("")
    costs = times.groupby(["stage", "round"], sort=False).agg(
        instances=("key", "count"),
        seconds=("seconds", "sum"),
        cpu_seconds=("cpu_seconds", "sum"),
        peak_mb=("peak_mb", "max"),
    )
    return costs.round(1).reset_index()


if __name__ == "__main__":
    main()
