"""The classification branch: its logits are the mean of its CAM; normalisation by hand."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_networks import picture, tiny_classifier

from auxseg.models.classifier import ClassificationBranch, normalise_cam


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_mean_of_the_cam_is_the_logit(channels, classes, height, width, seed):
    torch.manual_seed(seed)
    branch = ClassificationBranch(channels, classes, 0.5).double().eval()
    features = torch.randn(2, channels, height, width, dtype=torch.float64)
    cam = branch.cam(features)
    assert cam.shape == (2, classes, height, width)
    np.testing.assert_allclose(cam.mean(dim=(2, 3)).detach(), branch(features).detach(), atol=1e-12)


def test_cam_is_the_weighted_sum_of_the_features():
    branch = ClassificationBranch(2, 2, 0.5)
    with torch.no_grad():
        branch.linear.weight[:] = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    features = torch.tensor([[[[1.0, 2.0]], [[10.0, -1.0]]]])
    assert branch.cam(features).tolist() == [[[[-19.0, 4.0]], [[30.5, -2.0]]]]  # negative values are kept


def test_no_bias():
    assert [name for name, _ in ClassificationBranch(4, 3, 0.5).named_parameters()] == ["linear.weight"]


def test_dropout_drops_whole_channels_and_not_for_the_cam():
    branch = ClassificationBranch(64, 64, 0.5).train()
    with torch.no_grad():
        branch.linear.weight[:] = torch.eye(64)
    features = torch.ones(1, 64, 3, 4)
    torch.manual_seed(0)
    logits = branch(features)[0]
    assert set(logits.tolist()) == {0.0, 2.0}  # all positions of a channel, the kept ones doubled
    assert (branch.cam(features) == 1).all()


def test_classifier_joins_backbone_and_branch():
    network, images = tiny_classifier(), picture(batch=2)
    features = network.backbone(images)
    torch.testing.assert_close(network(images), network.classification(features))
    torch.testing.assert_close(network.cam(images), network.classification.cam(features))


def test_normalise_cam():
    cam = torch.tensor([[[2.0, 1.0]], [[0.0, 0.0]], [[1e-5, 0.0]]])
    expected = [[[2 / 2.00001, 1 / 2.00001]], [[0, 0]], [[0.5, 0]]]
    np.testing.assert_allclose(normalise_cam(cam), expected, rtol=1e-6)
