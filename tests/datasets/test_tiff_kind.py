"""TIFFs that Pillow does not open or misreads: read where their meaning is plain, named where they are no images."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from auxseg.datasets.deep_images import AS_STORED, Depth, Reading, depth_of, read_image
from auxseg.datasets.mask_file import read_numbers
from auxseg.datasets.tiff_kind import tiff_kind
from auxseg.errors import DataError

GEO = [(34735, "H", 4, (1, 1, 0, 0), True)]
SHARE = np.random.default_rng(0).random((6, 8, 4))


def write(path, dtype, bands, colour="minisblack", planar=False, **options):
    """Write a TIFF of random values and return them, (H, W, bands)."""
    top = 1 if np.dtype(dtype).kind == "f" else min(np.iinfo(dtype).max, 65535)
    values = (SHARE[..., :bands] * top).astype(dtype)
    stored = np.moveaxis(values, 2, 0) if planar else values
    if bands > 1:
        options["planarconfig"] = "separate" if planar else "contig"
    tifffile.imwrite(path, stored[..., 0] if bands == 1 else stored, photometric=colour, **options)
    return values


@pytest.mark.parametrize(
    ("dtype", "bands", "said"),
    [
        ("float32", 1, "a TIFF with 1 band of 32-bit floats, which have no defined range"),
        ("float32", 3, "a TIFF with 3 bands of 32-bit floats"),
        ("float64", 1, "a TIFF with 1 band of 64-bit floats"),
        ("float16", 2, "a TIFF with 2 bands of 16-bit floats"),
        ("int8", 1, "a TIFF with 1 band of 8-bit signed integers"),
        ("int16", 1, "a TIFF with 1 band of 16-bit signed integers"),
        ("uint32", 1, "a TIFF with 1 band of 32-bit unsigned integers"),
        ("uint64", 4, "a TIFF with 4 bands of 64-bit unsigned integers"),
    ],
)
@pytest.mark.parametrize("reading", [AS_STORED, Reading(bits=12), Reading(bands=(1, 1, 1))], ids=["", "bits", "bands"])
def test_values_without_a_range_are_named(tmp_path, dtype, bands, said, reading):
    write(tmp_path / "a.tif", dtype, bands)
    with pytest.raises(DataError) as error:
        read_image(tmp_path / "a.tif", reading)
    assert said in str(error.value) and "gdal_translate -ot UInt16 -scale MIN MAX 0 65535" in str(error.value)
    assert "not a readable image" not in str(error.value)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("bands", [2, 3, 4])
def test_bands_that_are_no_colours_need_a_choice(tmp_path, dtype, bands, planar):
    values = write(tmp_path / "a.tif", dtype, bands, planar=planar)
    planes = ", one behind the other," if planar else ""
    said = rf"a TIFF with {bands} bands{planes} of {dtype[4:]}-bit unsigned integers, of which .* set data\.bands to"
    with pytest.raises(DataError, match=said):
        read_image(tmp_path / "a.tif", AS_STORED)
    found = read_image(tmp_path / "a.tif", Reading(bands=(2, 1, 1)))
    assert np.array_equal(found, np.rint(values[..., [1, 0, 0]] / (257 if dtype == "uint16" else 1)))
    assert depth_of(tmp_path / "a.tif") == Depth(int(values.max()) if dtype == "uint16" else None)


@pytest.mark.parametrize(
    ("dtype", "bands", "scale"), [("uint16", 3, 257), ("uint8", 4, 1), ("uint16", 4, 257), ("uint8", 3, 1)]
)
def test_colours_one_plane_behind_the_other(tmp_path, dtype, bands, scale):
    options = {"extrasamples": ["unspecified"]} if bands == 4 else {}
    values = write(tmp_path / "a.tif", dtype, bands, "rgb", planar=True, **options)
    assert np.array_equal(read_image(tmp_path / "a.tif", AS_STORED), np.rint(values[..., :3] / scale))
    assert depth_of(tmp_path / "a.tif").extra_bands == bands - 3


@pytest.mark.parametrize(("tags", "alpha", "blended"), [([], 77, True), (GEO, 77, False), (GEO, 0, True)])
def test_transparency_in_a_plane_of_its_own(tmp_path, tags, alpha, blended):
    values = (SHARE * 255).astype(np.uint8)
    values[..., 3] = alpha
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"], "extratags": tags}
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(values, 2, 0), planarconfig="separate", **options)
    tifffile.imwrite(tmp_path / "b.tif", values, planarconfig="contig", **options)
    found = read_image(tmp_path / "a.tif", AS_STORED)
    assert np.array_equal(found, read_image(tmp_path / "b.tif", AS_STORED))
    assert np.array_equal(found, values[..., :3]) != blended
    assert depth_of(tmp_path / "a.tif") == depth_of(tmp_path / "b.tif") == Depth(extra_bands=int(not blended))


def test_sixteen_bits_in_which_0_is_white(tmp_path):
    values = write(tmp_path / "a.tif", "uint16", 1, "miniswhite")
    assert np.array_equal(read_image(tmp_path / "a.tif", AS_STORED)[..., 1], 255 - np.rint(values[..., 0] / 257))
    tifffile.imwrite(tmp_path / "b.tif", values[..., 0] // 16, photometric="miniswhite")
    dark = read_image(tmp_path / "b.tif", Reading(bits=12))[..., 0]
    assert np.array_equal(dark, 255 - np.rint(values[..., 0] // 16 / 4095 * 255))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_deep_images_are_upright_too(tmp_path, name, orientation):
    """As without `data.bits`, which takes another reader."""
    values = (SHARE[..., 0] * 65535).astype(np.uint16)
    if name == "a.tif":
        tifffile.imwrite(tmp_path / name, values, extratags=[(274, "H", 1, orientation, True)])
    else:
        exif = Image.Exif()
        exif[274] = orientation
        Image.fromarray(values).save(tmp_path / name, exif=exif)
    assert np.array_equal(read_image(tmp_path / name, Reading(bits=16)), read_image(tmp_path / name, AS_STORED))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_ordinary_tiffs_are_read_as_before(tmp_path, mode):
    image = Image.fromarray((SHARE[..., :3] * 255).astype(np.uint8)).convert(mode)
    image.save(tmp_path / "a.tif")
    image.save(tmp_path / "b.tif", compression="tiff_lzw")
    assert np.array_equal(read_image(tmp_path / "a.tif", AS_STORED), read_image(tmp_path / "b.tif", AS_STORED))


def test_a_damaged_tiff_and_another_file(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0" + b"\1" * 20)
    assert tiff_kind(tmp_path / "a.tif") is None and tiff_kind(tmp_path / "a.png") is None
    with pytest.raises(DataError, match=r"a\.tif: not a readable image"):
        read_image(tmp_path / "a.tif", AS_STORED)


def test_a_mask_of_two_bands_is_told(tmp_path):
    write(tmp_path / "m.tif", "uint8", 2)
    with pytest.raises(DataError, match=r"class numbers in one band, but this one is a TIFF with 2 bands of 8-bit"):
        read_numbers(tmp_path / "m.tif")


def test_damage_after_the_first_page_does_not_matter(tmp_path):
    write(tmp_path / "a.tif", "uint16", 3, "rgb")
    whole, pixels = tiff_kind(tmp_path / "a.tif"), read_image(tmp_path / "a.tif", AS_STORED)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    start = int.from_bytes(content[4:8], "little")  # the first directory: a count, 12 bytes an entry, the next one
    after = start + 2 + 12 * int.from_bytes(content[start : start + 2], "little")
    content[after : after + 4] = (len(content) - 2).to_bytes(4, "little")
    (tmp_path / "a.tif").write_bytes(content)
    assert tiff_kind(tmp_path / "a.tif") == whole
    assert np.array_equal(read_image(tmp_path / "a.tif", AS_STORED), pixels)
