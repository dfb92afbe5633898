"""Affinities against the equations, in loops; laws of the softmax and of the order of positions."""

import numpy as np
import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_networks import network_params

from auxseg.models.affinity import CrossTaskFusion, TaskAffinity, apply_affinity, pairwise_affinity
from auxseg.params.network import CrossTaskParams


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def stochastic(*shape, seed=0):
    return torch.softmax(2 * normal(*shape, seed=seed), dim=-1)


@given(st.integers(1, 7), st.integers(1, 4), st.booleans(), st.floats(0.05, 5.0), st.integers(0, 99))
def test_pairwise_affinity(positions, channels, whiten, temperature, seed):
    query, key = normal(2, positions, channels, seed=seed), normal(2, positions, channels, seed=seed + 100)
    found = pairwise_affinity(query, key, whiten=whiten, temperature=temperature)
    for b in range(2):
        wanted = reference.pairwise(query[b].numpy(), key[b].numpy(), whiten, temperature)
        np.testing.assert_allclose(found[b], wanted, atol=1e-12)
    np.testing.assert_allclose(found.sum(dim=2), 1, atol=1e-12)


@given(st.integers(0, 50))
def test_whitening_ignores_an_offset_of_the_queries_and_keys(seed):
    query, key, offset = normal(1, 6, 3, seed=seed), normal(1, 6, 3, seed=seed + 1), normal(1, 1, 3, seed=seed + 2)
    plain = pairwise_affinity(query, key, whiten=True, temperature=1)
    np.testing.assert_allclose(pairwise_affinity(query + offset, key - offset, whiten=True, temperature=1), plain)
    unwhitened = pairwise_affinity(query, key, whiten=False, temperature=1)
    assert not np.allclose(pairwise_affinity(query + offset, key, whiten=False, temperature=1), unwhitened)


@pytest.mark.parametrize("transpose", [False, True])
def test_propagate(transpose):
    affinity, maps = stochastic(2, 12, 12), normal(2, 3, 3, 4, seed=1)
    found = apply_affinity(affinity, maps, transpose=transpose)
    assert found.shape == maps.shape
    for b in range(2):
        matrix = affinity[b].numpy().T if transpose else affinity[b].numpy()
        wanted = reference.maps(reference.multiply(matrix, reference.rows(maps[b].numpy())), 3, 4)
        np.testing.assert_allclose(found[b], wanted, atol=1e-12)


def test_propagating_a_constant_leaves_it():
    constant = torch.full((1, 2, 3, 4), 7.0, dtype=torch.float64)
    np.testing.assert_allclose(apply_affinity(stochastic(1, 12, 12), constant), constant)


VARIANTS = [
    ({"variant": "auxsegnet"}, False, False, 1.0),
    ({"variant": "auxsegnet", "whiten": True, "tau": 0.05}, False, False, 1.0),  # P1 has neither
    ({"variant": "auxsegnet", "scale_dim": True}, False, False, 8**0.5),
    ({"variant": "auxsegnet_plus"}, True, True, 1.0),
    ({"variant": "auxsegnet_plus", "whiten": False, "tau": 0.5}, True, False, 0.5),
    ({"variant": "auxsegnet_plus", "tau": 0.05, "scale_dim": True}, True, True, 0.05 * 8**0.5),
]


@pytest.mark.parametrize(("values", "plus", "whiten", "temperature"), VARIANTS)
def test_task_affinity(values, plus, whiten, temperature):
    torch.manual_seed(3)
    module = TaskAffinity(network_params(**values)).double()
    features = normal(2, 8, 3, 4, seed=4)
    refined, pairwise, unary = module(features)
    assert pairwise.shape == (2, 12, 12)
    assert (unary is None) == (not plus)
    for b in range(2):
        wanted = reference.task_affinity(
            features[b].numpy(), reference.state_of(module), plus=plus, whiten=whiten, temperature=temperature
        )
        np.testing.assert_allclose(refined[b].detach(), wanted[0], atol=1e-10)
        np.testing.assert_allclose(pairwise[b].detach(), wanted[1], atol=1e-10)
        if plus:
            np.testing.assert_allclose(unary[b].detach(), wanted[2], atol=1e-10)


@pytest.mark.parametrize("variant", ["auxsegnet", "auxsegnet_plus"])
def test_every_weight_of_a_task_affinity_is_used(variant):
    module = TaskAffinity(network_params(variant=variant, whiten=False)).double()
    refined, _, _ = module(normal(1, 8, 2, 3))
    (refined * normal(1, 8, 2, 3, seed=9)).sum().backward()
    dead = {name for name, parameter in module.named_parameters() if parameter.grad.abs().max() < 1e-14}
    # a bias of the key, or of the unary logits, adds one number to a whole row of logits: softmax does not see it
    assert dead == {"key.bias"} | ({"unary.bias"} if variant == "auxsegnet_plus" else set())


