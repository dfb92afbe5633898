"""An image as a network takes it, and at which size."""

import numpy as np
import pytest
import torch

from auxseg.errors import ParamsError
from auxseg.models.inputs import to_tensor
from auxseg.params.runtime import RuntimeParams

CPU = torch.device("cpu")


def test_an_image_within_the_limits_is_passed_as_it_is():
    rgb = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    image = to_tensor(rgb, CPU, RuntimeParams(max_side=90, min_side=80))
    assert image.dtype == torch.float32
    assert np.array_equal(image[0].numpy().transpose(1, 2, 0), rgb)


def test_a_large_image_is_reduced_to_the_longest_side():
    rgb = np.zeros((600, 800, 3), np.uint8)
    rgb[:, 400:] = 200
    image = to_tensor(rgb, CPU, RuntimeParams(max_side=80))
    assert image.shape == (1, 3, 60, 80)
    assert image[..., :36].max() < 1 and image[..., 44:].min() > 199


def test_a_small_image_is_enlarged_if_asked_for():
    rgb = np.full((12, 20, 3), 7, np.uint8)
    assert to_tensor(rgb, CPU, RuntimeParams()).shape == (1, 3, 12, 20)
    image = to_tensor(rgb, CPU, RuntimeParams(min_side=100))
    assert image.shape == (1, 3, 60, 100) and torch.allclose(image, torch.tensor(7.0))


@pytest.mark.parametrize(("longer", "factor"), [(100, 3.2), (320, 1.0), (400, 0.8), (4000, 0.08)])
def test_with_one_side_for_all_images_all_are_seen_at_it(longer, factor):
    assert RuntimeParams(max_side=320, min_side=320).factor(longer) == pytest.approx(factor)


def test_limits_in_order():
    with pytest.raises(ParamsError, match="min_side must not be larger than max_side"):
        RuntimeParams.parse({"max_side": 200, "min_side": 300})
