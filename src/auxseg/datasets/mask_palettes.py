"""Masks with a palette of their own in each file, as image optimisers leave them: the same value is another class.

The colours are still right there, so masks of this kind are read by them (`data.colours`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from auxseg.datasets.mask_order import assign

Colours = tuple[tuple[int, int], ...]
"""Stored value and colour (0xRRGGBB) of every value that a palette mask shows, in the class table or not."""

NAMED = 8
"""Number of classes whose colours a message lists."""
_MOST = 2000
"""Sets of masks with more colours have no palette of classes."""

FIX = (
    "so an image optimiser has probably re-ordered them: list the colour of each class, of the background (unless it "
    "is black) and of void in a CSV with the columns name,colour and set data.colours to it, which reads the masks by "
    "their colours; or use the masks as they were before"
)


def other_palettes(
    wrong: Sequence[tuple[str, Colours]], others: Iterable[tuple[str, Colours]] = (), values_too: bool = False
) -> str:
    """Return a sentence that names two files in which one colour has different values; '' without such a colour.

    Args:
        wrong: file and colours of the masks that are wrong; one of the two files is one of them.
        others: the same of further masks.
        values_too: of two wrong masks, one value with two colours counts too.
    """
    first: dict[int, tuple[int, str]] = {}
    for file, colours in wrong:
        for value, colour in _distinct(colours):
            before, other = first.setdefault(colour, (value, file))
            if before != value:
                return _differ(f"the colour #{colour:06x} has value {before} in {other} and {value} in {file}")
    for file, colours in others:
        for value, colour in _distinct(colours):
            before, other = first.get(colour, (value, file))
            if before != value:
                return _differ(f"the colour #{colour:06x} has value {before} in {other} and {value} in {file}")
    return _other_colours(wrong) if values_too else ""


def palettes_explain(
    masks: Sequence[tuple[str, Colours]], tags: np.ndarray, wrong: np.ndarray, names: Sequence[str], partial: bool
) -> str:
    """Return a sentence if the palettes differ between files and the colours agree with the labels; otherwise ''.

    A file whose one class has value 1 has the same values as a file of another class: only the colours differ. So here
    a value with two colours counts too, because the labels say whether they are those of classes.

    Args:
        masks: file and colours of every mask that is compared.
        tags: image-level labels, bool (masks, C).
        wrong: whether a mask contradicts its labels, bool (masks,).
        names: of the classes.
        partial: only a label that the mask does not show is a disagreement.
    """
    differ = other_palettes(masks, values_too=True)
    has_palette = np.array([bool(colours) for _, colours in masks], bool)
    used = np.flatnonzero(tags[has_palette].any(axis=0))
    counts = Counter(colour for _, colours in masks for _, colour in colours)
    shared = [colour for colour, count in counts.items() if count > 1]
    if not differ or not len(used) or not 0 < len(shared) <= _MOST:
        return ""
    listed = tags[has_palette][:, used]
    chosen, disagrees = assign(listed, _marks(masks, shared, 1), partial)
    _, of_values = assign(listed, _marks(masks, range(256), 0), partial)
    before, after = int(wrong[has_palette].sum()), int(disagrees.sum())
    # two tools with palettes of their own may give the same values, and then these explain more than the colours
    if before - after < 2 or 2 * after > before or after >= of_values.sum():
        return ""
    pairs = [f"{names[used[one]]} #{shared[other]:06x}" for one, other in chosen]
    shown = ", ".join([*pairs[:NAMED], *(["…"] if len(pairs) > NAMED else [])])
    return f"{differ}. By their colours ({shown}) {before - after} of {before} masks that contradict would agree"


def _marks(masks: Iterable[tuple[str, Colours]], known: Sequence[int], part: int) -> np.ndarray:
    """Return which of the `known` values (`part` 0) or colours (1) the masks with a palette show, bool (N, K)."""
    position = {one: number for number, one in enumerate(known)}
    rows = [[position[one[part]] for one in colours if one[part] in position] for _, colours in masks if colours]
    marks = np.zeros((len(rows), len(known)), bool)
    for row, found in enumerate(rows):
        marks[row, found] = True
    return marks


def _differ(how: str) -> str:
    return f"The palettes differ between files: {how}, {FIX}"


def _distinct(colours: Colours) -> list[tuple[int, int]]:
    """Return the values whose colour no other value has: a colour of two values says nothing about either."""
    counts = Counter(colour for _, colour in colours)
    return [(value, colour) for value, colour in colours if counts[colour] == 1]


def _other_colours(masks: Sequence[tuple[str, Colours]]) -> str:
    first: dict[int, tuple[int, str]] = {}
    for file, colours in masks:
        for value, colour in _distinct(colours):
            before, other = first.setdefault(value, (colour, file))
            if before != colour:
                return _differ(f"the value {value} is #{before:06x} in {other} and #{colour:06x} in {file}")
    return ""
