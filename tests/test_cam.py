"""Multi-scale CAMs: scales, the explicit sum over views, normalisation."""

import numpy as np
import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from on_gpu import copies, on_gpu
from tiny_networks import picture, tiny_classifier

from auxseg import cam
from auxseg.cam import multi_scale_cam
from auxseg.models.inputs import scaled


class Mean:
    """A network whose CAM c is the mean of colour c over blocks of 8 x 8, less a constant: linear in the image."""

    def __init__(self, less=0.0):
        self.less = less

    def backbone(self, images):
        return torch.nn.functional.avg_pool2d(images, 8, ceil_mode=True)

    def cam(self, images):
        return self.backbone(images) - self.less


def view_by_hand(image, scale, flip, less):
    """ReLU of the block means of a resized image, on the scale-1 grid, un-flipped; enlarging only."""
    _, height, width = image.shape
    resized = np.stack([reference.bilinear(plane, round(height * scale), round(width * scale)) for plane in image])
    if flip:
        resized = resized[:, :, ::-1]
    rows, columns = resized.shape[1] // 8, resized.shape[2] // 8
    blocks = np.zeros((3, rows, columns))
    for c in range(3):
        for y in range(rows):
            for x in range(columns):
                blocks[c, y, x] = max(resized[c, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8].mean() - less, 0)
    maps = np.stack([reference.bilinear(plane, height // 8, width // 8) for plane in blocks])
    return maps[:, :, ::-1] if flip else maps


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scales", [[1.0], [2.0, 1.0], [1.0, 1.5, 2.0], [1.5, 2.0]])
def test_sum_over_views(scales, flip):
    image = picture(32, 48, seed=3)
    plane = image[0].double().numpy()
    total = np.zeros((3, 4, 6))
    for scale in scales:
        for mirrored in (False, True) if flip else (False,):
            total += view_by_hand(plane, scale, mirrored, 125.0)
    wanted = np.stack([c / (c.max() + 1e-5) for c in total])
    found = multi_scale_cam(Mean(125.0), image, [0, 1, 2], scales, flip)[0]
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("scales", [[1.0, 1.5], [1.5]])
def test_an_image_without_tags_has_no_map_on_the_same_grid(scales):
    network, image = tiny_classifier(3), picture(32, 48, seed=3)
    found, _ = multi_scale_cam(network, image, [], scales, True)
    assert found.shape == (0, *multi_scale_cam(network, image, [1], scales, True)[0].shape[1:])
    assert found.dtype == torch.float32


def test_reduction_is_smoothed():
    """Stripes of two bright and two dark columns become grey at a quarter; single samples would see bright alone."""
    stripes = torch.zeros(1, 3, 32, 64)
    stripes[..., 1::4] = stripes[..., 2::4] = 200.0
    quarter = scaled(stripes, 0.25)
    assert quarter.shape == (1, 3, 8, 16)
    # a triangle of eight columns about the middle of the bright pair: weights 7, 5, 3, 1 (/ 32) to either side
    np.testing.assert_allclose(quarter[..., 1:-1], 200 * 2 * (7 + 1) / 32, atol=1e-3)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.1, 2.5))
def test_scaled_size(height, width, scale):
    image = torch.zeros(1, 3, height, width)
    assert scaled(image, scale).shape[-2:] == (max(1, round(height * scale)), max(1, round(width * scale)))


def test_scale_1_is_the_image_itself():
    image = picture()
    assert scaled(image, 1.0) is image


@pytest.mark.parametrize("scales", [[1.0], [0.5, 1.0, 1.5, 2.0]])
def test_a_mirrored_image_has_the_mirrored_map(scales):
    image, network = picture(32, 48), tiny_classifier()
    found, _ = multi_scale_cam(network, image, [0, 1, 2], scales, True)
    mirrored, _ = multi_scale_cam(network, image.flip(3), [0, 1, 2], scales, True)
    np.testing.assert_allclose(mirrored.flip(2), found, atol=1e-5)
    plain, _ = multi_scale_cam(network, image, [0, 1, 2], scales, False)
    assert (multi_scale_cam(network, image.flip(3), [0, 1, 2], scales, False)[0].flip(2) - plain).abs().max() > 1e-3


def test_only_the_classes_asked_for_in_their_order():
    image = picture(32, 48)
    everything, _ = multi_scale_cam(Mean(), image, [0, 1, 2], [1.0, 2.0], True)
    assert torch.equal(multi_scale_cam(Mean(), image, [2, 0], [1.0, 2.0], True)[0], everything[[2, 0]])


def test_maximum_is_nearly_one_and_a_class_nowhere_positive_is_zero():
    image = picture(32, 48)
    image[:, 1] = 10.0
    found, _ = multi_scale_cam(Mean(20.0), image, [0, 1, 2], [0.5, 1.0], True)
    assert found.amax(dim=(1, 2))[[0, 2]].tolist() == pytest.approx([1, 1], abs=1e-5)
    assert (found[1] == 0).all()
    assert (found >= 0).all()


def test_the_grid_is_that_of_scale_1_whatever_the_scales():
    for scales in ([0.5, 1.0], [2.0, 0.5], [0.7]):
        assert multi_scale_cam(Mean(), picture(40, 24), [1], scales, True)[0].shape == (1, 5, 3)


def test_a_gpu_gets_the_classes_once_for_all_views(monkeypatch):
    monkeypatch.setattr(cam, "to_device", torch.Tensor.to)  # without CUDA no memory can be pinned
    with on_gpu() as calls:
        with torch.device("cuda"):
            network, image = tiny_classifier(), picture()
        calls.clear()
        assert multi_scale_cam(network, image, [2, 0], [0.5, 1.0, 1.5], True)[0].shape == (2, 3, 4)
    assert len(copies(calls)) == 1


@pytest.mark.parametrize("classes", [[], [1]])
@pytest.mark.parametrize("scales", [[1.0], [0.5, 1.5]])
def test_the_logits_are_those_of_the_network(classes, scales):
    network, image = tiny_classifier(3), picture(40, 56, seed=3)
    _, logits = multi_scale_cam(network, image, classes, scales, True)
    with torch.no_grad():
        assert torch.allclose(logits, network(image)[0], atol=1e-5)