@pytest.mark.parametrize("variant", ["auxsegnet", "auxsegnet_plus"])
def test_task_affinity_gradients(variant):
    torch.manual_seed(0)
    module = TaskAffinity(network_params(variant=variant)).double()
    features = normal(1, 8, 2, 2).requires_grad_()

    def run(features):
        return [output for output in module(features) if output is not None]

    assert torch.autograd.gradcheck(lambda x: tuple(run(x)), (features,))


FUSIONS = [
    {"kernel": 1, "renormalise": False},
    {"kernel": 3, "renormalise": False},
    {"kernel": 3, "renormalise": True},
    {"kernel": 1, "renormalise": False, "scale": "positions"},
    {"kernel": 3, "renormalise": True, "scale": "positions"},
]


@pytest.mark.parametrize("queries", [6, 1], ids=["pairwise", "unary"])
@pytest.mark.parametrize("values", FUSIONS)
def test_cross_task_fusion(values, queries):
    torch.manual_seed(1)
    module = CrossTaskFusion(CrossTaskParams(**values)).double()
    segmentation, saliency = stochastic(2, queries, 6, seed=1), stochastic(2, queries, 6, seed=2)
    found = module(segmentation, saliency).detach()
    for b in range(2):
        wanted = reference.fuse_tasks(
            segmentation[b].numpy(),
            saliency[b].numpy(),
            reference.state_of(module),
            values["kernel"],
            values["renormalise"],
            6 if "scale" in values else 1,
        )
        np.testing.assert_allclose(found[b], wanted, atol=1e-12)
    if values["renormalise"]:
        np.testing.assert_allclose(found.sum(dim=2), 1, atol=1e-12)


def test_fusion_by_hand():
    """mix = identity, weigh = 0 with biases ln 3 and 0: weights 3/4 for segmentation and 1/4 for saliency."""
    module = CrossTaskFusion(CrossTaskParams(kernel=1)).double()
    with torch.no_grad():
        module.mix.weight[:] = torch.eye(2)[:, :, None, None]
        module.weigh.weight.zero_()
        module.weigh.bias[:] = torch.tensor([3.0, 1.0]).log()
    one = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]], dtype=torch.float64)
    np.testing.assert_allclose(module(one, one.flip(1)).detach(), [[[0.25, 0.75], [0.75, 0.25]]])


@given(st.integers(0, 99))
def test_fused_entries_lie_between_the_two_tasks(seed):
    torch.manual_seed(seed)
    module = CrossTaskFusion(CrossTaskParams(kernel=3, renormalise=False)).double()
    segmentation, saliency = stochastic(1, 5, 5, seed=seed), stochastic(1, 5, 5, seed=seed + 1)
    fused = module(segmentation, saliency).detach()
    assert (fused >= torch.minimum(segmentation, saliency) - 1e-12).all()
    assert (fused <= torch.maximum(segmentation, saliency) + 1e-12).all()


@given(st.permutations(range(6)), st.integers(0, 20))
def test_a_1x1_kernel_does_not_see_the_order_of_positions(order, seed):
    torch.manual_seed(seed)
    module = CrossTaskFusion(CrossTaskParams(kernel=1)).double()
    segmentation, saliency = stochastic(1, 6, 6, seed=seed), stochastic(1, 6, 6, seed=seed + 1)
    moved = module(segmentation[:, order][:, :, order], saliency[:, order][:, :, order])
    np.testing.assert_allclose(moved.detach(), module(segmentation, saliency)[:, order][:, :, order].detach())


def test_a_3x3_kernel_sees_the_order_of_positions():
    """The released code's convolution over the matrix: quirk 9."""
    torch.manual_seed(0)
    module = CrossTaskFusion(CrossTaskParams(kernel=3, scale="positions")).double()
    segmentation, saliency, order = stochastic(1, 6, 6), stochastic(1, 6, 6, seed=1), [3, 1, 5, 0, 2, 4]
    moved = module(segmentation[:, order][:, :, order], saliency[:, order][:, :, order])
    assert (moved - module(segmentation, saliency)[:, order][:, :, order]).abs().max() > 1e-3


@given(st.permutations(range(6)))
def test_task_affinity_is_equivariant_to_the_order_of_positions(order):
    torch.manual_seed(0)
    module = TaskAffinity(network_params()).double()
    features = normal(1, 8, 1, 6)
    refined, pairwise, unary = module(features)
    again = module(features[..., order])
    np.testing.assert_allclose(again[0].detach(), refined[..., order].detach(), atol=1e-12)
    np.testing.assert_allclose(again[1].detach(), pairwise[:, order][:, :, order].detach(), atol=1e-12)
    np.testing.assert_allclose(again[2].detach(), unary[..., order].detach(), atol=1e-12)


@pytest.mark.parametrize("kernel", [1, 3])
def test_cross_task_fusion_gradients(kernel):
    torch.manual_seed(5)
    module = CrossTaskFusion(CrossTaskParams(kernel=kernel, renormalise=True, scale="positions")).double()
    inputs = stochastic(1, 4, 4, seed=1).requires_grad_(), stochastic(1, 4, 4, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(module, inputs)
