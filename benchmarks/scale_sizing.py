"""Estimate disk space, jobs and hours of large data sets from measured bytes and rates: the tables of docs/scale.md.

    python benchmarks/scale_sizing.py

Bytes per image and rates of CPU stages are those of benchmarks/voc6, scaled by the number of pixels; rates of GPU
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
"""Assumption: with 8 images per GPU, a larger global batch than 256 no longer trains the same network."""
EFFICIENCY = 0.85
"""Assumption: of data-parallel training over several nodes."""
EPOCHS = {"classify": 15, "train": 10}

GPU_RATES = {"classify": 40.0, "cam": 10.0, "train": 30.0, "propagate": 60.0, "evaluate": 4.0}
"""Assumption: images per second on an A100-class GPU, ResNet-38-sized network, bfloat16; `classify` and `train`
see a crop, the others images of GPU_PIXELS, `cam` and `evaluate` at several scales and mirrored."""
GPU_PIXELS = 500 * 375
CPU_SECONDS = {"prepare": 0.0024, "labels": 0.064, "score": 0.021, "audit": 0.032}
"""Measured (benchmarks/voc6/stages.csv): CPU seconds an image of VOC6_PIXELS; a CRF, counts, pictures go by pixels."""
SALIENCY_SECONDS = 0.48
"""Measured, the same: u2netp, which looks at every image at 320 x 320."""
CPUS_A_JOB = {"prepare": 2, "saliency": 2, "labels": 2, "score": 1, "audit": 2}
"""As `meta` of dvc.yaml gives them."""

VOC6_PIXELS = 74_969
"""Measured: mean over the images of voc6, whose longest side is 320 pixels."""
BYTES_ONCE = {"saliency": 10_256, "labels r0": 2_270, "saliency_labels r0": 10_323}
BYTES_A_ROUND = {"labels": 2_460, "saliency_labels": 8_487, "predictions": 1_750}
"""Measured (the run of benchmarks/voc6): bytes of a train image; of predictions, a val image; of saliency, any."""
AUDIT_BYTES, AUDIT_THUMBS, AUDIT_ROUNDS = 92_700, 51_200, 3
"""Measured, the same: bytes an image of the report's evidence, which grow with the pixels, and of its thumbnails, which
do not; with labels of three rounds."""
STRIDE = 8
"""ResNet-38's; maps are stored at the network's resolution."""
SUBMITTED_A_MINUTE, SECONDS_BETWEEN_LOOKS = 24, 180
"""Of Snakemake's Slurm plugin 2.6: two threads that sleep 5 s before each job; the longest wait between two looks."""
MODEL_BYTES = 500e6
"""Of one round's ResNet-38 and its heads, float32; voc6's EfficientNet-Lite0 has 28 MB."""


class DataSet(NamedTuple):
    """A data set to estimate: images, their pixels, tags per image, and shards."""

    name: str
    train: int
    val: int
    pixels: int
    tags: float
    shards: int

    @property
    def images(self) -> int:
        """All images."""
        return self.train + self.val

    @property
    def larger(self) -> float:
        """Pixels of an image, relative to voc6."""
        return self.pixels / VOC6_PIXELS


DATA_SETS = (
    DataSet("COCO", 82_081, 40_137, 640 * 480, 2.9, 24),
    DataSet("one million", 1_000_000, 50_000, 640 * 480, 2.9, 256),
)


def instances(data: DataSet) -> int:
    """Return the number of stage instances of the DAG."""
    sharded = 2 + 2 * (ROUNDS + 1) + ROUNDS  # saliency, cam; labels, score; propagate
    single = 7 + (ROUNDS + 1) + 3 * ROUNDS  # 7: code, prepare, classify, tag_score, baseline, summary, audit
    return sharded * data.shards + single


