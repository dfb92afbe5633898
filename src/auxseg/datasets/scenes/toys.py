"""Toys and clutter: each has a body, and a toy also has the part that tells its class."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from auxseg.datasets.scenes import knobs
from auxseg.datasets.scenes.classes import BODY_COLOURS, TOYS
from auxseg.datasets.scenes.shapes import OUTLINES
from auxseg.datasets.scenes.textures import blur, mix, noise, soft


@dataclass(frozen=True)
class Toy:
    """The geometry of a toy (or of clutter) on its own small canvas of h x w pixels."""

    index: int
    """Class index 1..6, or 0 for clutter."""
    cover: np.ndarray
    """Coverage of body and part, float64 (h, w) in 0..1."""
    part: np.ndarray
    """Coverage of the part, float64 (h, w) in 0..1; all 0 where there is none."""
    pattern: np.ndarray
    """Share of the marking's colour within the part, float64 (h, w) in 0..1."""
    top: int = 0
    """Row of the image at the top of the canvas; may be negative."""
    left: int = 0
    """Column of the image at the left of the canvas; may be negative."""

    @property
    def mask(self) -> np.ndarray:
        """Pixels of the toy, bool (h, w)."""
        return self.cover >= 0.5

    @property
    def part_mask(self) -> np.ndarray:
        """Pixels of the part, bool (h, w), within `mask`."""
        return (self.part >= 0.5) & self.mask

    def at(self, top: int, left: int) -> "Toy":
        """Return the same toy at another position."""
        return replace(self, top=top, left=left)

    def windows(self, size: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return the overlap of image (size x size) and canvas, as slices of the image and slices of the canvas."""
        height, width = self.cover.shape
        rows = slice(max(self.top, 0), max(min(self.top + height, size), 0))
        columns = slice(max(self.left, 0), max(min(self.left + width, size), 0))
        inner = (
            slice(rows.start - self.top, rows.stop - self.top),
            slice(columns.start - self.left, columns.stop - self.left),
        )
        return (rows, columns), inner

    def on_image(self, values: np.ndarray, size: int) -> np.ndarray:
        """Return `values` (h, w) of the canvas as (size, size), 0 outside of it."""
        image = np.zeros((size, size), values.dtype)
        outer, inner = self.windows(size)
        image[outer] = values[inner]
        return image


def build(rng: np.random.Generator, index: int, diameter: float) -> Toy:
    """Build a toy of class `index`, or clutter for 0, at a random rotation; `diameter` in pixels."""
    names = list(OUTLINES)
    if index and rng.random() < knobs.BODY_OUTLINE_LOYALTY:
        names = list(TOYS[index - 1].outlines)
    outline = OUTLINES[names[rng.integers(len(names))]](rng)
    angle = rng.normal(0, 0.5) + (np.pi if rng.random() < 0.1 else 0)  # toys mostly stand upright
    flip = rng.choice((-1.0, 1.0))

    half = int(np.ceil(diameter * 0.85)) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / (diameter / 2)
    u = (np.cos(angle) * x + np.sin(angle) * y) * flip
    v = np.cos(angle) * y - np.sin(angle) * x
    cover = soft(outline(u, v), diameter / 2)
    part = pattern = np.zeros_like(cover)
    if index or rng.random() < knobs.CLUTTER_PLAIN_PATCH:
        part, pattern = _part(rng, index, u, v, cover, diameter / 2)
        cover = np.maximum(cover, part)

    rows, columns = np.nonzero(cover.max(1))[0], np.nonzero(cover.max(0))[0]
    crop = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Toy(index, cover[crop], part[crop], pattern[crop])


def _part(
    rng: np.random.Generator, index: int, u: np.ndarray, v: np.ndarray, cover: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Place the part at an end of the body: its coverage, and the share of the marking's colour."""
    share = rng.uniform(*knobs.PART_SHARE)
    # A rounded square of side 2r holds 3.7 r²; about a third of it lies off the body and so adds to the area.
    area = cover.sum() / radius**2 * share / (1 - 0.3 * share)
    r = np.sqrt(area / 3.7)
    reach = np.hypot(u, v)[cover > 0.5].max()
    bearing = rng.normal(0, 0.5)
    # the farthest body pixel in this direction, because legs and cabins make it differ from the nominal radius
    along = u * np.cos(bearing) + v * np.sin(bearing)
    aside = np.abs(v * np.cos(bearing) - u * np.sin(bearing))
    edge = along[(cover > 0.5) & (aside < 0.1)].max(initial=0.3 * reach)
    centre = max(edge - rng.uniform(0.25, 1.0) * r, 0.0)
    turn = bearing + rng.normal(0, 0.3)
    x, y = u - centre * np.cos(bearing), v - centre * np.sin(bearing)
    x, y = (np.cos(turn) * x + np.sin(turn) * y) / r, (np.cos(turn) * y - np.sin(turn) * x) / r
    part = soft(1 - (x**4 + y**4) ** 0.25, radius * r)
    pattern = soft(TOYS[index - 1].pattern(x, y), radius * r) if index else np.zeros_like(part)
    return part, pattern


def paint(rng: np.random.Generator, toy: Toy, around: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Paint a toy: float64 (h, w, 3), about 0..1, to be laid over the image by `toy.cover`.

    Args:
        rng: source of randomness.
        toy: the geometry.
        around: mean colour of the background about it, (3,).
        light: unit vector (x, y, z) towards the light; y points down, z to the viewer.
    """
    shape = toy.cover.shape
    body = _body_colour(rng, toy.index, around)
    belly = np.clip(body * rng.uniform(0.75, 1.25) + rng.normal(0, 0.04, 3), 0.03, 0.97)
    rise = np.linspace(0, 1, shape[0])[:, None] * np.ones(shape)
    surface = mix(body, belly, np.clip((rise - 0.5) * 3 + 0.5, 0, 1))
    stretch = rng.choice((0.35, 1.0, 1.0, 2.5))
    grain = noise(rng, shape, int(rng.integers(3, 9)), 3, rng.uniform(0.5, 0.9), stretch)
    surface = surface * (1 + grain * rng.uniform(*knobs.BODY_TEXTURE))[..., None]

    marking, ground = _part_colours(rng, toy.index)
    surface = mix(surface, mix(ground, marking, toy.pattern), toy.part)
    rim = np.clip(1 - np.abs(toy.part - 0.5) * 2, 0, 1) * toy.cover
    surface = surface * (1 - 0.35 * rim)[..., None]
    # the part is shaded less than the body, because its pattern would be lost in the full shade of the edge
    shade = _shade(toy.cover, light)
    return surface * (shade + toy.part * (1 - shade) * 0.6)[..., None]


def _body_colour(rng: np.random.Generator, index: int, around: np.ndarray) -> np.ndarray:
    names = list(BODY_COLOURS)
    if index and rng.random() < knobs.BODY_COLOUR_LOYALTY:
        names = list(TOYS[index - 1].colours)
    candidates = [
        BODY_COLOURS[names[rng.integers(len(names))]] + rng.normal(0, knobs.BODY_COLOUR_JITTER, 3) for _ in range(6)
    ]
    if rng.random() < knobs.CONTRAST_RATE:
        clear = [colour for colour in candidates if np.linalg.norm(colour - around) >= knobs.CONTRAST]
        candidates = clear or [max(candidates, key=lambda colour: np.linalg.norm(colour - around))]
    return np.clip(candidates[0], 0.04, 0.96)


def _part_colours(rng: np.random.Generator, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return colours of marking and ground: the class's own, or those of any classes, always far apart."""
    own = TOYS[index - 1] if index else None
    pairs = [(np.array(toy.marking), np.array(toy.ground)) for toy in TOYS]
    marking, ground = pairs[rng.integers(len(pairs))]
    swap = rng.random() < 0.3
    if own is not None and rng.random() < knobs.PART_COLOUR_LOYALTY:
        marking, ground = np.array(own.marking), np.array(own.ground)
    elif swap:
        marking, ground = ground, marking
    jitter = rng.normal(0, 0.05, (2, 3))
    return np.clip(marking + jitter[0], 0.02, 0.98), np.clip(ground + jitter[1], 0.02, 0.98)


def _shade(cover: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Return the brightness of a rounded surface, float64 (h, w), from the distance to the outline."""
    framed = np.pad((cover >= 0.5).astype(np.uint8), 1)
    # The 5 x 5 transform counts in fixed point, so it is the same on every processor; 3 x 3 shows octagons.
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float64)
    deepest = max(depth.max(), 1.0)
    height = deepest * np.sqrt(1 - (1 - depth / deepest) ** 2)
    height = blur(height, 0.12 * deepest + 0.6)
    slope_y, slope_x = np.gradient(height) if min(height.shape) > 1 else (height * 0, height * 0)
    normal_z = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    lambert = np.clip((light[2] - slope_x * light[0] - slope_y * light[1]) * normal_z, 0, 1)
    return 0.5 + 0.6 * lambert + 0.25 * lambert**24
