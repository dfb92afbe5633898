"""The user's own maps: passed through unchanged, or rejected in one line."""

import numpy as np
import pytest
from PIL import Image

from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.scan import content_sha256
from auxseg.encoded import decode_grey, decode_indices, encode_grey
from auxseg.errors import DataError, ParamsError
from auxseg.params.saliency import SaliencyParams
from auxseg.saliency import build_provider

RECORD = ImageRecord("one", "photos/one.jpg", 32, 16, "train", ("red",), "")
RGB = np.zeros((16, 32, 3), np.uint8)
ALL_VALUES = np.arange(512).reshape(16, 32).astype(np.uint8)  # 0..255 twice


@pytest.fixture
def provider(tmp_path):
    (tmp_path / "maps").mkdir()
    scanned = content_sha256(tmp_path / "maps", "path", "root")
    return build_provider(SaliencyParams(provider="precomputed", path="maps", sha256=scanned), tmp_path)


def test_passes_every_value_through(provider, tmp_path):
    Image.fromarray(ALL_VALUES).save(tmp_path / "maps/one.png")
    found = provider(RECORD, RGB)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, ALL_VALUES.astype(np.float32) / 255)
    content = encode_grey(found)
    np.testing.assert_array_equal(decode_indices(content), ALL_VALUES)
    assert encode_grey(decode_grey(content)) == content


def test_absolute_folder(tmp_path):
    Image.fromarray(ALL_VALUES).save(tmp_path / "one.png")
    params = SaliencyParams(provider="precomputed", path=str(tmp_path), sha256=content_sha256(tmp_path, "path", "root"))
    provider = build_provider(params, tmp_path / "elsewhere")
    assert provider(RECORD, RGB).shape == (16, 32)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.fromarray(ALL_VALUES[:, :31].copy()), "31x16 pixels, but its image has 32x16"),
        (Image.new("RGB", (32, 16)), "mode RGB"),
        (Image.new("RGBA", (32, 16)), "mode RGBA"),
        (Image.new("LA", (32, 16)), "mode LA"),
        (Image.new("P", (32, 16)), "mode P"),
        (Image.new("1", (32, 16)), "mode 1"),
        (Image.fromarray(ALL_VALUES.astype(np.uint16) * 257), "mode I;16"),
    ],
    ids=["size", "colour", "alpha", "grey-alpha", "palette", "1-bit", "16-bit"],
)
def test_rejects_another_kind(provider, tmp_path, image, reason):
    image.save(tmp_path / "maps/one.png")
    check(provider, tmp_path, reason)


@pytest.mark.parametrize("keep", [0, 20, 200])
def test_rejects_a_damaged_map(provider, tmp_path, keep):
    noise = np.random.default_rng(0).integers(0, 256, (16, 32), np.uint8)
    content = encode_grey(noise / 255)
    (tmp_path / "maps/one.png").write_bytes(content[:keep])
    check(provider, tmp_path, "not a readable image" if keep < 30 else "truncated or damaged PNG")


def test_rejects_a_missing_map(provider, tmp_path):
    check(provider, tmp_path, "no such saliency map; add it")
    (tmp_path / "maps/one.jpg").touch()
    check(provider, tmp_path, "no such saliency map; the folder has one.jpg, but only .png is read: convert it")


def check(provider, tmp_path, reason):
    with pytest.raises(DataError) as error:
        provider(RECORD, RGB)
    message = str(error.value)
    assert message.startswith(str(tmp_path / "maps/one.png")) and reason in message and "\n" not in message
    assert ";" in message  # the fix


def test_rejects_a_missing_folder(tmp_path):
    with pytest.raises(DataError, match=r"maps: no such folder; fix saliency\.path"):
        build_provider(SaliencyParams(provider="precomputed", path="maps", sha256="seen"), tmp_path)


def test_rejects_no_folder_given():
    with pytest.raises(ParamsError, match=r"saliency.*reads a folder of <id>\.png; set saliency\.path to it"):
        SaliencyParams.parse({"provider": "precomputed"})


@pytest.mark.parametrize(("values", "rejected"), [((0, 1), True), ((0, 255), False), ((0, 0), False)])
def test_a_folder_of_zeros_and_ones_is_rejected(tmp_path, values, rejected):
    """Divided by 255, one would be hardly salient at all."""
    for name, value in zip(("one", "two"), values, strict=True):
        Image.fromarray(np.full((16, 32), value, np.uint8)).save(tmp_path / f"{name}.png")
    params = SaliencyParams(provider="precomputed", path=".", sha256=content_sha256(tmp_path, "path", "root"))
    if rejected:
        with pytest.raises(DataError, match="only 0 and 1, but salient is 255"):
            build_provider(params, tmp_path)
    else:
        build_provider(params, tmp_path)
