"""Composition of scenes: where toys stand, which hide others, and the true mask that results."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auxseg.datasets.scenes import knobs
from auxseg.datasets.scenes.backgrounds import background, photograph
from auxseg.datasets.scenes.classes import SCENES_CLASSES
from auxseg.datasets.scenes.textures import blur, mix
from auxseg.datasets.scenes.toys import Toy, build, paint

SPLITS = ("train", "val")
"""Splits; the position enters the seed."""


@dataclass(frozen=True)
class Scene:
    """One image with everything that is known of it."""

    image: np.ndarray
    """RGB, uint8 (size, size, 3), 0..255."""
    mask: np.ndarray
    """Class indices of what is visible, uint8 (size, size), 0..6, 0 = background and clutter."""
    parts: np.ndarray
    """The same within visible parts, uint8 (size, size), 0 elsewhere."""
    toys: tuple[Toy, ...]
    """The tagged toys, front first."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Names of the classes in the image, in the order of class indices."""
        present = {toy.index for toy in self.toys}
        return tuple(name for index, name in enumerate(SCENES_CLASSES, 1) if index in present)


def compose(seed: int, split: str, number: int, size: int) -> Scene:
    """Make image `number` of a split, size x size pixels; it depends only on these four values."""
    rng = np.random.default_rng((seed, SPLITS.index(split), number))
    angle = rng.uniform(-2.4, -0.7)  # light comes from above
    light = np.array([np.cos(angle) * 0.7, np.sin(angle) * 0.7, 0.71])

    image = background(rng, size)
    toys = _plan(rng, _first_class(seed, split, number), size)
    clutter = [
        _place(rng, build(rng, 0, rng.uniform(*knobs.CLUTTER_SIZE) * size), size, truncated=True)
        for _ in range(rng.integers(knobs.CLUTTER[0], knobs.CLUTTER[1] + 1))
    ]
    occluders = _occluders(rng, toys, size)
    for piece in (*clutter, *reversed(toys), *occluders):
        _lay(rng, image, piece, light)
    mask, parts = masks_of((*occluders, *toys), size)
    return Scene(photograph(rng, image, light), mask, parts, tuple(toys))


def _first_class(seed: int, split: str, number: int) -> int:
    """Return the class of the front toy: each class once in every six images, in shuffled order."""
    count = len(SCENES_CLASSES)
    # seeded with four values, and `compose` with three, so that the two streams are independent
    order = np.random.default_rng((seed, SPLITS.index(split), number // count, 1)).permutation(count)
    return int(order[number % count]) + 1


def _plan(rng: np.random.Generator, first: int, size: int) -> list[Toy]:
    """Choose and place one to three toys, front first; a toy that does not fit is left out."""
    planned = 1 + int(rng.choice(3, p=knobs.OBJECTS))
    toys: list[Toy] = []
    for position in range(planned):
        index = first
        if position and rng.random() >= knobs.SAME_CLASS:
            index = int(rng.integers(len(SCENES_CLASSES))) + 1
        toy = build(rng, index, rng.uniform(*knobs.SIZES[planned - 1]) * size)
        overlap = rng.uniform(0, knobs.OVERLAP)
        taken = _taken(toys, size)
        for _ in range(8):
            placed = _place(rng, toy, size, truncated=rng.random() < knobs.TRUNCATED)
            hidden = (placed.on_image(placed.mask, size) & taken).sum() / placed.mask.sum()
            if hidden <= overlap and len(settle([*toys, placed], size)) > len(toys):
                toys.append(placed)
                break
    return toys


def _occluders(rng: np.random.Generator, toys: Sequence[Toy], size: int) -> list[Toy]:
    """Sometimes put a piece of clutter in front of a toy, such that every toy stays recognisable."""
    if rng.random() >= knobs.OCCLUDER:
        return []
    piece = build(rng, 0, rng.uniform(*knobs.CLUTTER_SIZE) * size)
    target = toys[int(rng.integers(len(toys)))]
    for _ in range(8):
        row = target.top + rng.uniform(0, 1) * target.cover.shape[0] - piece.cover.shape[0] / 2
        column = target.left + rng.uniform(0, 1) * target.cover.shape[1] - piece.cover.shape[1] / 2
        placed = piece.at(round(row), round(column))
        if len(settle([placed, *toys], size)) == len(toys) + 1:
            return [placed]
    return []


def _place(rng: np.random.Generator, toy: Toy, size: int, truncated: bool) -> Toy:
    """Place a toy at random: completely inside the image, or up to a sixth of it outside, but never its part."""
    height, width = toy.cover.shape
    over_y, over_x = (height // 6, width // 6) if truncated else (0, 0)
    top = int(rng.integers(min(-over_y, size - height), max(size - height + over_y, 0) + 1))
    left = int(rng.integers(min(-over_x, size - width), max(size - width + over_x, 0) + 1))
    placed = toy.at(top, left)
    if not toy.index or settle([placed], size):
        return placed
    return toy.at(int(np.clip(top, 0, max(size - height, 0))), int(np.clip(left, 0, max(size - width, 0))))


def _taken(toys: Sequence[Toy], size: int) -> np.ndarray:
    taken = np.zeros((size, size), bool)
    for toy in toys:
        taken |= toy.on_image(toy.mask, size)
    return taken


def settle(pieces: Sequence[Toy], size: int) -> list[Toy]:
    """Drop every toy of which too little is visible (`MIN_VISIBLE`, `MIN_PART_VISIBLE`); front first.

    A dropped toy is not painted, so an image never shows a toy that is not in its mask and labels.
    """
    taken = np.zeros((size, size), bool)
    kept = []
    for piece in pieces:
        mask = piece.on_image(piece.mask, size)
        if piece.index:
            seen = (mask & ~taken).sum() / piece.mask.sum()
            part = (piece.on_image(piece.part_mask, size) & ~taken).sum() / max(piece.part_mask.sum(), 1)
            if seen < knobs.MIN_VISIBLE or part < knobs.MIN_PART_VISIBLE:
                continue
        taken |= mask
        kept.append(piece)
    return kept


def masks_of(pieces: Sequence[Toy], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return class indices of what is visible and of visible parts, both uint8 (size, size); front first."""
    mask, parts = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    for piece in reversed(pieces):
        outer, inner = piece.windows(size)
        cover = piece.mask[inner]
        mask[outer][cover] = piece.index
        parts[outer][cover] = 0
        parts[outer][piece.part_mask[inner]] = piece.index
    return mask, parts


def _lay(rng: np.random.Generator, image: np.ndarray, piece: Toy, light: np.ndarray) -> None:
    """Paint a piece and its shadow over the image, in place."""
    size = image.shape[0]
    outer, inner = piece.windows(size)
    if not image[outer].size:  # wholly outside
        return
    surface = paint(rng, piece, image[outer].mean((0, 1)), light)

    reach = max(piece.cover.shape) * rng.uniform(0.03, 0.1)
    shadow = blur(piece.on_image(piece.cover, size), reach * 0.8 + 0.5)
    shift = (round(-light[1] * reach * 1.5), round(-light[0] * reach * 1.5))
    image *= 1 - rng.uniform(0.25, 0.55) * np.roll(shadow, shift, (0, 1))[..., None]
    image[outer] = mix(image[outer], surface[inner], piece.cover[inner])
