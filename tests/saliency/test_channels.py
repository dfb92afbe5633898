"""Maps of background removers: cut-outs in RGBA, maps in RGB, and the channel that is read."""

import numpy as np
import pytest
from PIL import Image

from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.scan import content_sha256
from auxseg.errors import DataError
from auxseg.params.saliency import SaliencyParams
from auxseg.saliency import build_provider

RECORD = ImageRecord("one", "photos/one.jpg", 32, 16, "train", ("red",), "")
RGB = np.zeros((16, 32, 3), np.uint8)
RGBA = np.random.default_rng(0).integers(0, 256, (16, 32, 4), np.uint8)


def prior(folder, pixels, channel):
    Image.fromarray(pixels).save(folder / "one.png")
    params = SaliencyParams(
        provider="precomputed", path=str(folder), sha256=content_sha256(folder, "path", "root"), channel=channel
    )
    return build_provider(params, folder)(RECORD, RGB)


@pytest.mark.parametrize(("channel", "position"), [("red", 0), ("green", 1), ("blue", 2), ("alpha", 3)])
def test_each_channel_of_a_cut_out(tmp_path, channel, position):
    found = prior(tmp_path, RGBA, channel)
    assert found.dtype == np.float32
    assert np.array_equal(found, RGBA[..., position].astype(np.float32) / 255)


def test_luminance_of_a_grey_map_in_rgb_is_its_value(tmp_path):
    grey = np.repeat(RGBA[..., :1], 3, axis=2)
    assert np.array_equal(prior(tmp_path, grey, "luminance"), RGBA[..., 0].astype(np.float32) / 255)


def test_alpha_of_a_palette_png(tmp_path):
    image = Image.fromarray(np.zeros((16, 32), np.uint8), "P")
    image.putpalette([9, 9, 9])
    image.save(tmp_path / "one.png", transparency=bytes([51]))
    params = SaliencyParams(
        provider="precomputed", path=str(tmp_path), sha256=content_sha256(tmp_path, "path", "root"), channel="alpha"
    )
    assert np.unique(build_provider(params, tmp_path)(RECORD, RGB)).tolist() == [np.float32(0.2)]


@pytest.mark.parametrize(
    ("pixels", "channel", "message"),
    [
        (RGBA, "grey", r"one\.png: a map must be an 8-bit grey PNG"),
        (RGBA[..., :3], "alpha", r"one\.png: has no alpha channel; set saliency\.channel"),
        (RGBA[..., 0].astype(np.uint16), "red", r"one\.png: a map must be a PNG of 8 bits"),
    ],
)
def test_maps_without_the_channel_are_rejected(tmp_path, pixels, channel, message):
    with pytest.raises(DataError, match=message):
        prior(tmp_path, pixels, channel)
