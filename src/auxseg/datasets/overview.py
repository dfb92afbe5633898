"""What a data set contains, in the lines that `prepare` logs and `auxseg scan` prints. No image is decoded."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from difflib import get_close_matches

from auxseg.datasets.collect import Collected
from auxseg.datasets.matching import Matches
from auxseg.errors import one_line, shorten

FEW = 10
"""Classes with fewer train images get a warning."""
SMALL = 100
"""Data sets with fewer train images get a warning; see the table in docs/own-data.md."""
NAMED = 5
"""Number of ids or classes that a warning names."""
CLASSES_SHOWN = 20


@dataclass(frozen=True)
class Overview:
    """Counts of a data set.

    `classes`: name -> number of train images with it, in the order of the class table. `is_derived`: the class table
    was made from the labels. `without_image`: ids of rows without an image. `hint`: a possible reason for these.
    `without_row`: ids of images without a row. `notes`: how ambiguous labels were read. `files`: which files match.
    `negatives`: ids of images without any object, in train and in val.
    """

    train: int
    val: int
    masks: int
    classes: Mapping[str, int]
    is_derived: bool = False
    without_image: Sequence[str] = ()
    without_row: Sequence[str] = ()
    hint: str = ""
    notes: Sequence[str] = ()
    files: Matches = field(default_factory=Matches)
    negatives: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def few(self) -> dict[str, int]:
        """Classes with one to nine train images; a class without any has a warning of its own."""
        return {name: count for name, count in self.classes.items() if 0 < count < FEW}

    def lines(self) -> list[str]:
        """Return the counts, and the classes with their numbers of train images, each as one line."""
        return list(map(one_line, self._lines()))

    def _lines(self) -> list[str]:
        table = shorten((f"{name} {count}" for name, count in self.classes.items()), CLASSES_SHOWN)
        origin = " (from the labels)" if self.is_derived else ""
        kinds = f"{len(self.classes)} class{'' if len(self.classes) == 1 else 'es'}"
        lines = [
            f"{self.train} train and {self.val} val images, {kinds}, {self.masks} masks",
            f"classes{origin}: {table}",
            *self.files.lines,
        ]
        if self.negatives:
            counts = " and ".join(f"{len(ids)} {split}" for split, ids in self.negatives.items())
            lines.append(f"without any object: {counts}")
        return lines

    def warnings(self, named: int = NAMED) -> Iterator[str]:
        """Yield what the user should know before hours of computing, each as one line.

        A list names up to `named` ids or classes.
        """
        return map(one_line, self._warnings(named))

    def _warnings(self, named: int) -> Iterator[str]:
        yield from self.notes
        yield from self.files.warnings
        if self.without_image:
            yield (
                f"{_count(self.without_image, 'row', 'has', 'have')} no image in the folder and "
                f"{_is(self.without_image)} left out: {shorten(self.without_image, named)}; "
                + (self.hint or "add the images, or remove the rows")
            )
        if self.without_row:
            yield (
                f"{_count(self.without_row, 'image', 'has', 'have')} no row in the CSV and {_is(self.without_row)} "
                f"left out: {shorten(self.without_row, named)}; add rows, or segment them with `auxseg predict` once "
                "there is a model"
            )
        if self.val and not self.masks:
            yield (
                f"{_count(range(self.val), 'val image', 'has', 'have')} no mask: they are predicted, but not trained "
                "on, and nothing is measured; add masks to measure, or put them into train"
            )
        if negatives := [image_id for ids in self.negatives.values() for image_id in ids]:
            yield (
                f"{_count(negatives, 'image', 'has', 'have')} no label and {_is(negatives)} taken as background "
                f"everywhere: {shorten(negatives, named)}; write the classes, or remove the rows, of those that show "
                "an object"
            )
        for name, count in self.classes.items():
            if count == 0:
                yield (
                    f"class '{name}' has no train image, so it cannot be learned; add images with it, or remove it "
                    "from data.classes"
                )
            elif count == self.train:
                yield (
                    f"class '{name}' is in every train image: the classifier cannot learn what distinguishes it, and "
                    "its CAM means little; add images without it (an empty cell of labels means: no object)"
                )
        if few := self.few:
            few_named = [f"{name} {count}" for name, count in few.items()]
            have = _count(few, "class", "has", "have", "classes")
            yield f"{have} fewer than {FEW} train images: {shorten(few_named, named)}; more images of them help most"
        for name, count in self.few.items():
            larger = [other for other, images in self.classes.items() if images >= 4 * count]
            for near in get_close_matches(name, larger, n=1, cutoff=0.8):
                yield (
                    f"class '{name}' ({count}) is spelt almost like '{near}' ({self.classes[near]}); if that is a "
                    "slip, correct the table"
                )
        if 0 < self.train < SMALL:
            yield (
                f"{_count(range(self.train), 'train image', 'is', 'are')} few: expect usable labels for them, but a "
                "model that is 10 to 20 mIoU worse on other images (docs/own-data.md); more images help it most"
            )


def overview(found: Collected) -> Overview:
    """Count what was collected."""
    splits = Counter(item.split for item in found.images)
    counts = Counter(name for item in found.images if item.split == "train" for name in found.tags[item.id])
    negatives: dict[str, list[str]] = {}
    for item in found.images:
        if not found.tags[item.id] and item.id not in found.unknown:
            negatives.setdefault(item.split, []).append(item.id)
    return Overview(
        splits["train"],
        splits["val"],
        sum(item.mask is not None for item in found.images),
        {name: counts[name] for name in found.classes.names},
        found.is_derived,
        found.without_image,
        found.without_row,
        found.hint,
        found.notes,
        found.files,
        dict(sorted(negatives.items())),
    )


def _count(items: Sized, one: str, has: str, have: str, many: str | None = None) -> str:
    return f"1 {one} {has}" if len(items) == 1 else f"{len(items)} {many or one + 's'} {have}"


def _is(items: Sized) -> str:
    return "is" if len(items) == 1 else "are"
