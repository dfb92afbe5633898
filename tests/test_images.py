"""Every kind of photo against pixels that were computed without `auxseg`."""

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from raw_png import chunk, raw_png

from auxseg.errors import DataError
from auxseg.images import read_rgb

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


def test_grey_and_colour_png(tmp_path):
    (tmp_path / "grey.png").write_bytes(raw_png(RGB[..., 0], 0, 8))
    (tmp_path / "rgb.png").write_bytes(raw_png(RGB, 2, 8))
    assert np.array_equal(read_rgb(tmp_path / "grey.png"), np.stack([RGB[..., 0]] * 3, axis=2))
    colour = read_rgb(tmp_path / "rgb.png")
    assert colour.dtype == np.uint8
    assert np.array_equal(colour, RGB)


def test_one_bit_is_black_and_white(tmp_path):
    (tmp_path / "bits.png").write_bytes(raw_png(np.array([[0, 1, 1]], np.uint8), 0, 1))
    assert read_rgb(tmp_path / "bits.png")[0, :, 1].tolist() == [0, 255, 255]


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    deep = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    (tmp_path / "deep.png").write_bytes(raw_png(deep, 0, 16))
    cv2.imwrite(str(tmp_path / "deep.tif"), deep)
    (tmp_path / "deep.pgm").write_bytes(b"P5 6 1 65535\n" + deep.astype(">u2").tobytes())
    for name in ("deep.png", "deep.tif", "deep.pgm"):
        assert read_rgb(tmp_path / name)[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255], name


