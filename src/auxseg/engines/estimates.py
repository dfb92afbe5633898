"""How long a stage instance will take: what it took last time, or a guess from the number of images.

For the line that a stage logs when it starts (auxseg.engines.progress), and for nothing else.
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

# Measured with the preset own-data on two cores without a GPU; a first guess, replaced by what the stage took last
# time. Kind of instance -> the images that it goes through, and seconds for each.
SECONDS_PER_IMAGE = {
    "saliency": ("all", 0.27),
    "cam": ("train", 0.19),
    "labels of r0": ("train", 0.01),
    "labels": ("train", 0.04),  # with a CRF, which r0 does without
    "propagate": ("all", 0.09),
    "baseline": ("train", 0.01),
    "guard": ("train", 0.01),
    "score": ("train", 0.03),
    "evaluate": ("val", 1.0),
    "audit": ("all", 0.03),
}
SECONDS_PER_CROP = 0.09
"""Of `classify` and `train`: for one image of one step, at a crop of 224 pixels."""
SECONDS_OTHERWISE = 3.0
SECONDS_TO_START = 3.0

TRAININGS: dict[str, type[ClassifyParams] | type[TrainParams]] = {"classify": ClassifyParams, "train": TrainParams}

_TAIL = 1 << 20
"""Bytes at the end of logs/times.csv that are read: it only grows."""
_HEAD = 1 << 14
"""Bytes of a shard's manifest that are read; the rest is extrapolated."""


class Images(NamedTuple):
    """Numbers of images; of a long manifest, estimated."""

    train: float
    val: float

    @property
    def all(self) -> float:
        """Images of both splits."""
        return self.train + self.val


class Estimates:
    """The seconds of any instance; reads what it needs once."""

    def __init__(self, values: dict[str, Any]):
        self._values = values
        self._by_address: dict[tuple[str, str], float] = {}
        self._by_kind: dict[str, float] = {}
        for stage, key, seconds in _past_times():
            self._by_address[stage, key] = self._by_kind[_kind(stage, key)] = seconds
        self._images = _count_images(values["shards"])

    def seconds(self, one: Instance) -> float | None:
        """Return about how many seconds an instance takes; None if nothing tells: before `prepare` of a first run."""
        kind = _kind(one.stage, one.key)
        if (one.stage, one.key) in self._by_address:
            return self._by_address[one.stage, one.key]
        if kind in self._by_kind:  # of another shard or round
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
            crops = training_length(params, max(1, round(images.train))).steps * params.batch_size
            return crops * SECONDS_PER_CROP * (params.augment.crop / 224) ** 2
        if kind not in SECONDS_PER_IMAGE:
            return SECONDS_OTHERWISE
        split, seconds = SECONDS_PER_IMAGE[kind]
        return float(getattr(images, split) * seconds)


def _kind(stage: str, key: str) -> str:
    """Return what instances of about the same time per image have in common: the stage, but r0's labels are quick."""
    return "labels of r0" if stage == "labels" and key.split("-")[0] == str(R0) else stage


def _past_times() -> Iterator[tuple[str, str, float]]:
    """Yield stage, key and seconds of the past runs, the last one last."""
    if not TIMES.exists():
        return
    with TIMES.open("rb") as stream:
        stream.seek(max(0, TIMES.stat().st_size - _TAIL))
        lines = stream.read().decode("utf-8", "replace").splitlines()
    for line in lines:
        with contextlib.suppress(ValueError):  # a line that the cut, or a full disk, left in half
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
