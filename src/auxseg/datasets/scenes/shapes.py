"""Outlines of bodies, as signed fields over the unit square.

An outline is a function of coordinates u, v (float64 arrays in the toy's own frame, roughly -1..1) that returns the
approximate distance to the edge, positive inside. Each builder draws its proportions from a generator, so outlines
vary.
"""

from collections.abc import Callable

import numpy as np

Outline = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _ellipse(u: np.ndarray, v: np.ndarray, a: float, b: float) -> np.ndarray:
    return (1 - np.hypot(u / a, v / b)) * min(a, b)


def _box(u: np.ndarray, v: np.ndarray, a: float, b: float) -> np.ndarray:
    return (1 - ((u / a) ** 4 + (v / b) ** 4) ** 0.25) * min(a, b)


def _capsule(u: np.ndarray, v: np.ndarray, end: tuple[float, float], radius: float) -> np.ndarray:
    """Return the distance to the thick segment from the origin to `end`."""
    along = np.clip((u * end[0] + v * end[1]) / (end[0] ** 2 + end[1] ** 2), 0, 1)
    return radius - np.hypot(u - along * end[0], v - along * end[1])


def _join(first: np.ndarray, second: np.ndarray, width: float = 0.18) -> np.ndarray:
    """Return the union with the inner corners rounded over `width`."""
    overlap = np.maximum(width - np.abs(first - second), 0) / width
    return np.maximum(first, second) + overlap**2 * width / 4


def egg(rng: np.random.Generator) -> Outline:
    """Build an ellipse, thicker at one end."""
    aspect, taper = rng.uniform(0.55, 0.9), rng.uniform(-0.25, 0.25)
    return lambda u, v: _ellipse(u, v / (1 + taper * u), 1.0, aspect)


def blob(rng: np.random.Generator) -> Outline:
    """Build a star-shaped blob of four harmonics."""
    order = np.arange(2, 6)
    amplitude = rng.uniform(0.02, 0.2, 4) / np.sqrt(order - 1)
    phase = rng.uniform(0, 2 * np.pi, 4)

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        waves = np.cos(np.arctan2(v, u)[..., None] * order + phase) @ amplitude
        return 0.78 * (1 + waves) - np.hypot(u, v)

    return field


def slab(rng: np.random.Generator) -> Outline:
    """Build a box with round corners."""
    aspect, lean = rng.uniform(0.45, 0.85), rng.uniform(-0.2, 0.2)
    return lambda u, v: _box(u + lean * v, v, 0.92, aspect)


def pair(rng: np.random.Generator) -> Outline:
    """Build two lobes that run into each other."""
    big, small = rng.uniform(0.5, 0.62), rng.uniform(0.34, 0.46)
    apart, drift = big + rng.uniform(0.5, 0.8) * small, rng.uniform(-0.25, 0.25)

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        lobe = _ellipse(u + 0.38 - apart, v - drift, small, small)
        return _join(_ellipse(u + 0.38, v, big, big), lobe, 0.3)

    return field


def beast(rng: np.random.Generator) -> Outline:
    """Build an ellipse with two to four legs and perhaps a tail."""
    aspect = rng.uniform(0.42, 0.6)
    feet = np.linspace(-0.6, 0.6, int(rng.integers(2, 5))) + rng.uniform(-0.08, 0.08)
    radius, reach = rng.uniform(0.09, 0.14), rng.uniform(0.7, 0.9)
    tail = rng.uniform(-0.5, 0.1) if rng.random() < 0.6 else None

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        inside = _ellipse(u, v, 0.85, aspect)
        for foot in feet:
            inside = _join(inside, _capsule(u - 0.75 * foot, v, (0.25 * foot, reach), radius))
        if tail is not None:
            inside = _join(inside, _capsule(u + 0.6, v, (-0.45, tail), 0.09))
        return inside

    return field


def cart(rng: np.random.Generator) -> Outline:
    """Build a low box with a cabin and two wheels."""
    height, cabin = rng.uniform(0.28, 0.4), rng.uniform(-0.35, 0.35)
    wheel, base = rng.uniform(0.2, 0.28), rng.uniform(0.45, 0.62)

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        inside = _join(_box(u, v, 0.95, height), _box(u - cabin, v + height, 0.45, 0.4), 0.1)
        for side in (-base, base):
            inside = np.maximum(inside, wheel - np.hypot(u - side, v - height))
        return inside

    return field


OUTLINES: dict[str, Callable[[np.random.Generator], Outline]] = {
    "egg": egg,
    "blob": blob,
    "slab": slab,
    "pair": pair,
    "beast": beast,
    "cart": cart,
}
"""Builders by name."""
