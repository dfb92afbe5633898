"""Training samples from the manifest and the label archives.

Their order and augmentation depend only on the seed, the epoch and the position, not on the number of loader processes
(a CPU has none).
"""

import atexit
import math
import multiprocessing
import os
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from auxseg.artifacts.archive import Archive
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.photos import read_photo
from auxseg.datasets.stored import decode_label, decode_saliency
from auxseg.encoded import IGNORE, as_share
from auxseg.errors import AuxsegError, DataError, ParamsError, first_line
from auxseg.parallel import available_cpus
from auxseg.params.augmentation import AugmentParams
from auxseg.params.runtime import RuntimeParams
from auxseg.parent import end_with_parent
from auxseg.training.augment import NO_SALIENCY, Augment, PixelSample, Sample
from auxseg.training.balance import draw
from auxseg.training.length import whole_batch

MOST_WORKERS = 256
"""Processes that decode images for one process that trains."""


class TrainingSamples(Dataset[Sample]):
    """Augmented samples; an index is (epoch, position, batch), so that every epoch draws its own augmentation.

    Where an epoch has the same image several times, the second has its position + the number of images, and so on.

    `labels` and `saliency` map an image id to its encoded PNG (8-bit class indices; 8-bit grey), or are None for image-
    level training. `corrected` maps the ids of images whose label was corrected by hand to that label, encoded as
    `labels` are; it also decides their saliency label, except where it is 255. Images in `ignored` have no labelled
    pixel, so only their tags are used. `dropped` maps an image id to class indices whose pixels count as 255; tags and
    saliency label stay.
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        root: Path,
        classes: ClassTable,
        augment: AugmentParams,
        seed: int,
        labels: Mapping[str, bytes] | None = None,
        saliency: Mapping[str, bytes] | None = None,
        ignored: Collection[str] = (),
        dropped: Mapping[str, Sequence[int]] | None = None,
        runtime: RuntimeParams | None = None,
        corrected: Mapping[str, bytes] | None = None,
    ):
        self.records = list(records)
        self.root = root
        self.classes = classes
        self.augment = Augment(augment, runtime)
        self.seed = seed
        self.labels = labels
        self.saliency = saliency
        self.ignored = frozenset(ignored)
        self.dropped = dict(dropped or {})
        self.corrected = corrected or {}

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: tuple[int, int, int]) -> Sample:
        epoch, position, batch = index
        record = self.records[position % len(self.records)]
        image = torch.from_numpy(read_photo(self.root, record).transpose(2, 0, 1).copy())
        classes = torch.from_numpy(self.classes.multi_hot(record.tags))
        if self.labels is None or self.saliency is None:
            sample = Sample(image, classes)
        else:
            sample = PixelSample(image, classes, *self._pixels(record, self.labels, self.saliency))
        with torch.random.fork_rng(devices=[]):
            # only the CPU's generator: torch.manual_seed would also seed the GPU's, from which dropout draws
            torch.default_generator.manual_seed(self._seed(epoch, position))
            sample = self.augment(sample, self._scale_draw(epoch, batch))
        return _without_pixels(sample) if record.id in self.ignored else sample

    def _seed(self, epoch: int, index: int) -> int:
        return ((self.seed * 1_000_003 + epoch) * 10_000_019 + index) % 2**63

    def _scale_draw(self, epoch: int, batch: int) -> torch.Generator | None:
        if self.augment.params.scale_per == "image":
            return None
        return torch.Generator().manual_seed(self._seed(epoch, -1 - batch))  # no image has a negative position

    def _pixels(
        self, record: ImageRecord, labels: Mapping[str, bytes], saliency: Mapping[str, bytes]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return label, uint8, and saliency label, float32 in 0..1; both (1, H, W)."""
        levels = decode_saliency(saliency[record.id], record, source_of(saliency, record.id))
        salient, label = torch.from_numpy(as_share(levels))[None], self._label(record, labels)
        if record.id in self.corrected:
            # the two tasks share features, so a person's object must not be background to the other one
            salient = torch.where(label == IGNORE, salient, (label != 0).float())
        return label, salient

    def _label(self, record: ImageRecord, labels: Mapping[str, bytes]) -> torch.Tensor:
        """Return the label that training uses, uint8 (1, H, W): the corrected one, else that of `labels`."""
        is_corrected = record.id in self.corrected
        files = self.corrected if is_corrected else labels
        stored = decode_label(files[record.id], record, len(self.classes), source_of(files, record.id))
        label = torch.from_numpy(stored.copy())[None]
        if record.id in self.dropped and not is_corrected:
            label[torch.isin(label, torch.tensor(self.dropped[record.id], dtype=torch.uint8))] = IGNORE
        return label

    def labelled(self, wanted: Collection[int]) -> set[int]:
        """Return the class indices that pixels of the labels have, 0 = background, without 255.

        Labels are read until all of the `wanted` indices have been seen, usually a few.
        """
        seen: set[int] = set()
        for record in self.records:
            if seen.issuperset(wanted):
                break
            if self.labels is not None and record.id not in self.ignored:
                seen.update(self._label(record, self.labels).unique().tolist())
        return seen - {IGNORE}


