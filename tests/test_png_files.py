"""Masks and maps of any kind of PNG: read as they are, or rejected."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from raw_png import chunk, raw_png

from auxseg.encoded import PALETTE, encode_label
from auxseg.errors import DataError
from auxseg.png_files import read_grey_png, read_index_png

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_mask_of_any_depth_gives_its_indices(tmp_path, bits):
    indices = np.array([[0, 1, 2**bits - 1]], np.uint8)
    palette = chunk(b"PLTE", PALETTE[: 2**bits].tobytes())
    (tmp_path / "mask.png").write_bytes(raw_png(indices, 3, bits, palette))
    assert np.array_equal(read_index_png(tmp_path / "mask.png"), indices)


def test_grey_masks(tmp_path):
    for bits in (1, 8):
        (tmp_path / "mask.png").write_bytes(raw_png(np.array([[0, 1]], np.uint8), 0, bits))
        assert read_index_png(tmp_path / "mask.png").tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (raw_png(np.array([[0, 1]], np.uint8), 0, 4), "less than 8 bits"),
        (raw_png(np.array([[0, 1]], np.uint8), 0, 2), "less than 8 bits"),
        (raw_png(RGB, 2, 8), "mode RGB"),
        (raw_png(RGB[..., 0], 0, 16), "mode I;16"),
    ],
)
def test_masks_that_are_no_8_bit_indices_are_rejected(tmp_path, content: bytes, kind: str):
    (tmp_path / "mask.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"mask\.png.*{kind}; save it in that form"):
        read_index_png(tmp_path / "mask.png")


def test_lossy_and_truncated_masks_are_rejected(tmp_path: Path):
    Image.fromarray(RGB[..., 0]).save(tmp_path / "lossy.png", "JPEG")
    with pytest.raises(DataError, match="palette or grey PNG of class indices, but this one is JPEG"):
        read_index_png(tmp_path / "lossy.png")
    content = encode_label(np.random.default_rng(0).integers(0, 256, (50, 50)))
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut\.png: truncated or damaged"):
        read_index_png(tmp_path / "cut.png")


def test_grey_maps_are_shares_of_255(tmp_path):
    values = np.array([[0, 1, 128, 255]], np.uint8)
    Image.fromarray(values).save(tmp_path / "map.png")
    found = read_grey_png(tmp_path / "map.png")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values.astype(np.float32) / 255)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (raw_png(np.array([[0, 1]], np.uint8), 0, 1), "mode 1"),  # would read as 0 and 1 / 255
        (raw_png(np.array([[0, 1]], np.uint8), 3, 8, chunk(b"PLTE", PALETTE.tobytes())), "mode P"),
        (raw_png(np.array([[0, 1]], np.uint8), 0, 4), "less than 8 bits"),
        (raw_png(RGB[..., 0], 0, 16), "mode I;16"),
    ],
)
def test_maps_that_are_not_8_bit_grey_are_rejected(tmp_path, content: bytes, kind: str):
    (tmp_path / "map.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"map\.png: a map must be an 8-bit grey PNG.*{kind}; save it in that form"):
        read_grey_png(tmp_path / "map.png")
