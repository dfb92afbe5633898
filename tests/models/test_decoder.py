"""The decoder: nothing at the start, its grid, where its features come from, and what has no such features."""

import numpy as np
import pytest
import reference
import torch
from tiny_networks import network_params, picture, strided_backbone, tiny_backbone

from auxseg.errors import ParamsError
from auxseg.models.auxsegnet import AuxSegNet, build_auxsegnet
from auxseg.models.backbones import build_backbone
from auxseg.models.decoder import LATERAL, Decoder
from auxseg.params.backbone import BackboneParams


def with_decoder(stride=16, seed=0) -> AuxSegNet:
    torch.manual_seed(seed)
    return AuxSegNet(strided_backbone(stride), 3, stride, network_params(decoder=8, rates=[1, 2, 1])).eval()


def test_training_starts_from_the_network_without_a_decoder():
    """A new decoder corrects nothing, and the rest of the network computes what it does alone."""
    network = with_decoder()
    with torch.no_grad():
        found = network(picture(37, 50, batch=2))
    assert found.decoded.shape == (2, 1 + 4, 10, 13)
    for final, refined in (
        (found.final_saliency, found.refined_saliency),
        (found.final_segmentation, found.refined_segmentation),
    ):
        wanted = [[reference.bilinear(plane, 10, 13) for plane in one.double().numpy()] for one in refined]
        np.testing.assert_allclose(final, wanted, atol=1e-6)
    plain = AuxSegNet(strided_backbone(), 3, 16, network_params(rates=[1, 2, 1])).eval()
    plain.load_state_dict({name: value for name, value in network.state_dict().items() if "decoder" not in name})
    with torch.no_grad():
        alone = plain(picture(37, 50, batch=2))
    assert alone.decoded is None
    assert alone.final_segmentation is alone.refined_segmentation
    for name in ("classification", "refined_saliency", "refined_segmentation", "pairwise", "features"):
        assert torch.equal(getattr(found, name), getattr(alone, name)), name


@pytest.mark.parametrize("stride", [8, 16])
def test_corrections_against_loops(stride):
    """Reduce, then on each grid: enlarge, join with the backbone's features, a separable convolution; in float64."""
    torch.manual_seed(0)
    backbone = strided_backbone(stride)
    decoder = Decoder(backbone, stride, 6, 2, 8).double()
    torch.nn.init.normal_(decoder.predict.weight)
    grids = [(4, 6), (8, 12)] if stride == 16 else [(8, 12)]
    random = torch.Generator().manual_seed(1)
    earlier = [torch.randn(1, 8, *grid, generator=random, dtype=torch.float64) for grid in grids]
    features = torch.randn(1, 6, 2, 3, generator=random, dtype=torch.float64)
    with torch.no_grad():
        found = decoder(features, earlier)[0].numpy()
    state = {name: value.numpy() for name, value in decoder.state_dict().items()}

    def layer(maps, name, **options):
        return np.maximum(reference.conv(maps, state[f"{name}.weight"], state[f"{name}.bias"], **options), 0)

    joined = layer(features[0].numpy(), "reduce")
    for number, maps in enumerate(earlier):
        more = layer(maps[0].numpy(), f"lateral.{number}")
        assert len(more) == LATERAL
        joined = np.concatenate([[reference.bilinear(one, *more.shape[1:]) for one in joined], more])
        each = [
            reference.conv(one[None], state[f"join.{number}.0.weight"][[k]], state[f"join.{number}.0.bias"][[k]], 1)[0]
            for k, one in enumerate(joined)
        ]
        joined = layer(np.maximum(each, 0), f"join.{number}.2")
    wanted = reference.conv(joined, state["predict.weight"], state["predict.bias"])
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_corrections_see_edges_that_the_coarse_grid_does_not():
    """A change within one position of stride 16 moves the decoded prediction more where it happens than elsewhere."""
    network = with_decoder()
    torch.nn.init.normal_(network.decoder.predict.weight)
    image = picture(64, 64)
    changed = image.clone()
    changed[..., 20:24, 20:24] = 0
    with torch.no_grad():
        difference = (network(changed).decoded - network(image).decoded).abs().sum(dim=1)[0]
    assert difference[5, 5] > 3 * difference[8:, 8:].mean()


@pytest.mark.parametrize(
    ("name", "stride", "grids"),
    [
        ("efficientnet_lite0", 16, {8: 40, 4: 24}),
        ("resnet18", 32, {8: 128, 4: 64}),
        ("resnet38", 8, {4: 256}),
        ("timm:mobilenetv3_small_050", 32, {8: 16, 4: 8}),
    ],
)
def test_every_convolutional_backbone_has_the_grids(name, stride, grids):
    params = BackboneParams(name=name, output_stride=stride, weights="random")
    with torch.device("meta"):  # sizes alone: nothing is computed
        backbone = build_backbone(params, pretrained=False)
        decoder = Decoder(backbone, stride, 4, 3, 8)
        _, earlier = backbone.eval().with_layers(torch.zeros(1, 3, 65, 98), decoder.layers)
    assert [lateral.in_channels for lateral in decoder.lateral] == list(grids.values())
    sizes = [tuple(maps.shape[2:]) for maps in earlier]
    assert sizes == [(-(-65 // one), -(-98 // one)) for one in grids]


def test_looking_at_the_grids_leaves_the_modes_as_they_are():
    backbone = strided_backbone().train()
    backbone.body[1].eval()
    assert backbone.grids() == {0: (2, 8), 1: (4, 8), 2: (8, 8), 3: (16, 8)}
    assert backbone.training
    assert not backbone.body[1].training


@pytest.mark.parametrize(
    ("backbone", "stride", "missing"),
    [(tiny_backbone(), 8, 4), (strided_backbone(4), 4, 8)],
)
def test_backbones_without_such_features_are_refused(backbone, stride, missing):
    with pytest.raises(ParamsError, match=f"'network.decoder': the backbone has no features of stride {missing}"):
        Decoder(backbone, stride, 4, 3, 8)


@pytest.mark.parametrize(("name", "stride"), [("vit_tiny_patch16_224", 16), ("hrnet_w18_small", 32)])
def test_what_has_no_such_maps_is_refused(name, stride):
    params = BackboneParams(name=f"timm:{name}", output_stride=stride, weights="random")
    with pytest.raises(ParamsError, match=r"network\.decoder"):
        build_auxsegnet(params, network_params(decoder=8), 3)
