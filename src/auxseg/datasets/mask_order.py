"""Why masks show other classes than the image-level labels: swapped mask values, or palettes that differ by file."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from auxseg.datasets.manifest import ClassTable

Colours = tuple[tuple[int, int], ...]
"""Class index and colour (0xRRGGBB) of every class that a palette mask shows; the background's index is 0."""

_TIE = 1e-6
"""Cost of another order, far less than one image: of two equally good orders, the one in use wins."""


def other_order(
    tags: np.ndarray, shown: np.ndarray, names: Sequence[str], values: Sequence[int], partial: bool
) -> Iterator[str]:
    """Yield a sentence for every set of classes whose mask values are exchanged.

    The order of the mask's classes that agrees best with the labels is found over all images (an assignment problem).
    A set counts if its order halves the number of images that disagree on it, and at least two of them become right.

    Args:
        tags: image-level labels, bool (images, C).
        shown: classes in the masks, bool (images, C).
        names: of the classes.
        values: the mask values that the classes have in the files.
        partial: only a label that the mask does not show is a disagreement.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import, and few data sets have contradictions

    both = tags.T.astype(np.float64) @ shown
    cost = tags.sum(axis=0)[:, None] - both
    if not partial:
        cost = cost + shown.sum(axis=0)[None] - both
    _, order = linear_sum_assignment(cost + _TIE * (1 - np.eye(len(names))))
    for cycle in _cycles(order):
        before, after = (
            int((tags[:, cycle] & ~seen if partial else tags[:, cycle] != seen).any(axis=1).sum())
            for seen in (shown[:, cycle], shown[:, order[cycle]])
        )
        if before - after >= 2 and 2 * after <= before:
            yield _describe([names[one] for one in cycle], [values[order[one]] for one in cycle], before, after)


def _cycles(order: np.ndarray) -> Iterator[list[int]]:
    """Yield the cycles of a permutation that have two or more members, each from its smallest member on."""
    seen: set[int] = set()
    for start in range(len(order)):
        cycle, position = [], start
        while position not in seen:
            seen.add(position)
            cycle.append(position)
            position = int(order[position])
        if len(cycle) > 1:
            yield cycle


def _describe(cycle: Sequence[str], values: Sequence[int], before: int, after: int) -> str:
    names = [f"'{name}'" for name in cycle]
    right_values = ", ".join(f"{name}: {value}" for name, value in zip(cycle, values, strict=True))
    what = (
        f"The mask values of {' and '.join(names)} are probably swapped"
        if len(cycle) == 2
        else f"The mask values of {', '.join(names)} are probably in another order"
    )
    right = f"{before - after} of {before} images that disagree on them would agree"
    return f"{what}: with {{{right_values}}} in data.classes {right}"


def other_palettes(masks: Iterable[tuple[str, Colours]], classes: ClassTable) -> str:
    """Return a sentence that names two files in which one colour has different values; '' without such a colour.

    Args:
        masks: file and colours of every mask; earlier ones are named first.
        classes: the class table.
    """
    first: dict[int, tuple[int, str]] = {}
    for file, colours in masks:
        alone = {colour: index for index, colour in colours}
        if len(alone) < len(colours):  # two classes of one colour: the palette means nothing
            continue
        for colour, index in alone.items():
            before, other = first.setdefault(colour, (index, file))
            if before != index:
                value, other_value = (0 if one == 0 else classes.values[one - 1] for one in (index, before))
                return (
                    f"The palettes differ between files: the colour #{colour:06x} has value {other_value} in {other} "
                    f"and {value} in {file}, so an image optimiser has probably re-ordered them: use the masks as they "
                    "were before, or write their values again from the colours"
                )
    return ""
