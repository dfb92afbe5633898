"""Images whose mask contradicts their image-level labels, with the likeliest cause.

`prepare` compares the two and writes the result to a file of its own, which only the stage `audit` reads. No stage that
leads to a model may read it, because it says where masks and labels differ.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Self

import numpy as np

from auxseg.artifacts.atomic import write_json
from auxseg.counts import counted
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_order import other_order, unlisted_values
from auxseg.datasets.mask_palettes import Colours, other_palettes, palettes_explain
from auxseg.errors import DataError, shorten
from auxseg.files import read_json

SHOWN = 3
"""Number of classes that a message names."""
EVERYWHERE = 0.9
"""Share of the masks that show a class from which on its value may be the background's."""


@dataclass(frozen=True)
class MaskedImage:
    """An image with a mask: `tags` and `shown` are the class indices (1..C) of its labels and of its mask.

    `mask` is relative to the data root. `values`: the stored values that may be classes, also unlisted ones. `colours`:
    see `auxseg.datasets.mask_palettes`.
    """

    id: str
    split: str
    mask: str
    tags: frozenset[int]
    shown: frozenset[int]
    values: frozenset[int] = frozenset()
    colours: Colours = ()


@dataclass(frozen=True)
class Contradiction:
    """One image: the labels that its mask does not show, and the classes in its mask that are not among its labels."""

    id: str
    split: str
    not_shown: tuple[str, ...]
    not_tagged: tuple[str, ...]


