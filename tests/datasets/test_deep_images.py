"""12-bit images in 16-bit files, GeoTIFFs with near infrared, and many bands."""

import logging

import cv2
import numpy as np
import pytest
import tifffile
from builders import lines, photo
from PIL import Image

from auxseg.datasets.deep_images import Depth, Reading, depth_of, depth_warnings, read_image
from auxseg.datasets.manifest import read_manifest
from auxseg.datasets.photos import read_photo
from auxseg.datasets.prepare import prepare
from auxseg.errors import DataError
from auxseg.images import read_rgb
from auxseg.params.data import DataParams

TWELVE = np.array([[0, 8, 2048, 4095]], np.uint16)
SCALED = np.rint(TWELVE / 4095 * 255).astype(np.uint8)
BANDS = np.random.default_rng(0).integers(1, 255, (5, 6, 8), np.uint8)
GEO = [(34735, "H", 4, (1, 1, 0, 0), True)]
"""The tag that makes a TIFF a GeoTIFF."""


@pytest.mark.parametrize("name", ["grey.png", "grey.tif", "colour.png", "colour.tif"])
def test_twelve_bits_in_sixteen(tmp_path, name):
    path = tmp_path / name
    values = np.repeat(TWELVE[..., None], 3, 2) * np.array([1, 1, 0], np.uint16) if "colour" in name else TWELVE
    if name.endswith("tif"):
        tifffile.imwrite(path, values, photometric="rgb" if "colour" in name else "minisblack")
    else:
        cv2.imwrite(str(path), values[..., ::-1] if values.ndim == 3 else values)
    rgb = read_image(path, Reading(bits=12))
    assert np.array_equal(rgb[..., 0], SCALED)
    assert rgb[..., 2].max() == (0 if "colour" in name else 255)
    assert read_image(path, Reading()).max() <= 16  # almost black
    assert depth_of(path) == Depth(4095)
    with pytest.raises(DataError, match=r"has the value 4095, but data\.bits: 11 ends at 2047"):
        read_image(path, Reading(bits=11))


def test_bits_leave_images_of_8_bits_alone(tmp_path):
    photo(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png", Reading(bits=12)), read_rgb(tmp_path / "a.png"))
    assert depth_of(tmp_path / "a.png") == Depth()


@pytest.mark.parametrize(
    ("extra", "tags", "is_band"),
    [
        (["unspecified"], [], True),
        (["unassalpha"], [], False),
        (["unassalpha"], GEO, True),  # as GDAL writes any fourth band of 8 bits
        ([], [], True),
    ],
    ids=["unspecified", "alpha", "geotiff", "no tag"],
)
def test_near_infrared_is_not_taken_for_transparency(tmp_path, extra, tags, is_band):
    path = tmp_path / "a.tif"
    options = {"photometric": "rgb", "extratags": tags, "planarconfig": "contig"}
    tifffile.imwrite(path, np.moveaxis(BANDS[:4], 0, 2), extrasamples=extra or ["unspecified"], **options)
    if not extra:  # tifffile always writes the tag, so its number is changed to a private one
        content = path.read_bytes()
        path.write_bytes(
            content.replace((338).to_bytes(2, "little") + b"\3\0", (347).to_bytes(2, "little") + b"\3\0", 1)
        )
    rgb = read_image(path, Reading())
    assert np.array_equal(rgb, np.moveaxis(BANDS[:3], 0, 2)) == is_band
    assert depth_of(path).extra_bands == int(is_band)
    assert np.array_equal(read_image(path, Reading(bands=(4, 1, 2))), np.moveaxis(BANDS[[3, 0, 1]], 0, 2))


def test_a_geotiff_with_a_true_alpha_channel_keeps_it(tmp_path):
    values = np.moveaxis(BANDS[:4], 0, 2).copy()
    values[..., 3] = 255
    values[0, 0, 3] = 0
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["unassalpha"], extratags=GEO)
    assert read_image(tmp_path / "a.tif", Reading())[0, 0].tolist() == [255, 255, 255]
    assert depth_of(tmp_path / "a.tif") == Depth()


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_five_bands_need_a_choice(tmp_path, planar):
    values = BANDS if planar == "separate" else np.moveaxis(BANDS, 0, 2)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", planarconfig=planar)
    with pytest.raises(DataError, match=r"a\.tif: has 5 bands; set data\.bands to the three that are red, green"):
        read_image(tmp_path / "a.tif", Reading())
    found = read_image(tmp_path / "a.tif", Reading(bands=(5, 3, 1)))
    assert np.array_equal(found, np.moveaxis(BANDS[[4, 2, 0]], 0, 2))
    with pytest.raises(DataError, match=r"has 5 bands, but data\.bands names band 6"):
        read_image(tmp_path / "a.tif", Reading(bands=(6, 3, 1)))


