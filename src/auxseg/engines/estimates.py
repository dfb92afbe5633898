"""Estimate how long a stage instance takes: as long as last time, or a guess from the number of images.

Used only for the line that a stage logs when it starts (auxseg.engines.progress).
"""

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.store import Store
from auxseg.datasets.manifest import SPLITS
from auxseg.params.classify import ClassifyParams
from auxseg.params.labels import LabelsParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.saliency import SaliencyParams
from auxseg.params.train import TrainParams
from auxseg.pipeline.instances import Instance
from auxseg.training.length import training_length

TIMES = Path("logs/times.csv")


class Cost(NamedTuple):
    """What an instance takes for each image or crop that it goes through."""

    per: str
    """image: of the split `train`, `val` or `all`; `crop`: of a training, one for every image of every step."""
    seconds: float
    pixels: str
    """What the seconds grow with; a key of PIXELS."""


PIXELS = {"crop": 224 * 224, "input": 320 * 320, "shown": 320 * 240, "full": 500 * 375}
"""Areas that the seconds of COSTS are for: of a crop, of the input of the saliency network, of an image as networks see
it (`runtime.max_side`), and of the image itself, on which a CRF runs."""

COSTS = {
    "classify": Cost("crop", 0.075, "crop"),
    "train": Cost("crop", 0.055, "crop"),
    "saliency": Cost("all", 0.27, "input"),
    "tag_score": Cost("val", 0.06, "shown"),
    "cam": Cost("train", 0.19, "shown"),
    "labels of r0": Cost("train", 0.01, "full"),
    "labels": Cost("train", 0.04, "full"),  # with a CRF, which r0 does without
    "propagate": Cost("all", 0.09, "shown"),
    "baseline": Cost("train", 0.01, "full"),
    "guard": Cost("train", 0.01, "full"),
    "score": Cost("train", 0.03, "full"),
    "evaluate": Cost("val", 1.0, "full"),
    "audit": Cost("all", 0.03, "full"),
}
"""A first guess for each kind of instance, replaced by what the stage took last time.

Measured with the preset own-data (EfficientNet-Lite0, `classify` with 4 frozen layers, `train` with 7) on one thread of
a machine without a GPU. `train` is what the CPU minutes of benchmarks/own_data.csv leave for it."""
SECONDS_TO_COMPLETE = 0.3
"""Of a label of PIXELS["full"], with `labels.completion: crf`: what r0 of auxseg-best takes on voc6."""
SECONDS_OTHERWISE = 3.0
"""Of a kind that is not in the table."""
SECONDS_TO_START = 3.0
"""Of every instance: to start Python and import torch, and what DVC does around it."""

TRAININGS: dict[str, type[ClassifyParams] | type[TrainParams]] = {"classify": ClassifyParams, "train": TrainParams}

_TAIL = 1 << 20
"""How many bytes of logs/times.csv are read, from its end; the file only grows."""
_HEAD = 1 << 14
"""How many bytes of a shard's manifest are read; the rest is extrapolated."""


class Images(NamedTuple):
    """The number of images of a shard of a split and their mean areas in pixels, estimated if the manifest is long."""

    number: float
    full: float
    """Of an image as it is."""
    shown: float
    """Of an image as networks see it."""


class Estimates:
    """The estimated seconds of any instance; files are read once."""

    def __init__(self, values: dict[str, Any]):
        self._values = values
        self._by_address: dict[tuple[str, str], float] = {}
        self._by_kind: dict[str, float] = {}
        for stage, key, seconds in _past_times():
            self._by_address[stage, key] = self._by_kind[_kind(stage, key)] = seconds
        self._images = _count_images(values["shards"], RuntimeParams.parse(values.get("runtime")))

    def seconds(self, one: Instance) -> float | None:
        """Return about how many seconds an instance takes; None if it is unknown, before `prepare` of a first run."""
        kind = _kind(one.stage, one.key)
        if (one.stage, one.key) in self._by_address:
            return self._by_address[one.stage, one.key]
        if kind in self._by_kind:  # another shard or round
            return self._by_kind[kind]
        if not self._images:
            return None
        return SECONDS_TO_START + self._from_images(one, kind)

    def _from_images(self, one: Instance, kind: str) -> float:
        if kind not in COSTS:
            return SECONDS_OTHERWISE
        cost, only = COSTS[kind], one.template.get("item.shard")
        splits = {"all": SPLITS, "crop": ("train",)}.get(cost.per, (cost.per,))
        shards = [only] if only else self._values["shards"]
        parts = [self._images[split, shard] for split in splits for shard in shards]
        if cost.per == "crop":
            params = TRAININGS[one.stage].parse(self._values.get(one.stage))
            images = max(1, round(sum(part.number for part in parts)))
            count, area = training_length(params, images).steps * params.batch_size, params.augment.crop**2
            return count * cost.seconds * area / PIXELS[cost.pixels]
        side = SaliencyParams.parse(self._values.get("saliency")).side
        areas = (side**2 if cost.pixels == "input" else getattr(part, cost.pixels) for part in parts)
        pixels = sum(part.number * area for part, area in zip(parts, areas, strict=True))
        seconds = cost.seconds
        if one.stage == "labels" and LabelsParams.parse(self._values.get("labels")).completion == "crf":
            seconds += SECONDS_TO_COMPLETE
        return float(seconds * pixels / PIXELS[cost.pixels])


def _kind(stage: str, key: str) -> str:
    """Return the kind of an instance, whose members take about the same time per image: its stage, or labels of r0."""
    return "labels of r0" if stage == "labels" and key.split("-")[0] == str(R0) else stage


def _past_times() -> Iterator[tuple[str, str, float]]:
    """Yield stage, key and seconds of past runs, oldest first."""
    if not TIMES.exists():
        return
    with TIMES.open("rb") as stream:
        stream.seek(max(0, TIMES.stat().st_size - _TAIL))
        lines = stream.read().decode("utf-8", "replace").splitlines()
    for line in lines:
        # an incomplete line: the first one read, or one from when the disk was full
        with contextlib.suppress(ValueError):
            stage, key, seconds, _cpu, _memory = line.split(",")
            yield stage, key, float(seconds)


def _count_images(shards: list[str], runtime: RuntimeParams) -> dict[tuple[str, str], Images]:
    """Return the number of images by split and shard; nothing if a shard has no manifest yet."""
    paths = {(split, shard): Store().records(split, shard) for split in SPLITS for shard in shards}
    if not all(path.exists() for path in paths.values()):
        return {}
    return {part: _count(path, runtime) for part, path in paths.items()}


def _count(path: Path, runtime: RuntimeParams) -> Images:
    size = path.stat().st_size
    with path.open("rb") as stream:
        header, head = stream.readline(), stream.read(_HEAD)
    lines = head[: head.rfind(b"\n") + 1]  # whole ones
    if not lines:
        return Images(0, 0, 0)
    factor = (size - len(header)) / len(lines)
    rows = list(csv.DictReader(io.StringIO((header + lines).decode())))
    sides = [(int(row["width"]), int(row["height"])) for row in rows]
    shown = [width * height * runtime.factor(max(width, height)) ** 2 for width, height in sides]
    full = sum(width * height for width, height in sides)
    return Images(len(rows) * factor, full / len(rows), sum(shown) / len(rows))
