"""Training samples from the manifest and the label archives, in an order and with randomness that only depend on
the seed, the epoch and the position: not on the number of loader processes (of which a CPU has none)."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from auxseg.artifacts.archive import Archive
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.images import IGNORE, decode_grey, decode_indices, read_rgb
from auxseg.params.augmentation import AugmentParams
from auxseg.training.augment import NO_SALIENCY, Augment, Sample


class TrainingSamples(Dataset):
    """Augmented samples; an index is (epoch, position), so that every epoch draws its own augmentation.

    `labels` and `saliency` map an image id to its encoded PNG (8-bit class indices; 8-bit grey), or are None for
    image-level training. Of the images in `ignored`, no pixel has a label: image-level supervision only.
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
        max_side: int | None = None,
    ):
        self.records = list(records)
        self.root = root
        self.classes = classes
        self.augment = Augment(augment, max_side)
        self.seed = seed
        self.labels = labels
        self.saliency = saliency
        self.ignored = frozenset(ignored)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: tuple[int, int]) -> Sample:
        epoch, position = index
        record = self.records[position]
        sample = Sample(
            torch.from_numpy(read_rgb(self.root / record.path).transpose(2, 0, 1).copy()),
            torch.from_numpy(self.classes.multi_hot(record.labels)),
            self._label(record.id),
            self._saliency(record.id),
        )
        with torch.random.fork_rng(devices=[]):
            # the CPU's generator alone: torch.manual_seed would seed the GPU's too, which dropout draws from
            seed = (self.seed * 1_000_003 + epoch) * 10_000_019 + position
            torch.default_generator.manual_seed(seed % 2**63)
            return self.augment(sample)

    def _label(self, image_id: str) -> torch.Tensor | None:
        if self.labels is None:
            return None
        label = torch.from_numpy(decode_indices(self.labels[image_id]).copy())[None]
        return torch.full_like(label, IGNORE) if image_id in self.ignored else label

    def _saliency(self, image_id: str) -> torch.Tensor | None:
        if self.saliency is None:
            return None
        saliency = torch.from_numpy(decode_grey(self.saliency[image_id]))[None]
        return torch.full_like(saliency, NO_SALIENCY) if image_id in self.ignored else saliency


class EpochOrder(Sampler):
    """The order of one epoch: a permutation drawn from the seed and the epoch; an incomplete batch is dropped."""

    def __init__(self, length: int, batch_size: int, seed: int):
        self.length = length
        self.batch_size = min(batch_size, length)
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        """Number of batches."""
        return self.length // self.batch_size

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + self.epoch) % 2**63)
        order = torch.randperm(self.length, generator=generator).tolist()
        for batch in range(len(self)):
            positions = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield [(self.epoch, position) for position in positions]


def collate(samples: list[Sample]) -> Sample:
    """Stack samples of one size into a batch."""

    def stack(name: str) -> torch.Tensor | None:
        values = [getattr(sample, name) for sample in samples]
        return None if values[0] is None else torch.stack(values)

    return Sample(stack("image"), stack("classes"), stack("label"), stack("saliency"))


def make_loader(samples: TrainingSamples, order: EpochOrder, device: torch.device) -> DataLoader:
    """Return a loader; on a GPU, processes decode ahead (AUXSEG_WORKERS, else up to 8), on a CPU there are none."""
    default = min(8, os.cpu_count() or 1) if device.type == "cuda" else 0
    workers = int(os.environ.get("AUXSEG_WORKERS", default))
    return DataLoader(
        samples,
        batch_sampler=order,
        collate_fn=collate,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=bool(workers),
    )


class LabelFiles(Mapping[str, bytes]):
    """The PNGs of one round in all shards, by image id."""

    def __init__(self, archives: Sequence[Archive]):
        self._archives = list(archives)
        self._shard = {name: index for index, archive in enumerate(self._archives) for name in archive}

    def __getitem__(self, image_id: str) -> bytes:
        name = f"{image_id}.png"
        return self._archives[self._shard[name]][name]

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(".png") for name in self._shard)

    def __len__(self) -> int:
        return len(self._shard)
