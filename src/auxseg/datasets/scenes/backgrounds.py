"""Backgrounds of scenes, made of noise, gradients and light."""

from collections.abc import Sequence

import numpy as np

from auxseg.datasets.scenes.textures import blur, mix, noise, soft

SURFACES = (
    (0.42, 0.50, 0.26),
    (0.34, 0.42, 0.22),
    (0.58, 0.50, 0.38),
    (0.70, 0.62, 0.48),
    (0.48, 0.47, 0.45),
    (0.62, 0.61, 0.58),
    (0.36, 0.28, 0.22),
    (0.72, 0.70, 0.66),
)
"""Colours of grounds: grass, leaves, earth, sand, asphalt, concrete, wood, plaster. RGB in 0..1."""

SKIES = ((0.62, 0.74, 0.88), (0.80, 0.84, 0.88), (0.86, 0.74, 0.62), (0.50, 0.62, 0.72), (0.74, 0.70, 0.64))
"""Colours above the horizon: clear, overcast, evening, haze, a wall."""


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return an empty scene, float64 (size, size, 3), about 0..1: a horizon, a surface or foliage."""
    kind = rng.choice(("horizon", "surface", "foliage"), p=(0.5, 0.3, 0.2))
    if kind == "horizon":
        image = _horizon(rng, size)
    elif kind == "surface":
        image = _surface(rng, size, _pick(rng, SURFACES), rng.uniform(0.4, 1.0))
    else:
        image = _foliage(rng, size)
    return blur(image, rng.uniform(0, 0.012) * size)  # the depth of field of a close-up


def _pick(rng: np.random.Generator, colours: Sequence[tuple[float, float, float]]) -> np.ndarray:
    return np.clip(np.array(colours[int(rng.integers(len(colours)))]) + rng.normal(0, 0.04, 3), 0.05, 0.95)


def _surface(rng: np.random.Generator, size: int, colour: np.ndarray, stretch: float) -> np.ndarray:
    """Paint a rough plane; `stretch` below 1 draws the grain along the rows, as perspective does."""
    rough = noise(rng, (size, size), int(rng.integers(3, 7)), 5, rng.uniform(0.55, 0.8), stretch)
    patches = noise(rng, (size, size), 2, 2)
    second = np.clip(colour * rng.uniform(0.7, 1.2) + rng.normal(0, 0.04, 3), 0, 1)
    image = mix(colour, second, np.clip(0.5 + 0.4 * patches, 0, 1))
    return image * (1 + rough * rng.uniform(0.05, 0.13))[..., None]


def _horizon(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint ground below and sky or wall above a line, with a row of low hills or furniture on it."""
    row, column = np.mgrid[:size, :size] / size
    level = rng.uniform(0.22, 0.55)
    sky = _pick(rng, SKIES)
    glow = np.clip(sky * rng.uniform(1.0, 1.25), 0, 1)
    above = mix(sky, glow, row / level * 0.8)
    clouds = noise(rng, (size, size), 2, 4, 0.5, 0.5)
    above = above + (clouds * rng.uniform(0.01, 0.05))[..., None]
    below = _surface(rng, size, _pick(rng, SURFACES), rng.uniform(0.25, 0.5))
    below = below * (0.85 + 0.3 * row)[..., None]
    wave = noise(rng, (1, size), 1, 4, 0.6, 4)[0]
    line = level + 0.01 * wave[None] + rng.uniform(-0.08, 0.08) * (column - 0.5)
    if rng.random() < 0.5:
        ridge = line - rng.uniform(0.04, 0.12) - 0.02 * noise(rng, (1, size), 1, 4, 0.6, 4)
        far = 0.5 * (_pick(rng, SURFACES) * 0.8 + sky) * (1 + 0.05 * clouds[..., None])
        above = mix(above, far, soft(row - ridge, size / 3))
    return mix(above, below, soft(row - line, size / 2))


def _foliage(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint out-of-focus leaves: patches of light and shade at several scales."""
    colour = _pick(rng, SURFACES[:3])
    leaves = noise(rng, (size, size), int(rng.integers(5, 10)), 4, 0.75, rng.uniform(0.6, 1.5))
    tint = noise(rng, (size, size), 3, 3)
    image = mix(colour, np.clip(colour * (1.25, 1.2, 0.9), 0, 1), np.clip(0.5 + 0.35 * tint, 0, 1))
    return image * (1 + 0.16 * leaves)[..., None]


def photograph(rng: np.random.Generator, image: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Return the scene as a camera would take it, uint8 RGB: light, vignette, white balance, exposure, blur, grain."""
    size = image.shape[0]
    y, x = np.mgrid[:size, :size] / size - 0.5
    fall = 1 + rng.uniform(0, 0.35) * (x * light[0] + y * light[1])
    vignette = 1 - rng.uniform(0.1, 0.5) * (x**2 + y**2)
    balance = rng.uniform(0.92, 1.08, 3) * rng.uniform(0.85, 1.12)
    image = np.clip(image * (fall * vignette)[..., None] * balance, 0, 1) ** rng.uniform(0.85, 1.2)
    image = blur(image, rng.uniform(0, 0.7) * size / 160)
    image = image + rng.standard_normal(image.shape) * rng.uniform(0.004, 0.025)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