@pytest.mark.parametrize(("name", "mode"), [("a.jpg", "RGB"), ("a.png", "L"), ("a.png", "RGBA"), ("a.png", "P")])
def test_bands_leave_other_files_alone(tmp_path, name, mode):
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees
    image = Image.fromarray(np.moveaxis(BANDS[:3], 0, 2)).convert(mode)
    if mode == "RGBA":
        image.putalpha(0)
    image.save(tmp_path / name, exif=exif)
    found = read_image(tmp_path / name, Reading(bands=(3, 2, 1)))
    assert np.array_equal(found, read_rgb(tmp_path / name)) and found.shape == (8, 6, 3)


def test_warnings_name_the_parameter():
    dark = list(depth_warnings([Depth(4095), Depth(100), Depth()], Reading()))
    assert dark[0].startswith("2 images have 16 bits, but the largest value is 4095 of 65535")
    assert dark[0].endswith("for images of 12 bits set data.bits: 12")
    assert list(depth_warnings([Depth(4095), Depth(60000)], Reading())) == []
    assert list(depth_warnings([Depth(4095)], Reading(bits=12))) == []
    assert "1 TIFF has a fourth band" in next(depth_warnings([Depth(extra_bands=1)], Reading()))


def test_prepare_warns_and_every_stage_reads_with_the_parameters(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path / "raw"))
    (tmp_path / "raw/images").mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(TWELVE).save(tmp_path / f"raw/images/{name}.png")
    lines(tmp_path / "raw/image_labels.csv", "image_id,labels", "a,cat;", "b,dog;")
    with caplog.at_level(logging.WARNING):
        prepare(
            DataParams(format="folder"),
            ["00"],
            tmp_path / "manifest",
            tmp_path / "masks",
            tmp_path / "contradictions.json",
        )
    assert "set data.bits: 12" in caplog.text
    header = (tmp_path / "manifest/train/00.csv").read_text().splitlines()[0]
    assert header == "id,path,width,height,split,labels,sha256"
    prepare(
        DataParams(format="folder", bits=12, bands=[1, 1, 1]),
        ["00"],
        tmp_path / "manifest",
        tmp_path / "masks",
        tmp_path / "contradictions.json",
    )
    record = read_manifest(tmp_path / "manifest")[0]
    assert (record.bits, record.bands) == (12, (1, 1, 1))
    assert np.array_equal(read_photo(tmp_path / "raw", record)[..., 1], SCALED)


@pytest.mark.parametrize("compression", ["lzw", "zstd", "deflate"])
@pytest.mark.parametrize("bands", [1, 3])
def test_sixteen_bits_however_they_are_compressed(tmp_path, compression, bands):
    values = np.random.default_rng(0).integers(0, 2**12, (40, 60, bands), np.uint16)
    kind = "rgb" if bands == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", np.squeeze(values), photometric=kind, compression=compression)
    assert depth_of(tmp_path / "a.tif") == Depth(int(values.max()))
    expected = np.rint(values / 4095 * 255) * np.ones(3)
    assert np.array_equal(read_image(tmp_path / "a.tif", Reading(bits=12)), expected)


def stack(path, kind):
    """Write an image with further pages or frames, or one that has nothing else that is an image."""
    pages = np.random.default_rng(0).integers(0, 255, (3, 40, 60), np.uint8)
    frames = [Image.fromarray(page).convert("RGB") for page in pages]
    if kind == "ImageJ":
        tifffile.imwrite(path, pages, imagej=True, metadata={"axes": "CYX"})
    elif kind == "OME":
        tifffile.imwrite(path, pages, ome=True, metadata={"axes": "CYX"}, photometric="minisblack")
    elif kind in ("WEBP", "GIF", "MPO"):
        frames[0].save(path, format=kind, save_all=True, append_images=frames[1:])
    else:
        with tifffile.TiffWriter(path) as file:
            file.write(pages[0])
            if kind == "pyramid":
                file.write(pages[0, ::2, ::2], subfiletype=1)
            if kind == "mask":
                file.write(pages[1] > 0, subfiletype=4)


@pytest.mark.parametrize(
    ("kind", "is_stack"),
    [
        ("ImageJ", True),
        ("OME", True),
        ("WEBP", True),
        ("GIF", True),
        ("MPO", False),
        ("pyramid", False),
        ("mask", False),
        ("one page", False),
    ],
)
def test_pages_that_nobody_reads_are_told(tmp_path, kind, is_stack):
    path = tmp_path / {"WEBP": "a.webp", "GIF": "a.jpg", "MPO": "a.jpg"}.get(kind, "a.tif")
    stack(path, kind)
    assert depth_of(path).has_more_pages == is_stack
    (*warnings,) = depth_warnings([depth_of(path)], Reading())
    assert [line.startswith("1 image has several pages or frames") for line in warnings] == [True] * is_stack
