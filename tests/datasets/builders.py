"""Photos, masks and lists of a few bytes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.encoded import encode_label

THREE = {"cat": 8, "dog": 12, "cow": 10}
"""A class table: name -> mask value."""
TEN = [(n, [("cat",), ("dog",), ("cat", "cow"), ("cow", "dog"), ("cow",)][n % 5]) for n in range(10)]
"""Ten images and their labels: eight of them show cat or dog but not both, two only a cow."""


def photo(path: Path, size: tuple[int, int] = (6, 4), **options) -> None:
    """Write a small photo of `size` (width, height), of one colour that follows from its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = list(hashlib.sha256(path.name.encode()).digest()[:3])
    Image.fromarray(np.full((size[1], size[0], 3), colour, np.uint8)).save(path, **options)


def mask(path: Path, values: Sequence[int] = (0,), size: tuple[int, int] = (6, 4)) -> None:
    """Write a mask that holds each of `values`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size[0] * size[1], np.uint8)
    pixels[: len(values)] = values
    path.write_bytes(encode_label(pixels.reshape(size[1], size[0])))


def lines(path: Path, *rows: str) -> None:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows))
