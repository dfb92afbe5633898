"""HEIC, where pillow-heif is installed."""

import importlib

import numpy as np
import pytest

from auxseg.datasets.listing import Folder
from auxseg.images import HEIC_SUFFIXES, PHOTO_SUFFIXES, read_rgb


@pytest.mark.skipif(not HEIC_SUFFIXES, reason="pillow-heif is optional: pip install 'auxseg[heic]'")
def test_heic_is_an_image_like_others(tmp_path):
    heif = importlib.import_module("pillow_heif")
    pixels = np.full((32, 48, 3), (200, 40, 90), np.uint8)
    heif.from_bytes("RGB", (48, 32), pixels.tobytes()).save(tmp_path / "a.HEIC", quality=-1)
    assert Folder(tmp_path, ".", PHOTO_SUFFIXES).find("a") == "a.HEIC"
    found = read_rgb(tmp_path / "a.HEIC")
    assert found.shape == pixels.shape
    assert np.abs(found.astype(int) - pixels).max() <= 3
