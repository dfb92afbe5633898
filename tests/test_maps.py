"""Resizing of maps, against torch and loops."""

import numpy as np
import reference
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from auxseg.maps import upsample


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 20), st.integers(1, 20), st.integers(0, 99))
def test_upsample_against_torch_and_loops(h, w, height, width, seed):
    maps = np.random.default_rng(seed).random((2, h, w)).astype(np.float16)
    found = upsample(maps, height, width)
    assert found.dtype == np.float32
    tensor = torch.from_numpy(maps.astype(np.float32))[None]
    wanted = F.interpolate(tensor, size=(height, width), mode="bilinear", align_corners=False)[0]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(found[1], reference.bilinear(maps[1].astype(np.float64), height, width), atol=1e-5)


def test_upsample_nothing():
    assert upsample(np.zeros((0, 3, 4), np.float16), 6, 8).shape == (0, 6, 8)


def test_upsample_to_the_bit():
    """The report recomputes labels in another language: position in float64, then one float32 rounding a step."""
    maps = np.random.default_rng(0).random((1, 3, 5)).astype(np.float16).astype(np.float32)
    found = upsample(maps, 11, 13)[0]

    def neighbours(index, size, wanted):
        position = min(max((index + 0.5) * size / wanted - 0.5, 0), size - 1)
        first = int(position)
        return first, min(first + 1, size - 1), np.float32(position - first)

    one = np.float32(1)
    for y in range(11):
        top, bottom, down = neighbours(y, 3, 11)
        for x in range(13):
            left, right, along = neighbours(x, 5, 13)
            upper, lower = (maps[0, row, left] * (one - along) + maps[0, row, right] * along for row in (top, bottom))
            assert found[y, x] == upper * (one - down) + lower * down
