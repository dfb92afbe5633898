"""Everything that only a GPU can show, in one command: are results right there, how fast, and how large an image.

    python benchmarks/performance/gpu.py --to FOLDER [--released CLONE] [--minutes 8] [--parts networks steps …]
    python benchmarks/performance/gpu.py --to FOLDER --tiny     # in small, on any machine

Each part is a process of its own and leaves FOLDER/PART.csv when it is done; a part that has left one is not run again,
so a command that was stopped goes on. CLONE is the released code (benchmarks/released_network.py), which is then
measured beside this project's. For a machine without a network, gpu_bundle.py packs what it needs.

A row is (what, figure, value, bound, ok); `ok` is empty where a figure is no check. The exit code is 1 if a check or a
part fails, and 3 if the time ends before all parts are done.
"""

import argparse
import importlib
import subprocess
import sys
import time
from pathlib import Path

import torch
from timing import machine

from auxseg.artifacts.tables import read_csv, write_rows
from auxseg.models.device import prepare_device
from auxseg.params.runtime import RuntimeParams

PARTS = {
    "networks": "outputs, gradients and steps on the GPU against the CPU",
    "pipeline": "all stages twice, the same bytes; the CPU's figures; a training that is killed and goes on",
    "steps": "training steps of ResNet38, the released code's and ours, by precision",
    "rates": "images a second of train, cam, propagate and evaluate, against the bare network",
    "sizes": "the largest image before memory ends",
}


def main() -> int:
    """Run what is missing, print all rows, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--released", type=Path, metavar="CLONE")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--tiny", action="store_true", help="small networks and images")
    parser.add_argument("--one", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return run_part(arguments.one, arguments)
    arguments.to.mkdir(parents=True, exist_ok=True)
    end, codes = time.monotonic() + 60 * arguments.minutes, set()
    for part in arguments.parts:
        if not (arguments.to / f"{part}.csv").exists():
            codes.add(in_time(part, end - time.monotonic()))
    rows = [row for part in arguments.parts for row in _rows(arguments.to / f"{part}.csv")]
    for row in rows:
        print("  ".join(f"{row[name]:<{width}}" for name, width in zip(row, (56, 34, 12, 14, 3), strict=False)))
    codes |= {1} if any(row["ok"] == "no" for row in rows) else set()
    return next((code for code in (1, 3) if code in codes), 0)


def in_time(part: str, seconds: float) -> int:
    """Run one part in a process of its own; return 0, 1 if it failed, or 3 if there was no time for it."""
    print(f"{part}: {PARTS[part]}", flush=True)
    started = time.monotonic()
    try:
        code = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--one", part], timeout=max(seconds, 0.1), check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"{part}: out of time; the same command goes on here", flush=True)
        return 3
    print(f"{part}: {time.monotonic() - started:.0f} s, {'done' if code == 0 else f'exit code {code}'}", flush=True)
    return 1 if code else 0


def run_part(part: str, arguments: argparse.Namespace) -> int:
    """Measure one part in this process and write its rows."""
    device = prepare_device(RuntimeParams(threads=torch.get_num_threads()))
    rows = importlib.import_module(f"gpu_{part}").measure(device, arguments)
    write_rows(arguments.to / f"{part}.csv", [{**row, **machine(device)} for row in rows])
    return 0


def _rows(path: Path) -> list[dict[str, str]]:
    return read_csv(path) if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
