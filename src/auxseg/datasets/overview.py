"""What a data set contains, in the lines that `prepare` logs and `auxseg scan` prints. No image is decoded."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from auxseg.counts import are, counted
from auxseg.datasets.collect import Collected
from auxseg.datasets.listing import BY_ROW, ListedBy
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
    `without_row`: ids of images without what `listed_by` says. `notes`: how ambiguous labels were read. `files`: which
    files match. `negatives`: ids of images without any object, in train and in val.
    """

    train: int
    val: int
    masks: int
    classes: Mapping[str, int]
    is_derived: bool = False
    without_image: Sequence[str] = ()
    without_row: Sequence[str] = ()
    listed_by: ListedBy = BY_ROW
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
        kinds = counted(len(self.classes), "class", "classes")
        lines = [
            f"{self.train} train and {self.val} val images, {kinds}, {counted(self.masks, 'mask')}",
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
                f"{counted(len(self.without_image), 'row has', 'rows have')} no image in the folder and "
                f"{are(len(self.without_image))} left out: {shorten(self.without_image, named)}; "
                + (self.hint or "add the images, or remove the rows")
            )
        if self.without_row:
            have = counted(len(self.without_row), "image has", "images have")
            yield (
                f"{have} no {self.listed_by.what} and {are(len(self.without_row))} left out: "
                f"{shorten(self.without_row, named)}; {self.listed_by.fix}, or segment them with `auxseg predict` once "
                "there is a model"
            )
        if self.val and not self.masks:
            yield (
                f"{counted(self.val, 'val image has', 'val images have')} no mask: "
                f"{'it is' if self.val == 1 else 'they are'} predicted, but not trained on, and nothing is measured; "
                "add masks to measure, or put them into train"
            )
        if negatives := [image_id for ids in self.negatives.values() for image_id in ids]:
            have = counted(len(negatives), "image has", "images have")
            yield (
                f"{have} no label and {are(len(negatives))} taken as background everywhere: "
                f"{shorten(negatives, named)}; write the classes, or remove the rows, of those that show an object"
            )
        if absent := [name for name, count in self.classes.items() if count == 0]:
            lack = "has no train image, so it" if len(absent) == 1 else "have no train image, so they"
            them = "it" if len(absent) == 1 else "them"
            yield (
                f"{_classes(absent, named)} {lack} cannot be learned; add images with {them}, or remove {them} from "
                "data.classes"
            )
        if everywhere := [name for name, count in self.classes.items() if 0 < count == self.train]:
            what = ("is", "it", "its CAM means") if len(everywhere) == 1 else ("are", "them", "their CAMs mean")
            yield (
                f"{_classes(everywhere, named)} {what[0]} in every train image: the classifier cannot learn what "
                f"distinguishes {what[1]}, and {what[2]} little; add images without {what[1]} (an empty cell of labels "
                "means: no object)"
            )
        if few := self.few:
            few_named = [f"{name} {count}" for name, count in few.items()]
            have = counted(len(few), "class has", "classes have")
            yield f"{have} fewer than {FEW} train images: {shorten(few_named, named)}; more images of them help most"
        for name, count in self.few.items():
            larger = [other for other, images in self.classes.items() if images >= 4 * count]
            for near in get_close_matches(name, larger, n=1, cutoff=0.8):
                yield (
                    f"class '{name}' ({count}) is spelt almost like '{near}' ({self.classes[near]}); if that is a "
                    "slip, correct the table"
                )
        if 0 < self.train < SMALL:
            have = counted(self.train, "train image is", "train images are")
            yield (
                f"{have} few: expect usable labels for {'it' if self.train == 1 else 'them'}, but a "
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
        found.listed_by,
        found.hint,
        found.notes,
        found.files,
        dict(sorted(negatives.items())),
    )


def _classes(names: Sequence[str], named: int) -> str:
    """Return `class 'cat'`, or `2 classes ('cat', 'dog')`."""
    quoted = [f"'{name}'" for name in names]
    return f"class {quoted[0]}" if len(names) == 1 else f"{len(names)} classes ({shorten(quoted, named)})"
