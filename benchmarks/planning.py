"""Measure two parts of planning: auxseg's implementation and DVC's own.

    python benchmarks/scale.py --work FOLDER --images 1000 --shards 24 --to FILE     a project whose stages all ran
    nice -n 19 python benchmarks/planning.py FOLDER/project                          a row of benchmarks/planning.csv

It measures CPU seconds, which a busy machine does not change. Each part is in auxseg.engines only because it is faster;
one that saves less than a second at 400 instances should be removed.
"""

import argparse
import csv
import os
import time
from collections.abc import Callable
from pathlib import Path

from auxseg.engines.dvc_internals import is_params, lock_repo, open_repo
from auxseg.engines.receipts import read_params_file
from auxseg.engines.restore import needed_stages
from auxseg.engines.states import is_changed

RESULTS = Path(__file__).resolve().with_suffix(".csv")


def seconds(function: Callable[[], object]) -> float:
    """Return the CPU seconds that a call takes."""
    started = time.process_time()
    function()
    return round(time.process_time() - started, 2)


def measure() -> dict[str, float]:
    """Measure the project in the current folder."""
    with open_repo() as repo, lock_repo(repo):
        row = {"load, DVC alone": seconds(lambda: repo.index.stages)}
        stages, params = repo.index.stages, read_params_file()
        parameters = [dependency for stage in stages for dependency in stage.deps if is_params(dependency)]
        row |= {
            "edges": seconds(lambda: needed_stages(stages)),
            "edges, DVC": seconds(lambda: repo.index.graph),
            "changes": seconds(lambda: [is_changed(stage, params, {}) for stage in stages]),
            "parameters of the changes, DVC": seconds(lambda: [one.status() for one in parameters]),
            "changes, DVC": seconds(lambda: [stage.status() for stage in stages]),
        }
    return {"instances": len(stages), **row}


def main() -> None:
    """Measure a project and add the row to the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    os.chdir(parser.parse_args().project)
    row = measure()
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, list(row), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
