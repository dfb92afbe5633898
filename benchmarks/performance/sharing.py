"""A training alone and beside another one on the same cores, by how torch's threads wait for each other.

    python benchmarks/performance/sharing.py [--threads 2]

Run it on a machine whose cores are --threads. Without a setting, threads spin until the others are done, also while one
of the others waits for a core that is spinning. Rows are added to benchmarks/performance/sharing.csv; `alone` and
`beside` are ratios to torch's default alone, and a fair share of two is 2.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from timing import RESULTS, keep, machine

SETTINGS: dict[str, dict[str, str]] = {
    "torch's default": {"GOMP_SPINCOUNT": "300000"},  # what libgomp takes without any setting
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "1,000 spins": {"GOMP_SPINCOUNT": "1000"},
    "10,000 spins (auxseg's)": {"GOMP_SPINCOUNT": "10000"},  # named, because steps.py imports torch first
    "100,000 spins": {"GOMP_SPINCOUNT": "100000"},
}
STEP = Path(__file__).with_name("steps.py")


def main() -> None:
    """Measure each setting alone and beside itself, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--n", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    alone: dict[str, list[float]] = {name: [] for name in SETTINGS}
    beside: dict[str, list[float]] = {name: [] for name in SETTINGS}
    for _ in range(arguments.turns):
        for name, setting in SETTINGS.items():
            alone[name] += seconds(1, setting, arguments.threads, arguments.n)
            beside[name] += seconds(2, setting, arguments.threads, arguments.n)
    torch.set_num_threads(arguments.threads)
    base = statistics.median(alone["torch's default"])
    rows: list[dict[str, Any]] = [
        {
            "setting": name,
            **machine(torch.device("cpu")),
            "n": arguments.n,
            "turns": arguments.turns,
            "seconds_alone": round(statistics.median(alone[name]), 3),
            "seconds_beside": round(statistics.median(beside[name]), 3),
            "alone": round(statistics.median(alone[name]) / base, 3),
            "beside": round(statistics.median(beside[name]) / base, 3),
        }
        for name in SETTINGS
    ]
    keep(RESULTS / "sharing.csv", rows, ("setting", "machine", "threads"))


def seconds(processes: int, setting: dict[str, str], threads: int, n: int) -> list[float]:
    """Return the median seconds of a step in each of some processes that run at once."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    command = [sys.executable, str(STEP), "--one", "efficientnet_lite0", "float32"]
    command += ["--threads", str(threads), "--n", str(n)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**environment, **setting})
        for _ in range(processes)
    ]
    printed = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("a step failed; its message is above")
    return [float(json.loads(text.splitlines()[-1])["seconds"]) for text in printed]


if __name__ == "__main__":
    main()