@dataclass(frozen=True)
class Contradictions:
    """What `prepare` found: the number of compared images, those that contradict, and a message ('' without any).

    `cause`: the part of the message that explains the contradictions, or '' if no single cause does.
    """

    compared: int
    images: tuple[Contradiction, ...] = ()
    message: str = ""
    cause: str = field(default="", compare=False)

    @property
    def are_most(self) -> bool:
        """Whether more than half of the compared images contradict their mask."""
        return 2 * len(self.images) > self.compared

    def rows(self) -> list[dict[str, str]]:
        """Return the images as rows of text, for a table."""
        return [
            {
                "image": one.id,
                "split": one.split,
                "labelled, not in the mask": ", ".join(one.not_shown),
                "in the mask, not labelled": ", ".join(one.not_tagged),
            }
            for one in self.images
        ]

    def lines(self) -> list[str]:
        """Return a line for each image."""
        lines = []
        for one in self.images:
            parts = [f"its mask does not show {_quoted(one.not_shown)}"] if one.not_shown else []
            parts += [f"its mask shows {_quoted(one.not_tagged)} without a label"] if one.not_tagged else []
            lines.append(f"'{one.id}' ({one.split}): {' and '.join(parts)}; correct the label or the mask")
        return lines

    def write(self, path: Path) -> None:
        """Write the result as JSON."""
        write_json(path, {"compared": self.compared, "message": self.message, "images": list(map(asdict, self.images))})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            DataError: the file is missing or damaged.
        """
        try:
            values = read_json(path)
            images = tuple(
                Contradiction(row["id"], row["split"], tuple(row["not_shown"]), tuple(row["not_tagged"]))
                for row in values["images"]
            )
            return cls(int(values["compared"]), images, str(values["message"]))
        except (OSError, DataError, ValueError, KeyError, TypeError, OverflowError) as error:  # the last: Infinity
            raise DataError(f"{path}: not readable ({error}); run the stage prepare again") from None


def find_contradictions(
    images: Iterable[MaskedImage],
    classes: ClassTable,
    tags: Literal["complete", "partial"],
    values: Sequence[int] | None,
) -> Contradictions:
    """Compare masks and image-level labels.

    Args:
        images: those with a mask. A val image without labels is not compared, because its labels may be unknown.
        classes: the class table.
        tags: partial: the labels name only some of the classes in an image, so a further class in a mask is right.
        values: the mask values of the classes in the files; None where masks show a class by its name or colour, so
            that no values can be swapped.
    """
    compared = [image for image in images if image.tags or image.split == "train"]
    found, wrong = [], []
    for image in compared:
        not_shown = image.tags - image.shown
        not_tagged = image.shown - image.tags if tags == "complete" else frozenset()
        if not_shown or not_tagged:
            wrong.append(image)
            found.append(Contradiction(image.id, image.split, _names(not_shown, classes), _names(not_tagged, classes)))
    if not found:
        return Contradictions(len(compared))
    cause = _cause(compared, wrong, classes, tags == "partial", values)
    known = cause or _most_frequent(found, values is not None)
    first = _first(found[0], wrong[0].mask)
    contradict = "contradicts" if len(found) == len(compared) == 1 else "contradict"
    share = f"{len(found)} of {counted(len(compared), 'mask')} {contradict}"
    message = f"{share} the image-level labels, first {first}. {known}"
    return Contradictions(len(compared), tuple(found), message, cause)


def _cause(
    compared: Sequence[MaskedImage],
    wrong: Sequence[MaskedImage],
    classes: ClassTable,
    partial: bool,
    values: Sequence[int] | None,
) -> str:
    """Return what explains the contradictions, or ''.

    Under palettes that differ between files no value means anything, so nothing is said of values then.
    """
    tagged = _table([image.tags for image in compared], classes)
    is_wrong = np.isin([image.id for image in compared], [image.id for image in wrong])
    masks = [(image.mask, image.colours) for image in compared]
    if palettes := palettes_explain(masks, tagged, is_wrong, classes.names, partial):
        return palettes
    causes = [other_palettes([(image.mask, image.colours) for image in wrong], masks)]
    if values is not None:
        shown = _table([image.shown for image in compared], classes)
        hidden = unlisted_values(tagged, [image.values for image in compared], classes.names, values, partial)
        causes += [hidden] if hidden else other_order(tagged, shown, classes.names, values, partial)
        causes += _as_background(tagged, shown, classes.names, values)
    return ". ".join(filter(None, causes))


def _as_background(tagged: np.ndarray, shown: np.ndarray, names: Sequence[str], values: Sequence[int]) -> Iterator[str]:
    """Yield a sentence if nearly every mask shows one class, as they do the background, and few labels name it."""
    labels, masks = tagged.sum(axis=0), shown.sum(axis=0)
    (found,) = np.nonzero((masks >= EVERYWHERE * len(shown)) & (2 * labels <= masks))
    if len(found) == 1:  # several: the labels name only the main class of each image
        one = found[0]
        where = f"{masks[one]} of {counted(len(shown), 'mask')}"
        yield (
            f"'{names[one]}' is in {where} and in the labels of {labels[one]}: its mask value {values[one]} is "
            "probably that of the background; set data.background to it and fix data.classes"
        )


def _first(one: Contradiction, mask: str) -> str:
    parts = []
    if one.not_shown:
        parts.append(f"does not show {_quoted(one.not_shown)}")
    if one.not_tagged:
        parts.append(f"shows {_quoted(one.not_tagged)} without a label")
    return f"{mask}, which {' and '.join(parts)}"


def _most_frequent(found: Sequence[Contradiction], has_values: bool) -> str:
    """Return what contradicts most often, where no single cause explains it."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        counts.update((name, "not shown") for name in one.not_shown)
        counts.update((name, "shown without a label") for name in one.not_tagged)
    shown = [f"'{name}' {what} in {count}" for (name, what), count in counts.most_common(SHOWN)]
    fix = f"correct the labels, the masks, or the {'mask values' if has_values else 'names'} in data.classes"
    if any(one.not_tagged for one in found):
        fix += "; if the labels name only some of the classes, set data.tags to partial"
    return f"Most often {', '.join(shown)}; {fix}"


def _names(indices: Iterable[int], classes: ClassTable) -> tuple[str, ...]:
    return tuple(classes.names[index - 1] for index in sorted(indices))


def _quoted(names: Sequence[str]) -> str:
    return shorten((f"'{name}'" for name in names), SHOWN)


def _table(rows: Sequence[frozenset[int]], classes: ClassTable) -> np.ndarray:
    """Return class indices as bool (images, C)."""
    table = np.zeros((len(rows), len(classes)), bool)
    for row, indices in enumerate(rows):
        table[row, [index - 1 for index in indices]] = True
    return table
