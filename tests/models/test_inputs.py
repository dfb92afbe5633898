import numpy as np
import torch

from auxseg.models.inputs import to_tensor

CPU = torch.device("cpu")


def test_a_small_photograph_is_passed_as_it_is():
    rgb = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    image = to_tensor(rgb, CPU, max_side=20)
    assert image.dtype == torch.float32
    assert np.array_equal(image[0].numpy().transpose(1, 2, 0), rgb)


def test_a_large_photograph_is_reduced_to_the_longest_side():
    rgb = np.zeros((300, 400, 3), np.uint8)
    rgb[:, 200:] = 200
    image = to_tensor(rgb, CPU, max_side=40)
    assert image.shape == (1, 3, 30, 40)
    assert image[..., :18].max() < 1 and image[..., 22:].min() > 199