def gigabytes(data: DataSet) -> dict[str, float]:
    """Return the size of every artifact over all rounds, GB."""
    of = {"saliency": data.images, "predictions": data.val}
    sizes = {name: size * of.get(name, data.train) * data.larger for name, size in BYTES_ONCE.items()}
    for name, size in BYTES_A_ROUND.items():
        sizes[f"{name}, rounds"] = ROUNDS * size * of.get(name, data.train) * data.larger
    positions = data.pixels / STRIDE**2
    sizes["maps r0"] = 2 * data.tags * positions * data.train  # a float16 CAM per tag
    # with it saliency, confidence and entropy, float16, and the prediction, uint8
    sizes["maps, rounds"] = ROUNDS * (2 * data.tags + 7) * positions * data.images
    sizes["models"] = (ROUNDS + 1) * MODEL_BYTES
    shown = AUDIT_BYTES * data.larger + AUDIT_THUMBS
    sizes["audit"] = shown * (ROUNDS + 1) / AUDIT_ROUNDS * data.images
    return {name: size / 1e9 for name, size in sizes.items()}


def hours(data: DataSet, gpus: int) -> dict[str, float]:
    """Return the hours of every stage over all rounds, if its jobs fill the cluster."""
    workers = min(gpus, data.shards)
    cores = {stage: min(CPUS_A_GPU * gpus, data.shards * cpus) for stage, cpus in CPUS_A_JOB.items()}
    cores |= {stage: CPUS_A_JOB[stage] for stage in ("prepare", "audit")}  # one job each
    trained_on = min(gpus, MOST_GPUS_A_TRAINING)
    train_rate = trained_on * (EFFICIENCY if trained_on > 8 else 1.0)
    # train images of every round's labels; the report has all images
    looked_at = {"prepare": data.images, "labels": ROUNDS * data.train, "score": (ROUNDS + 1) * data.train}
    looked_at["audit"] = data.images
    seconds = {name: count * data.larger * CPU_SECONDS[name] / cores[name] for name, count in looked_at.items()}
    seconds["saliency"] = data.images * SALIENCY_SECONDS / cores["saliency"]
    seconds["classify"] = EPOCHS["classify"] * data.train / (GPU_RATES["classify"] * train_rate)
    seconds["train"] = ROUNDS * EPOCHS["train"] * data.train / (GPU_RATES["train"] * train_rate)
    size = data.pixels / GPU_PIXELS
    seconds["cam"] = data.train * size / GPU_RATES["cam"] / workers
    seconds["propagate"] = ROUNDS * data.images * size / GPU_RATES["propagate"] / workers
    # one job per round, and the rounds may be evaluated in parallel
    seconds["evaluate"] = data.val * size / GPU_RATES["evaluate"]
    return {name: value / 3600 for name, value in seconds.items()}


def waits(data: DataSet) -> dict[str, float]:
    """Return the hours that Snakemake's Slurm plugin takes to submit all jobs, and at most to see each step's end."""
    steps = 3 + 4 * ROUNDS  # prepare, classify, cam; labels, review, train, propagate
    return {
        "submitting": (instances(data) - 1) / SUBMITTED_A_MINUTE / 60,
        "looking": steps * SECONDS_BETWEEN_LOOKS / 3600,
    }


AFTERWARDS = ("score", "evaluate", "audit")
"""Stages that no model waits for."""


def main() -> None:
    """Write and print the table."""
    rows = []
    for data in DATA_SETS:
        rows.append((data.name, "", "stage instances", instances(data)))
        rows += [(data.name, "", f"GB of {name}", round(size, 1)) for name, size in gigabytes(data).items()]
        rows += [(data.name, "", f"hours of {name}, plugin", round(value, 2)) for name, value in waits(data).items()]
        rows.append((data.name, "", "GB together", round(sum(gigabytes(data).values()), 1)))
        for gpus in GPUS:
            found = hours(data, gpus)
            rows += [(data.name, gpus, f"hours of {name}", round(value, 2)) for name, value in found.items()]
            before = sum(value for name, value in found.items() if name not in AFTERWARDS)
            rows.append((data.name, gpus, "hours to the last model", round(before, 1)))
    with RESULTS.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("data", "gpus", "what", "value"))
        writer.writerows(rows)
    for row in rows:
        print(*row, sep="\t")


if __name__ == "__main__":
    main()
