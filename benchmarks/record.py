"""Keep a finished run's figures: mIoU of every round, wall time, CPU time and peak memory of every stage.

    python benchmarks/record.py voc6 --project FOLDER

Copies data/summary/{rounds,classes}.csv and params.yaml of the project, and writes stages.csv from logs/times.csv (the
last run of every instance, times summed over shards; memory is the largest process), to benchmarks/<name>/.
"""

import argparse
import shutil
from pathlib import Path

from auxseg.artifacts.tables import write_rows

RESULTS = Path(__file__).resolve().parent


def main() -> None:
    """Copy the tables and sum up the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--project", type=Path, default=Path())
    arguments = parser.parse_args()
    target = RESULTS / arguments.name
    target.mkdir(exist_ok=True)
    for name in ("data/summary/rounds.csv", "data/summary/classes.csv", "params.yaml"):
        shutil.copy(arguments.project / name, target)
    write_rows(target / "stages.csv", stage_costs(arguments.project / "logs/times.csv"))


def stage_costs(path: Path) -> list[dict]:
    """Return a row a stage and round: seconds of wall and CPU time over its shards, and the peak memory in MB."""
    last: dict[tuple[str, str], tuple[float, float, float]] = {}
    for line in path.read_text().splitlines():
        stage, key, seconds, cpu_seconds, peak = line.split(",")
        last.pop((stage, key), None)  # keep the order of the last runs
        last[stage, key] = float(seconds), float(cpu_seconds), float(peak)
    rows: dict[tuple[str, str], dict] = {}
    for (stage, key), (seconds, cpu_seconds, peak) in last.items():
        name = key.partition("-")[0] if key.startswith("r") else ""
        new = {"stage": stage, "round": name, "instances": 0, "seconds": 0.0, "cpu_seconds": 0.0, "peak_mb": 0.0}
        row = rows.setdefault((stage, name), new)
        row["instances"] += 1
        row["seconds"] = round(row["seconds"] + seconds, 1)
        row["cpu_seconds"] = round(row["cpu_seconds"] + cpu_seconds, 1)
        row["peak_mb"] = max(row["peak_mb"], peak)
    return list(rows.values())


if __name__ == "__main__":
    main()
