"""Resizing of maps, against torch and loops."""

import numpy as np
import reference
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from auxseg.maps import strongest, upsample, upsampled_bands


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


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 40), st.integers(1, 9), st.integers(1, 12))
def test_bands_are_the_rows_of_the_whole(h, w, height, width, rows):
    maps = np.random.default_rng(0).random((3, h, w)).astype(np.float16)
    bands = list(upsampled_bands(maps, height, width, rows))
    assert [n for band, _ in bands for n in range(height)[band]] == list(range(height))
    assert all(values.shape[1] <= rows for _, values in bands)
    whole = upsample(maps, height, width)
    np.testing.assert_array_equal(np.concatenate([values for _, values in bands], axis=1), whole)


def test_strongest_is_the_argmax_of_the_whole():
    maps = np.random.default_rng(0).random((4, 9, 7))
    for height, width in ((9, 7), (600, 31)):  # 600 rows are three bands
        wanted = upsample(maps, height, width).argmax(axis=0)
        found = strongest(maps, height, width)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, wanted)


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
