"""Every kind of photo against pixels that were computed without `auxseg`, and both PNG kinds read back."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from auxseg.errors import DataError
from auxseg.images import (
    PALETTE,
    colourise,
    decode_grey,
    decode_indices,
    encode_grey,
    encode_label,
    read_grey_png,
    read_index_png,
    read_rgb,
)

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(pixels: np.ndarray, colour_type: int, bits: int, *extra: bytes) -> bytes:
    """Write a PNG by hand: `pixels` uint8 or big-endian uint16, (H, W) or (H, W, channels), unpacked."""
    height, width = pixels.shape[:2]
    wire = pixels.astype(">u2" if bits == 16 else np.uint8)
    if bits < 8:
        each = np.unpackbits(wire[..., None], axis=-1)[..., 8 - bits :].reshape(height, -1)
        lines = [np.packbits(row).tobytes() for row in each]
    else:
        lines = [row.tobytes() for row in wire]
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def header_of(png: bytes) -> tuple[int, int, int]:
    """Return bit depth, colour type and the number of palette entries, from the file's bytes."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and png[12:16] == b"IHDR"
    at, entries = 8, 0
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        entries = length // 3 if kind == b"PLTE" else entries
        at += 12 + length
    return png[24], png[25], entries


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


# --- quirk 3: a label of a small set keeps its 255 ---


@pytest.mark.parametrize("highest", [1, 3, 15, 20])
def test_label_png_is_8_bit_with_256_colours_whatever_the_number_of_classes(highest):
    label = np.array([[0, 1, highest], [255, 255, 0]], np.uint8)
    png = encode_label(label)
    assert header_of(png) == (8, 3, 256)
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), label)
        colours = np.asarray(image.convert("RGB"))
    assert colours[1, 0].tolist() == [224, 224, 192]
    assert colours[0, 1].tolist() == [128, 0, 0]
    assert np.array_equal(colours, colourise(label))


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_label_round_trip(label):
    png = encode_label(label)
    assert np.array_equal(decode_indices(png), label)
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], PALETTE[label])


@pytest.mark.parametrize("label", [np.array([[256]]), np.array([[-1]]), np.array([[0.5]])])
def test_label_out_of_range_is_a_programming_error(label):
    with pytest.raises(ValueError, match=r"within 0\.\.255"):
        encode_label(label)


def test_voc_palette_against_the_devkit():
    """The first 21 colours as published with the VOC devkit."""
    published = (
        "000000 800000 008000 808000 000080 800080 008080 808080 400000 c00000 408000 c08000 400080 c00080 "
        "408080 c08080 004000 804000 00c000 80c000 004080"
    )
    assert " ".join(bytes(colour).hex() for colour in PALETTE[:21].tolist()) == published


# --- quirk 2: a saliency PNG is grey and reads back what was written ---


def test_saliency_png_is_grey_and_not_black():
    values = np.array([[0.0, 0.06, 0.5, 1.0]], np.float32)
    png = encode_grey(values)
    assert header_of(png) == (8, 0, 0)
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "L"
        assert np.asarray(image).tolist() == [[0, 15, 128, 255]]
        assert np.asarray(image.convert("RGB"))[0, :, 0].tolist() == [0, 15, 128, 255]


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(0, 1, width=32)))
def test_saliency_round_trip_within_half_a_level(values):
    assert np.abs(decode_grey(encode_grey(values)) - values).max() <= 0.5 / 255 + 1e-6


def test_saliency_with_nan_is_rejected():
    with pytest.raises(ValueError, match="NaN"):
        encode_grey(np.array([[np.nan]]))


# --- masks as stored ---


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