def _without_pixels(sample: Sample) -> Sample:
    # after augmentation, because padding may count as background, and for these images not even that is known
    if not isinstance(sample, PixelSample):
        return sample
    label, saliency = torch.full_like(sample.label, IGNORE), torch.full_like(sample.saliency, NO_SALIENCY)
    return replace(sample, label=label, saliency=saliency)


class EpochOrder(Sampler[list[tuple[int, int, int]]]):
    """The order of one epoch: a permutation drawn from the seed and the epoch; an incomplete batch is dropped.

    With `passes` set, an "epoch" is that many passes, each with its own permutation. With `weights`, a pass has as many
    draws as there are samples, but may draw a sample several times or not at all (`auxseg.training.balance.draw`).

    A batch is split into `size` x `accumulate` equal parts. Process `rank` of `size` gets `accumulate` of them, one
    after the other.

    Raises:
        DataError: there are fewer samples than parts.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        size: int = 1,
        accumulate: int = 1,
        weights: Sequence[float] | None = None,
    ):
        self.length = length
        self.weights = weights
        self.rank = rank
        self.size = size
        self.parts = size * accumulate
        self.batch_size = whole_batch(batch_size, length, self.parts)
        self.seed = seed
        self.epoch = 0
        self.passes = 1
        self.first = 0
        """The first batch."""
        self.stop: int | None = None
        """The batch before which to stop; None for all."""

    @property
    def per_pass(self) -> int:
        """Number of batches in a pass over the samples."""
        return self.length // self.batch_size

    @property
    def batches(self) -> int:
        """Number of batches in an epoch."""
        return self.per_pass * self.passes

    def __len__(self) -> int:
        """Number of parts that this process still gets."""
        return (self._end - self.first) * self.parts // self.size

    @property
    def _end(self) -> int:
        return self.batches if self.stop is None else self.stop

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        for number in range(self.first // self.per_pass, math.ceil(self._end / self.per_pass)):
            # the passes of a whole run are numbered from 1, as epochs are
            epoch = (self.epoch - 1) * self.passes + number + 1
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
            order = torch.randperm(self.length, generator=generator).tolist()
            if self.weights is not None:
                drawn = self._drawn(self.weights, generator)
                order = [drawn[place] for place in order]
            start = number * self.per_pass
            for batch in range(max(self.first - start, 0), min(self._end - start, self.per_pass)):
                positions = order[batch * self.batch_size : (batch + 1) * self.batch_size]
                for part in range(self.rank, self.parts, self.size):
                    yield [(epoch, position, batch) for position in positions[part :: self.parts]]

    def positions(self, batch: int) -> list[int]:
        """Return the positions of a whole batch of the current epoch, of all processes."""
        whole = EpochOrder(self.length, self.batch_size, self.seed, weights=self.weights)
        whole.epoch, whole.passes, whole.first, whole.stop = self.epoch, self.passes, batch, batch + 1
        return [position for part in whole for _, position, _ in part]

    def _drawn(self, weights: Sequence[float], generator: torch.Generator) -> list[int]:
        times = draw(weights, generator)
        return [position + again * self.length for position in range(self.length) for again in range(times[position])]


def collate(samples: list[Sample]) -> Sample:
    """Stack samples of one size into a batch."""
    kind = type(samples[0])
    return kind(*map(torch.stack, zip(*(vars(sample).values() for sample in samples), strict=True)))


def make_loader(samples: TrainingSamples, order: EpochOrder, device: torch.device) -> DataLoader[Sample]:
    """Return a loader. On a GPU, worker processes decode ahead (AUXSEG_WORKERS, else up to 8); on a CPU none do."""
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # set by torchrun: the processes on this machine
    default = max(1, min(8, available_cpus() // processes)) if device.type == "cuda" else 0
    asked = os.environ.get("AUXSEG_WORKERS", str(default))
    if not asked.isdecimal() or len(asked) > len(str(MOST_WORKERS)) or int(asked) > MOST_WORKERS:
        raise ParamsError(
            f"AUXSEG_WORKERS: '{first_line(asked)}' is not a number of processes; write 0, 1, 2, … {MOST_WORKERS} or "
            "unset it"
        )
    workers = int(asked)
    if workers:
        atexit.register(_end_workers)  # after multiprocessing's own function, so it comes before it
    return DataLoader(
        samples,
        batch_sampler=order,
        collate_fn=collate,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        multiprocessing_context="spawn" if workers else None,
        # otherwise the loader draws from the global generator, and dropout would depend on the number of processes
        generator=torch.Generator().manual_seed(samples.seed),
        persistent_workers=bool(workers),
        worker_init_fn=_start_worker,
    )


def _start_worker(worker: int) -> None:
    # a batch system or terminal signals every process, but the stage needs these workers to finish the current batch
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    end_with_parent(os.getppid())


def _end_workers() -> None:
    # an error that ended the program may still hold the loader; multiprocessing would send its workers SIGTERM, which
    # they ignore, and wait for them for ever
    for process in multiprocessing.active_children():
        if process.daemon:
            process.kill()


def loaded(loader: DataLoader[Sample]) -> Iterator[Sample]:
    """Yield the parts of an epoch's batches.

    Raises:
        AuxsegError: in one line, also from a worker process, whose errors torch puts below a traceback.
    """
    try:
        yield from loader
    except AuxsegError as error:
        kind = type(error)
        message = str(error).rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2]
        raise kind(message.removesuffix("\\n")) from None  # line ends of the traceback are escaped in a message


def source_of(files: Mapping[str, bytes], image_id: str) -> Path:
    """Return the file with an image's PNG, for messages."""
    return files.source(image_id) if isinstance(files, LabelFiles) else Path(f"{image_id}.png")


class LabelFiles(Mapping[str, bytes]):
    """The PNGs of one round from all shards, by image id."""

    def __init__(self, archives: Sequence[Archive]):
        self._archives = list(archives)
        self._shard = {name: index for index, archive in enumerate(self._archives) for name in archive}

    def __getitem__(self, image_id: str) -> bytes:
        return self._archive(image_id)[f"{image_id}.png"]

    def __contains__(self, image_id: object) -> bool:
        return f"{image_id}.png" in self._shard

    def source(self, image_id: str) -> Path:
        """Return the archive with an image's PNG."""
        return self._archive(image_id).path

    def _archive(self, image_id: str) -> Archive:
        index = self._shard.get(f"{image_id}.png")
        if index is None:
            folder = self._archives[0].path.parent if self._archives else "labels"
            raise DataError(f"{folder}: no archive contains '{image_id}.png'; run `dvc repro`, which writes them again")
        return self._archives[index]

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(".png") for name in self._shard)

    def __len__(self) -> int:
        return len(self._shard)
