"""How the benchmarks of speed measure: repeated calls after a warm-up, their median and spread, a row each.

A time says something only beside another one of the same run, because machines differ and are shared: each program
measures what it compares in turns, and writes ratios.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from auxseg.artifacts.tables import read_csv, write_rows
from auxseg.models.device import processor

RESULTS = Path(os.environ.get("AUXSEG_BENCHMARKS") or Path(__file__).resolve().parent)
"""The folder of the tables: that of the committed ones, or another one."""


class Timing(NamedTuple):
    """Seconds of n calls, after one that does not count."""

    median: float
    low: float
    high: float
    cpu: float
    """CPU seconds of a call, the mean."""
    n: int

    def columns(self) -> dict[str, Any]:
        """Return the columns of a row."""
        return {
            "n": self.n,
            "seconds": round(self.median, 5),
            "low": round(self.low, 5),
            "high": round(self.high, 5),
            "cpu_seconds": round(self.cpu, 5),
        }


def timed(function: Callable[[], object], n: int, device: torch.device | None = None) -> Timing:
    """Call a function once, and then n times with a clock; on a GPU a call ends when the GPU has finished."""

    def call() -> None:
        function()
        if device is not None and device.type == "cuda":
            torch.cuda.synchronize(device)

    call()
    times, cpu = [], time.process_time()
    for _ in range(n):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return Timing(statistics.median(times), min(times), max(times), (time.process_time() - cpu) / n, n)


def machine(device: torch.device) -> dict[str, Any]:
    """Return the columns that say where a row was measured."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    return {"machine": name, "threads": torch.get_num_threads(), "torch": torch.__version__}


def keep(path: Path, rows: list[dict[str, Any]], key: tuple[str, ...]) -> None:
    """Print rows and add them to a CSV; they replace older rows with the same values in the columns of `key`."""
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    new = {tuple(str(row[name]) for name in key) for row in rows}
    old = read_csv(path) if path.exists() else []
    write_rows(path, [row for row in old if tuple(row[name] for name in key) not in new] + rows)
