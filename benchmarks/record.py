"""Keep a finished run's figures: mIoU of every round, wall time and peak memory of every stage.

    python benchmarks/record.py voc6 --project FOLDER

Copies data/summary/{rounds,classes}.csv and params.yaml of the project, and writes stages.csv from logs/times.csv (the
last time of every instance, summed over shards; memory is the largest process), to benchmarks/<name>/.
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
    """Return a row a stage and round: seconds over its shards, and the peak memory in MB."""
    last: dict[tuple[str, str], tuple[float, float]] = {}
    for line in path.read_text().splitlines():
        stage, key, seconds, peak = line.split(",")
        last.pop((stage, key), None)  # keep the order of the last runs
        last[stage, key] = float(seconds), float(peak)
    rows: dict[tuple[str, str], dict] = {}
    for (stage, key), (seconds, peak) in last.items():
        name = key.partition("-")[0] if key.startswith("r") else ""
        row = rows.setdefault(
            (stage, name), {"stage": stage, "round": name, "instances": 0, "seconds": 0.0, "peak_mb": 0.0}
        )
        row["instances"] += 1
        row["seconds"] = round(row["seconds"] + seconds, 1)
        row["peak_mb"] = max(row["peak_mb"], peak)
    return list(rows.values())


if __name__ == "__main__":
    main()
