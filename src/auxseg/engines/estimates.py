"""Estimate how long a stage instance takes: as long as last time, or a guess from the number of images.

Used only for the line that a stage logs when it starts (auxseg.engines.progress).
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.store import Store
from auxseg.params.classify import ClassifyParams
from auxseg.params.train import TrainParams
from auxseg.pipeline.instances import Instance
from auxseg.training.length import training_length

TIMES = Path("logs/times.csv")

# Kind of instance -> the images that it processes, and seconds per image. Measured with the preset own-data on two
# cores without a GPU; used until the stage has run once.
SECONDS_PER_IMAGE = {
    "saliency": ("all", 0.27),
    "cam": ("train", 0.19),
    "labels of r0": ("train", 0.01),
    "labels": ("train", 0.04),  # with a CRF, which r0 does not have
    "propagate": ("all", 0.09),
    "baseline": ("train", 0.01),
    "guard": ("train", 0.01),
    "score": ("train", 0.03),
    "evaluate": ("val", 1.0),
    "audit": ("all", 0.03),
}
SECONDS_PER_CROP = 0.09
"""Seconds of `classify` and `train` per image of a step, at a crop of 224 pixels."""
SECONDS_OTHERWISE = 3.0
SECONDS_TO_START = 3.0

TRAININGS: dict[str, type[ClassifyParams] | type[TrainParams]] = {"classify": ClassifyParams, "train": TrainParams}

_TAIL = 1 << 20
"""How many bytes of logs/times.csv are read, from its end; the file only grows."""
_HEAD = 1 << 14
"""How many bytes of a shard's manifest are read; the rest is extrapolated."""


class Images(NamedTuple):
    """Numbers of images, estimated if the manifest is long."""

    train: float
    val: float

    @property
    def all(self) -> float:
        """Images of both splits."""
        return self.train + self.val


class Estimates:
    """The estimated seconds of any instance; files are read once."""

    def __init__(self, values: dict[str, Any]):
        self._values = values
        self._by_address: dict[tuple[str, str], float] = {}
        self._by_kind: dict[str, float] = {}
        for stage, key, seconds in _past_times():
            self._by_address[stage, key] = self._by_kind[_kind(stage, key)] = seconds
        self._images = _count_images(values["shards"])

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
        shard = one.template.get("item.shard")
        counted = [self._images[shard]] if shard else self._images.values()
        images = Images(sum(part.train for part in counted), sum(part.val for part in counted))
        if one.stage in TRAININGS:
            params = TRAININGS[one.stage].parse(self._values.get(one.stage))
            crops = training_length(params, max(1, round(images.train))).total * params.batch_size
            return crops * SECONDS_PER_CROP * (params.augment.crop / 224) ** 2
        if kind not in SECONDS_PER_IMAGE:
            return SECONDS_OTHERWISE
        split, seconds = SECONDS_PER_IMAGE[kind]
        return float(getattr(images, split) * seconds)


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
        with contextlib.suppress(
            ValueError
        ):  # an incomplete line: the first one read, or one from when the disk was full
            stage, key, seconds, _cpu, _memory = line.split(",")
            yield stage, key, float(seconds)


def _count_images(shards: list[str]) -> dict[str, Images]:
    """Return the number of images by shard; nothing if a shard has no manifest yet."""
    paths = {shard: Store().records(shard) for shard in shards}
    if not all(path.exists() for path in paths.values()):
        return {}
    return {shard: _count(path) for shard, path in paths.items()}


def _count(path: Path) -> Images:
    size = path.stat().st_size
    with path.open("rb") as stream:
        header, head = stream.readline(), stream.read(_HEAD)
    factor = (size - len(header)) / len(head) if head else 0
    rows, val = head.count(b"\n") * factor, head.count(b",val,") * factor
    return Images(rows - val, val)
