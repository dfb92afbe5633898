"""Measure how long `dvc repro` and `snakemake -n` take when there is nothing to do.

    python benchmarks/second_run.py --project FOLDER

Runs each command in a finished project and writes median, minimum and maximum of the wall and CPU seconds to
benchmarks/second_run.csv. Rejects a project in which a stage would run.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from auxseg.artifacts.tables import write_rows

TARGET = Path(__file__).resolve().parent / "second_run.csv"
COMMANDS = {
    "dvc repro": ("dvc", "repro"),
    "dvc status": ("dvc", "status"),
    "snakemake -n": ("snakemake", "-n"),
}


def main() -> None:
    """Time each command and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    rows = []
    for name, command in COMMANDS.items():
        measured = [measure(command, arguments.project) for _ in range(arguments.runs + 1)][1:]  # the first warms up
        wall, cpu = zip(*measured, strict=True)
        rows.append(
            {
                "command": name,
                "runs": arguments.runs,
                "wall_s": round(statistics.median(wall), 2),
                "wall_least_s": round(min(wall), 2),
                "wall_most_s": round(max(wall), 2),
                "cpu_s": round(statistics.median(cpu), 2),
            }
        )
        print(rows[-1], flush=True)
    write_rows(TARGET, rows)


def measure(command: tuple[str, ...], project: Path) -> tuple[float, float]:
    """Run a command; return its wall and CPU seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or "Running stage" in done.stdout or "changed" in done.stdout:
        sys.exit(f"{' '.join(command)}: the project is not finished\n{done.stdout}{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
