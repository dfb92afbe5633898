"""Affinities in tiles: the same outputs and gradients as whole ones, for every way to build and to use them."""

import pytest
import torch
from tiny_networks import network_params, tiny_auxsegnet

from auxseg.models import tiles
from auxseg.models.affinity import CrossTaskFusion, TaskAffinity, apply_affinity, pairwise_affinity
from auxseg.models.tiles import TiledAffinity
from auxseg.params.network import CrossTaskParams
from auxseg.propagation import affinity_entropy, propagate_image

VARIANTS = [
    {"variant": "auxsegnet", "cross_task": {"kernel": 3, "scale": "positions", "renormalise": False}},
    {"variant": "auxsegnet", "transpose": True, "scale_dim": True},
    {"variant": "auxsegnet", "affinity": "segmentation"},
    {"variant": "auxsegnet_plus", "cross_task": {"kernel": 3, "renormalise": True}},
    {"variant": "auxsegnet_plus", "whiten": False, "tau": 0.5, "features_with": "pairwise"},
]


@pytest.fixture
def tiled(monkeypatch):
    """Call it, and from then on affinities are computed in tiles of a few rows."""

    def switch(numbers=200):
        monkeypatch.setattr(tiles, "DENSE_POSITIONS", 0)
        monkeypatch.setattr(tiles, "TILE_NUMBERS", numbers)

    return switch


def outputs_and_gradients(network, images):
    network.zero_grad()
    outputs = network(images)
    shown = [outputs.segmentation, outputs.refined_segmentation, outputs.refined_saliency, network.refined_cam(outputs)]
    weights = torch.Generator().manual_seed(1)
    sum((value * torch.randn(value.shape, generator=weights, dtype=value.dtype)).sum() for value in shown).backward()
    gradients = {name: value.grad for name, value in network.named_parameters()}
    return outputs, [value.detach() for value in shown], gradients


@pytest.mark.parametrize("values", VARIANTS)
def test_same_outputs_and_gradients(tiled, values):
    network = tiny_auxsegnet(**values).double()
    images = torch.rand(2, 3, 40, 56, dtype=torch.float64) * 255
    whole, wanted, wanted_gradients = outputs_and_gradients(network, images)
    assert isinstance(whole.pairwise, torch.Tensor)
    tiled()
    outputs, found, gradients = outputs_and_gradients(network, images)
    assert isinstance(outputs.pairwise, TiledAffinity)
    assert len(list(outputs.pairwise.bounds())) > 3
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    assert [name for name, value in gradients.items() if value is None] == [
        name for name, value in wanted_gradients.items() if value is None
    ]
    for name, value in gradients.items():
        if value is not None:
            torch.testing.assert_close(value, wanted_gradients[name], rtol=1e-8, atol=1e-10, msg=name)
    torch.testing.assert_close(affinity_entropy(outputs.pairwise), affinity_entropy(whole.pairwise))


@pytest.mark.parametrize("low_precision", [False, True])
def test_same_maps_of_an_image(tiled, low_precision):
    network, image = tiny_auxsegnet().eval(), torch.rand(1, 3, 64, 96) * 255
    wanted = propagate_image(network, image, [0, 2], renormalise=True, low_precision=low_precision, flip=True)
    tiled()
    found = propagate_image(network, image, [0, 2], renormalise=True, low_precision=low_precision, flip=True)
    tolerance = 0.02 if low_precision else 1e-3  # of float16
    for name, value in found.items():
        assert value.dtype == wanted[name].dtype
        assert (value.double() - wanted[name].double()).abs().max() <= tolerance, name


@pytest.mark.parametrize("kernel", [1, 3])
def test_equal_to_whole_ones_at_4096_positions(tiled, kernel):
    torch.manual_seed(0)
    task, fusion = TaskAffinity(network_params()), CrossTaskFusion(CrossTaskParams(kernel=kernel))
    features, maps = torch.randn(2, 1, 8, 64, 64), torch.rand(1, 5, 64, 64)

    def fuse():
        with torch.no_grad():
            refined, first, _ = task(features[0])
            _, second, _ = task(features[1])
            return refined, apply_affinity(fusion(first, second), maps)

    whole = fuse()
    tiled(numbers=300 * 4096)
    torch.testing.assert_close(fuse(), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("shape", "kind"), [((6, 5, 6), torch.Tensor), ((1, 6, 1), TiledAffinity)])
def test_the_number_of_positions_decides(monkeypatch, shape, kind):
    """Neither images nor channels: (B, N, D), and up to 5 positions stay whole."""
    monkeypatch.setattr(tiles, "DENSE_POSITIONS", 5)
    query = torch.rand(shape)
    assert isinstance(pairwise_affinity(query, query, whiten=False, temperature=1.0), kind)


def test_no_tile_is_larger_than_promised(tiled):
    tiled(numbers=1000)
    affinity = TiledAffinity(lambda start, stop: torch.zeros(2, stop - start, 60), 2, 60)
    bounds = list(affinity.bounds())
    assert bounds[0] == (0, 8)
    assert bounds[-1] == (56, 60)
    assert [stop for _, stop in bounds[:-1]] == [start for start, _ in bounds[1:]]


def test_one_whole_and_one_in_tiles_is_an_error():
    fusion = CrossTaskFusion(CrossTaskParams(kernel=1))
    with pytest.raises(TypeError, match="one affinity is whole and the other is not"):
        fusion(torch.rand(1, 4, 4), TiledAffinity(lambda start, stop: torch.rand(1, stop - start, 4), 1, 4))
