"""Every stage at 250, 1,000, 4,000 and 16,000 images: does time grow in proportion, and does memory stay?

    python benchmarks/performance/growth.py --work FOLDER [--counts 250 1000 4000 16000]

Tiny scenes (64 pixels), the preset `smoke`, one round, a shard for every 1,000 images; both trainings have 25 steps
whatever the number of images, so that what grows there is what a step does not need. Each count is a clone below --work
that runs by `dvc repro`; one that has run already is not run again. Rows are added to benchmarks/performance/growth.csv
as they are measured, and the plot docs/images/growth.svg is drawn from it.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from timing import RESULTS, keep, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from clones import call, clone, head
from record import stage_costs

from auxseg.artifacts.tables import read_csv
from auxseg.params.overrides import override
from auxseg.params.presets import find_preset, read_preset
from auxseg.params.template import render

ROOT = Path(__file__).resolve().parents[2]
PLOT = ROOT / "docs/images/growth.svg"
SHARD = 1000
"""Images per shard."""
STEPS = {"epochs": None, "steps": 25}


def main() -> None:
    """Run each count, keep its rows, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--counts", type=int, nargs="*", default=[250, 1000, 4000, 16000])
    arguments = parser.parse_args()
    for count in arguments.counts:
        keep(RESULTS / "growth.csv", run(arguments.work / str(count), count), ("images", "stage", "machine"))
    draw(read_csv(RESULTS / "growth.csv"), PLOT)


def run(folder: Path, count: int) -> list[dict[str, Any]]:
    """Return a row for each stage of a run with `count` training images."""
    clone(ROOT, folder, head(ROOT))
    times = folder / "logs/times.csv"
    if not (times.exists() and "audit" in times.read_text()):  # the last stage
        (folder / "params.yaml").write_text(params(count))
        call(folder, "-m", "auxseg.cli.main", "scan", log=folder.with_suffix(".log"))
        call(folder, "-m", "dvc", "repro", log=folder.with_suffix(".log"))
    costs = (
        stage_costs(times)
        .groupby("stage", sort=False)
        .agg(
            instances=("instances", "sum"),
            seconds=("seconds", "sum"),
            cpu=("cpu_seconds", "sum"),
            peak=("peak_mb", "max"),
        )
    )
    where = machine(torch.device("cpu"))
    return [
        {
            "images": count,
            "stage": stage,
            **where,
            "instances": cost["instances"],
            "seconds": round(cost["seconds"], 1),
            "cpu_seconds": round(cost["cpu"], 1),
            "peak_mb": round(cost["peak"]),
        }
        for stage, cost in costs.iterrows()
    ]


def params(count: int) -> str:
    """Return the text of params.yaml for `count` training images, and a twentieth as many val images."""
    values = override(
        read_preset(find_preset("smoke", ROOT / "params/presets")),
        {
            "shards": max(1, count // SHARD),
            "data": {"scenes": {"train": count, "val": count // 20, "side": 64}},
            "classify": {**STEPS, "augment": {"crop": 64, "resize_long": [64, 80]}},
            "train": {**STEPS, "augment": {"crop": 64}},
        },
        "growth",
    )
    return render(values, f"growth at {count} images")


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw seconds and peak memory of each stage over the number of images."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for one in axes:
        one.set_prop_cycle(color=plt.get_cmap("tab20").colors)
    for stage in dict.fromkeys(row["stage"] for row in rows):
        _line(axes[0], rows, stage, "seconds")
        _line(axes[1], rows, stage, "peak_mb")
    axes[0].set(title="wall time of all instances", ylabel="seconds", yscale="log")
    axes[1].set(title="largest process", ylabel="MB", ylim=(0, None))
    counts = sorted({int(row["images"]) for row in rows})
    axes[0].plot(counts, [0.02 * count for count in counts], "k:", label="in proportion")
    for one in axes:
        one.set(xscale="log", xlabel="training images", xticks=counts, xticklabels=[f"{count:,}" for count in counts])
        one.minorticks_off()
        one.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def _line(axes: Axes, rows: list[dict[str, Any]], stage: str, column: str) -> None:
    of_stage = sorted((int(row["images"]), float(row[column])) for row in rows if row["stage"] == stage)
    axes.plot(*zip(*of_stage, strict=True), marker=".", label=stage)


if __name__ == "__main__":
    main()