def test_dark_sixteen_bit_grey_stays_dark(tmp_path):
    """A 16-bit night photo may have no value above 255; it is black, not an 8-bit photo."""
    (tmp_path / "night.png").write_bytes(raw_png(np.array([[0, 100, 255]], np.uint16), 0, 16))
    assert read_rgb(tmp_path / "night.png")[0, :, 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bit_colour_within_one_level(tmp_path, name):
    deep = np.random.default_rng(0).integers(0, 65536, (4, 5, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / name), deep[..., ::-1])
    expected = np.rint(deep / 257)
    assert np.abs(read_rgb(tmp_path / name).astype(int) - expected).max() <= 1


def test_alpha_is_laid_over_white(tmp_path):
    pixels = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    (tmp_path / "alpha.png").write_bytes(raw_png(pixels, 6, 8))
    row = read_rgb(tmp_path / "alpha.png")[0].astype(int)
    assert row[0].tolist() == [200, 100, 0]
    assert row[1].tolist() == [255, 255, 255]
    assert np.abs(row[2] - [244, 224, 204]).max() <= 1  # 0.2 of the colour and 0.8 of white


def test_grey_alpha_and_sixteen_bit_alpha(tmp_path):
    pixels = np.array([[[90, 255], [90, 0]]])
    (tmp_path / "la.png").write_bytes(raw_png(pixels, 4, 8))
    (tmp_path / "la16.png").write_bytes(raw_png(pixels * 257, 4, 16))
    (tmp_path / "rgba16.png").write_bytes(raw_png(pixels[..., [0, 0, 0, 1]] * 257, 6, 16))
    for name in ("la.png", "la16.png", "rgba16.png"):
        assert read_rgb(tmp_path / name)[0].tolist() == [[90] * 3, [255] * 3], name


def test_transparent_colour_is_white(tmp_path):
    transparent = chunk(b"tRNS", struct.pack(">HHH", *RGB[0, 1].tolist()))
    (tmp_path / "key.png").write_bytes(raw_png(RGB, 2, 8, transparent))
    expected = RGB.copy()
    expected[0, 1] = 255
    assert np.array_equal(read_rgb(tmp_path / "key.png"), expected)


def test_palette_photo_with_and_without_transparency(tmp_path):
    table = bytes([10, 20, 30, 200, 100, 50])
    indices = np.array([[0, 1]], np.uint8)
    palette, clear = chunk(b"PLTE", table), chunk(b"tRNS", bytes([0]))
    (tmp_path / "p.png").write_bytes(raw_png(indices, 3, 8, palette))
    (tmp_path / "t.png").write_bytes(raw_png(indices, 3, 8, palette, clear))
    assert read_rgb(tmp_path / "p.png")[0].tolist() == [[10, 20, 30], [200, 100, 50]]
    assert read_rgb(tmp_path / "t.png")[0].tolist() == [[255, 255, 255], [200, 100, 50]]


def test_cmyk_photo(tmp_path):
    """Cyan, magenta, yellow, black and no ink, flat 16 x 16 tiles so that JPEG keeps them."""
    inks = np.array([[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]], np.uint8)
    tiles = np.repeat(np.repeat(inks[None], 16, axis=0), 16, axis=1)
    Image.frombytes("CMYK", (80, 16), tiles.tobytes()).save(tmp_path / "cmyk.jpg", quality=100)
    expected = [[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0], [255, 255, 255]]
    assert np.abs(read_rgb(tmp_path / "cmyk.jpg")[8, 8::16].astype(int) - expected).max() <= 3


# what the stored pixels look like for each orientation of an upright image (EXIF 2.3, tag 274)
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[:, ::-1],
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_exif_orientation(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED[orientation](RGB))
    Image.fromarray(stored).save(tmp_path / f"turned{suffix}", exif=exif)
    assert np.array_equal(read_rgb(tmp_path / f"turned{suffix}"), RGB)


def test_exif_orientation_of_a_jpeg_and_of_sixteen_bits(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    left_white = np.zeros((16, 32), np.uint8)
    left_white[:, :16] = 255
    stored = np.ascontiguousarray(STORED[6](left_white))
    Image.fromarray(stored).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(stored.astype(np.uint16) * 257).save(tmp_path / "deep.png", exif=exif)
    for name in ("turned.jpg", "deep.png"):
        assert np.array_equal(read_rgb(tmp_path / name)[..., 0] > 127, left_white > 127), name


def test_damaged_exif_does_not_reject_a_good_photo(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "odd.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert np.array_equal(read_rgb(tmp_path / "odd.png"), RGB)


def test_float_photo_is_rejected(tmp_path):
    Image.fromarray(np.array([[0.0, 0.5]], np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(DataError, match=r"float\.tif: floating-point pixels have no defined range; save it with 8 or"):
        read_rgb(tmp_path / "float.tif")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tif"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_truncated_photo_is_rejected(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=f"cut{suffix}.*replace the file") as rejection:
        read_rgb(path)
    assert "\n" not in str(rejection.value)


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 10_000), value=st.integers(0, 255), suffix=st.sampled_from(["jpg", "png", "tif", "gif"]))
def test_a_flipped_byte_never_crashes(tmp_path_factory, at, value, suffix):
    buffer = io.BytesIO()
    Image.fromarray(np.tile(RGB, (8, 8, 1))).save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()))
    content = bytearray(buffer.getvalue())
    content[at % len(content)] = value
    path = tmp_path_factory.mktemp("flip") / f"a.{suffix}"
    path.write_bytes(content)
    try:
        assert read_rgb(path).ndim == 3
    except DataError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "an empty file"), (b"<html>\n</html>", "a text"), (b"%PDF\x00\xff", "another kind of file")],
)
def test_what_is_no_image_is_said_to_be_something_else(tmp_path, content, kind):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.jpg: not a readable image \(JPEG, .*\), but {kind}; replace the file"):
        read_rgb(tmp_path / "a.jpg")


def test_missing_photo_and_folder(tmp_path):
    with pytest.raises(DataError, match="no such image"):
        read_rgb(tmp_path / "none.jpg")
    with pytest.raises(DataError, match="a folder, but a file is expected"):
        read_rgb(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_turned_tiffs_are_upright(tmp_path, orientation, compression, dtype):
    """Pillow maps uncompressed files into memory, and those that are turned by 90 degrees with the wrong width."""
    values = np.random.default_rng(0).integers(0, 256, (6, 8)).astype(dtype)
    upright = {
        1: values,
        2: values[:, ::-1],
        3: values[::-1, ::-1],
        4: values[::-1],
        5: values.T,
        6: values[::-1].T,
        7: values[::-1, ::-1].T,
        8: values.T[::-1],
    }
    scale = 257 if dtype == np.uint16 else 1
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", values * dtype(scale), extratags=tags, compression=compression)
    assert np.array_equal(read_rgb(tmp_path / "a.tif")[..., 2], upright[orientation])
