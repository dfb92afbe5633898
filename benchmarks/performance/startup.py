"""Seconds until each stage's script has imported what it needs, and what torch and the default backbone take of them.

    python benchmarks/performance/startup.py [--n 3]

Programs are started in turns, with --help for the stages; each figure is the smallest, because a disturbance only adds.
Rows are added to benchmarks/performance/startup.csv.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from timing import RESULTS, keep, machine

ROOT = Path(__file__).resolve().parents[2]
BUILD = """
from auxseg.models.backbones import build_backbone
from auxseg.params.backbone import BackboneParams
build_backbone(BackboneParams(weights="random"), pretrained=False)
"""


def programs() -> dict[str, list[str]]:
    """Return what is started, by name."""
    stages = sorted((ROOT / "workflow/stages").glob("*.py"))
    return {
        "Python alone": ["-c", ""],
        "torch": ["-c", "import torch"],
        "torch and the default backbone": ["-c", BUILD],
        **{f"stage {path.stem}": [str(path), "--help"] for path in stages},
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=3)
    arguments = parser.parse_args()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs()}
    for turn in range(arguments.n + 1):
        for name, command in programs().items():
            started, before = time.perf_counter(), os.times()
            subprocess.run([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            seconds, after = time.perf_counter() - started, os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            if turn:  # the first one reads files that are not in memory yet
                times[name].append((seconds, cpu))
    rows: list[dict[str, Any]] = [
        {
            "program": name,
            **machine(torch.device("cpu")),
            "n": arguments.n,
            "seconds": round(min(seconds for seconds, _ in found), 2),
            "cpu_seconds": round(min(cpu for _, cpu in found), 2),
        }
        for name, found in times.items()
    ]
    keep(RESULTS / "startup.csv", rows, ("program", "machine"))


if __name__ == "__main__":
    main()
