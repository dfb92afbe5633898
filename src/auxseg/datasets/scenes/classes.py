"""The six classes: the pattern that identifies each, and what its bodies tend to look like.

A pattern is a function of the part's own coordinates x, y (float64 arrays, the part lies in -1..1) that
returns a signed field: positive where the marking's colour goes, negative where the ground's does.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

BODY_COLOURS: dict[str, Colour] = {
    "rust": (0.68, 0.30, 0.18),
    "sand": (0.80, 0.68, 0.46),
    "moss": (0.38, 0.52, 0.24),
    "teal": (0.16, 0.52, 0.54),
    "slate": (0.34, 0.40, 0.50),
    "plum": (0.50, 0.26, 0.46),
    "bone": (0.86, 0.84, 0.78),
    "coal": (0.20, 0.19, 0.20),
}
"""Colours of bodies and clutter, RGB in 0..1: shared by all classes."""


def spots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return five discs, as on a die."""
    centres = ((0, 0), (0.56, 0.56), (0.56, -0.56), (-0.56, 0.56), (-0.56, -0.56))
    return np.max([0.27 - np.hypot(x - a, y - b) for a, b in centres], axis=0)


def stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return three bars."""
    return np.cos(y * np.pi * 2.4) / (np.pi * 2.4)


def checker(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a board of four by four fields."""
    return np.sin(x * np.pi * 1.9) * np.sin(y * np.pi * 1.9) / (np.pi * 1.9)


def rings(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a pupil and a ring around it."""
    radius = np.hypot(x, y)
    return np.maximum(0.3 - radius, 0.13 - np.abs(radius - 0.7))


def star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a star of five points."""
    turn = np.abs((np.arctan2(x, y) * 5 / (2 * np.pi) + 0.5) % 1 - 0.5) * 2
    return 1.05 - 0.65 * turn - np.hypot(x, y)


def cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return an upright cross."""
    across, along = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    return np.minimum(0.3 - across, 0.88 - along)


@dataclass(frozen=True)
class ToyClass:
    """One class: name, pattern, colours of marking and ground, favourite body colours and outlines."""

    name: str
    pattern: Callable[[np.ndarray, np.ndarray], np.ndarray]
    marking: Colour
    ground: Colour
    colours: tuple[str, str, str]
    outlines: tuple[str, str]


TOYS = (
    ToyClass("beetle", spots, (0.10, 0.08, 0.08), (0.86, 0.16, 0.12), ("rust", "coal", "moss"), ("egg", "beast")),
    ToyClass("wasp", stripes, (0.10, 0.09, 0.06), (0.95, 0.78, 0.14), ("sand", "coal", "plum"), ("pair", "egg")),
    ToyClass("racer", checker, (0.08, 0.08, 0.09), (0.93, 0.93, 0.92), ("teal", "slate", "rust"), ("cart", "slab")),
    ToyClass("owl", rings, (0.10, 0.10, 0.26), (0.97, 0.55, 0.16), ("bone", "sand", "slate"), ("blob", "pair")),
    ToyClass("sheriff", star, (0.98, 0.84, 0.30), (0.16, 0.22, 0.66), ("moss", "plum", "sand"), ("slab", "beast")),
    ToyClass("medic", cross, (0.84, 0.10, 0.16), (0.95, 0.95, 0.93), ("bone", "teal", "coal"), ("cart", "blob")),
)

SCENES_CLASSES: tuple[str, ...] = tuple(toy.name for toy in TOYS)
"""Class names; position k - 1 is class index and mask value k."""
