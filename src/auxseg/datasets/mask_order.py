"""Why masks show other classes than the image-level labels: swapped mask values, or values that are read as none."""

from collections.abc import Iterator, Sequence

import numpy as np

from auxseg.counts import counted

_HIDDEN = "values that data.classes does not list are"
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
    order = _best(tags, shown, partial, _TIE * (1 - np.eye(len(names))))[1]
    for cycle in _cycles(order):
        before, after = (
            int((tags[:, cycle] & ~seen if partial else tags[:, cycle] != seen).any(axis=1).sum())
            for seen in (shown[:, cycle], shown[:, order[cycle]])
        )
        if before - after >= 2 and 2 * after <= before:
            yield _describe([names[one] for one in cycle], [values[order[one]] for one in cycle], before, after)


def unlisted_values(
    tags: np.ndarray, shown: Sequence[frozenset[int]], names: Sequence[str], values: Sequence[int], partial: bool
) -> str:
    """Return a sentence if values outside `data.classes` agree better with the labels than the listed ones; else ''.

    Args:
        tags: image-level labels, bool (images, C).
        shown: the values in each mask that are not the background's and not ignored, also unlisted ones.
        names: of the classes.
        values: the mask values that the classes have in the files.
        partial: only a label that the mask does not show is a disagreement.
    """
    found = sorted(frozenset().union(*shown))
    used = np.flatnonzero(tags.any(axis=0))
    if not len(used) or not set(found) - set(values):
        return ""
    marks = np.array([[value in one for value in found] for one in shown], bool)
    now = np.array([[values[index] in one for index in used] for one in shown], bool)
    before = int((tags[:, used] & ~now if partial else tags[:, used] != now).any(axis=1).sum())
    chosen, disagrees = assign(tags[:, used], marks, partial)
    after = int(disagrees.sum())
    right = {names[used[one]]: found[value] for one, value in chosen}
    if set(right.values()) <= set(values) or before - after < 2 or 2 * after > before:
        return ""
    listed = ", ".join(f"{name}: {value}" for name, value in right.items())
    hidden = counted(len(set(found) - set(values)), "value that data.classes does not list is", _HIDDEN)
    return (
        f"{hidden} read as data.unlisted says, but with {{{listed}}} in data.classes {before - after} of "
        f"{counted(before, 'mask')} that contradict would agree"
    )


def assign(tags: np.ndarray, marks: np.ndarray, partial: bool) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Give each class the mark in the masks, such as a colour, that agrees best with its labels.

    Args:
        tags: image-level labels, bool (images, C).
        marks: what the masks show, bool (images, K); a mark may be no class.
        partial: only a label that the mask does not show is a disagreement.

    Returns:
        The class and its mark, as positions, of up to min(C, K) classes; whether an image still disagrees, bool
        (images,).
    """
    found, given = _best(tags, marks, partial, 0.0)
    seen = np.zeros_like(tags)
    seen[:, found] = marks[:, given]
    disagrees: np.ndarray = (tags & ~seen if partial else tags != seen).any(axis=1)
    return list(zip(found.tolist(), given.tolist(), strict=True)), disagrees


def _best(tags: np.ndarray, marks: np.ndarray, partial: bool, extra: np.ndarray | float) -> tuple[np.ndarray, ...]:
    """Return classes and marks of the assignment with the fewest disagreements; `extra` is added to its cost."""
    from scipy.optimize import linear_sum_assignment  # slow to import, and few data sets have contradictions

    both = tags.T.astype(np.float64) @ marks
    cost = tags.sum(axis=0)[:, None] - both
    if not partial:
        cost = cost + marks.sum(axis=0)[None] - both
    found: tuple[np.ndarray, ...] = linear_sum_assignment(cost + extra)
    return found


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
