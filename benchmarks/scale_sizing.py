"""Disk, jobs and hours of large data sets, reckoned from measured bytes and rates: the tables of docs/scale.md.

    python benchmarks/scale_sizing.py

Bytes of an image and rates of CPU stages are those of benchmarks/voc6, scaled by the number of pixels; rates of GPU
stages are assumptions. Writes benchmarks/scale_sizing.csv.
"""

import csv
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).resolve().with_suffix(".csv")
ROUNDS = 4
GPUS = (8, 64, 256)
CPUS_A_GPU = 8
"""Assumption: cores beside a GPU in its node."""
MOST_GPUS_A_TRAINING = 32
"""Assumption: with 8 images a GPU, a larger global batch than 256 no longer trains the same network."""
EFFICIENCY = 0.85
"""Assumption: of data-parallel training over several nodes."""
EPOCHS = {"classify": 15, "train": 10}

GPU_RATES = {"classify": 40.0, "cam": 10.0, "train": 30.0, "propagate": 60.0, "evaluate": 4.0}
"""Assumption: images a second on one GPU of the A100's class, ResNet-38-sized network, crop 321, bfloat16; `cam` and
`evaluate` look at every image at several scales and mirrored."""
CPU_SECONDS = {"saliency": 0.48, "labels": 0.064, "score": 0.021}
"""Measured (benchmarks/voc6/stages.csv): seconds an image of 500 x 375 pixels on one core."""
BYTES_ONCE = {"saliency": 10_256, "maps r0": 837, "labels r0": 2_266, "saliency_labels r0": 10_323}
BYTES_A_ROUND = {"maps": 2_583, "labels": 2_448, "saliency_labels": 8_791}
"""Measured (voc6): bytes an image; of labels and of maps r0, a train image."""
MODEL_BYTES = 500e6
"""Of one round's ResNet-38 and its heads, float32; voc6's EfficientNet-Lite0 has 28 MB."""


class DataSet(NamedTuple):
    """What is reckoned: images, their pixels relative to 500 x 375, and shards."""

    name: str
    train: int
    val: int
    pixels: float
    shards: int

    @property
    def images(self) -> int:
        """All images."""
        return self.train + self.val


DATA_SETS = (DataSet("COCO", 82_081, 40_137, 1.64, 64), DataSet("one million", 1_000_000, 50_000, 1.64, 256))


def instances(data: DataSet) -> int:
    """Return the number of stage instances of the DAG."""
    sharded = 2 + 2 * (ROUNDS + 1) + ROUNDS  # saliency, cam; labels, score; propagate
    single = 5 + (ROUNDS + 1) + 2 * ROUNDS  # code, prepare, classify, summary, audit; review; train, evaluate
    return sharded * data.shards + single


def gigabytes(data: DataSet) -> dict[str, float]:
    """Return the size of every artifact over all rounds, GB."""
    of = {"saliency": data.images, "maps": data.images}
    sizes = {name: size * of.get(name, data.train) * data.pixels for name, size in BYTES_ONCE.items()}
    for name, size in BYTES_A_ROUND.items():
        sizes[f"{name}, rounds"] = ROUNDS * size * of.get(name, data.train) * data.pixels
    sizes["models"] = (ROUNDS + 1) * MODEL_BYTES
    return {name: size / 1e9 for name, size in sizes.items()}


def hours(data: DataSet, gpus: int) -> dict[str, float]:
    """Return the hours of every stage over all rounds, if its jobs fill the cluster."""
    workers = min(gpus, data.shards)
    cores = min(CPUS_A_GPU * gpus, data.shards * CPUS_A_GPU)
    trained_on = min(gpus, MOST_GPUS_A_TRAINING)
    train_rate = trained_on * (EFFICIENCY if trained_on > 8 else 1.0)
    looked_at = {"saliency": data.images, "labels": ROUNDS * data.train, "score": (ROUNDS + 1) * data.train}
    seconds = {name: count * data.pixels * CPU_SECONDS[name] / cores for name, count in looked_at.items()}
    seconds["classify"] = EPOCHS["classify"] * data.train / (GPU_RATES["classify"] * train_rate)
    seconds["train"] = ROUNDS * EPOCHS["train"] * data.train / (GPU_RATES["train"] * train_rate)
    seconds["cam"] = data.train * data.pixels / GPU_RATES["cam"] / workers
    seconds["propagate"] = ROUNDS * data.images * data.pixels / GPU_RATES["propagate"] / workers
    # one job a round, and the rounds may be evaluated beside each other
    seconds["evaluate"] = data.val * data.pixels / GPU_RATES["evaluate"]
    return {name: value / 3600 for name, value in seconds.items()}


def main() -> None:
    """Write and print the table."""
    rows = []
    for data in DATA_SETS:
        rows.append((data.name, "", "stage instances", instances(data)))
        rows += [(data.name, "", f"GB of {name}", round(size, 1)) for name, size in gigabytes(data).items()]
        rows.append((data.name, "", "GB together", round(sum(gigabytes(data).values()), 1)))
        for gpus in GPUS:
            found = hours(data, gpus)
            rows += [(data.name, gpus, f"hours of {name}", round(value, 2)) for name, value in found.items()]
            beside = found["evaluate"] + found["score"]  # nothing waits for them but the report
            rows.append((data.name, gpus, "hours to the last model", round(sum(found.values()) - beside, 1)))
    with RESULTS.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("data", "gpus", "what", "value"))
        writer.writerows(rows)
    for row in rows:
        print(*row, sep="\t")


if __name__ == "__main__":
    main()
