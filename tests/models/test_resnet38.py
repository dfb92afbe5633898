"""ResNet38: parameters and grids by hand, where the dilations and dropouts are, a block against loops."""

from contextlib import nullcontext

import numpy as np
import pytest
import reference
import torch
from released import CONVOLUTIONS, number_of_parameters, shapes_of_auxsegnet, shapes_of_resnet38
from torch import nn

from auxseg.errors import ParamsError
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.backbones import build_backbone
from auxseg.models.resnet38 import Block, Convolution, build_resnet38
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import CrossTaskParams, NetworkParams

RESNET38 = BackboneParams(name="resnet38", output_stride=8, weights="random")


@pytest.fixture(scope="module")
def body():
    with torch.device("meta"):
        return build_resnet38().eval()


def test_layers_have_the_published_names_and_shapes(body):
    assert {name: tuple(value.shape) for name, value in body.state_dict().items()} == shapes_of_resnet38()


def test_number_of_parameters_by_hand(body):
    """conv1a; b2 to b5: two 3x3 a block, a 1x1 shortcut in the first; b6, b7: 1x1, 3x3, 1x1 and the shortcut."""
    conv1a = 3 * 64 * 9
    b2 = 9 * (64 * 128 + 5 * 128 * 128) + 64 * 128
    b3 = 9 * (128 * 256 + 5 * 256 * 256) + 128 * 256
    b4 = 9 * (256 * 512 + 11 * 512 * 512) + 256 * 512
    b5 = 9 * (512 * 512 + 512 * 1024 + 2 * (1024 * 512 + 512 * 1024)) + 512 * 1024
    b6 = 1024 * 512 + 9 * 512 * 1024 + 1024 * 2048 + 1024 * 2048
    b7 = 2048 * 1024 + 9 * 1024 * 2048 + 2048 * 4096 + 2048 * 4096
    norms = 2 * (
        (64 + 5 * 128)
        + (128 + 5 * 256)
        + (256 + 11 * 512)
        + (512 + 512 + 2 * (1024 + 512))
        + (1024 + 512 + 1024)
        + (2048 + 1024 + 2048)
        + 4096
    )
    assert conv1a + b2 + b3 + b4 + b5 + b6 + b7 + norms == 105_070_912
    assert sum(parameter.numel() for parameter in body.parameters()) == 105_070_912


def test_the_released_network_without_its_dead_layers():
    """115,382,122 parameters, of which per task: g and W_z's convolution, 128 x 128 + 128 each, W_z's norm, 2 x 128."""
    assert number_of_parameters(shapes_of_auxsegnet()) == 115_382_122
    network = NetworkParams(variant="auxsegnet", cross_task=CrossTaskParams(kernel=3))
    with torch.device("meta"):
        ours = build_auxsegnet(RESNET38, network, 20)
    dead = 2 * (2 * (128 * 128 + 128) + 2 * 128)
    assert dead == 66_560
    assert sum(parameter.numel() for parameter in ours.parameters()) == 115_382_122 - dead


@pytest.mark.parametrize(("size", "grid"), [((321, 321), (41, 41)), ((375, 500), (47, 63)), ((64, 65), (8, 9))])
def test_output_shapes(size, grid, monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # it does not know the device meta
    with torch.device("meta"):
        network = build_auxsegnet(RESNET38, NetworkParams(variant="auxsegnet"), 20).eval()
        outputs = network(torch.zeros(2, 3, *size))
    positions = grid[0] * grid[1]
    assert {name: tuple(value.shape) for name, value in vars(outputs).items() if value is not None} == {
        "features": (2, 4096, *grid),
        "classification": (2, 20),
        "saliency": (2, 1, *grid),
        "segmentation": (2, 21, *grid),
        "refined_saliency": (2, 1, *grid),
        "refined_segmentation": (2, 21, *grid),
        "pairwise": (2, positions, positions),
    }


def test_strides_and_dilations(body):
    strides = {name: layer.stride[0] for name, layer in convolutions(body) if layer.stride[0] > 1}
    assert strides == {f"{block}.conv_branch{end}": 2 for block in ("b2", "b3", "b4") for end in ("1", "2a")}
    dilations = {name: layer.dilation[0] for name, layer in convolutions(body) if layer.dilation[0] > 1}
    # the first 3x3 of b5 still sees the grid that its stride, now a dilation, would have left to the next
    two = ["b5.conv_branch2b1", *(f"b5_{i}.conv_branch{end}" for i in (1, 2) for end in ("2a", "2b1"))]
    assert dilations == dict.fromkeys(two, 2) | {f"{block}.conv_branch2b1": 4 for block in ("b6", "b7")}
    assert all(layer.bias is None for _, layer in convolutions(body))
    assert {name for name, _ in convolutions(body)} == set(CONVOLUTIONS)


def convolutions(body):
    return [(name, layer) for name, layer in body.named_modules() if isinstance(layer, nn.Conv2d)]


def test_dropouts(body):
    found = {name: layer.p for name, layer in body.named_modules() if isinstance(layer, nn.Dropout2d)}
    assert found == {"b6.dropout_2b1": 0.3, "b6.dropout_2b2": 0.3, "b7.dropout_2b1": 0.5, "b7.dropout_2b2": 0.5}


@pytest.mark.parametrize(
    ("count", "frozen"), [(0, set()), (1, {"conv1a"}), (2, {"conv1a", "b2", "b2_1", "b2_2"})]
)  # 2: what PSA's classifier names in `not_training`
def test_the_first_layers_are_frozen(count, frozen):
    with torch.device("meta"):
        backbone = build_backbone(RESNET38, pretrained=False)
    backbone.freeze(count)
    assert {n.split(".")[0] for n, p in backbone.body.named_parameters() if not p.requires_grad} == frozen


@pytest.mark.parametrize("stride", [16, 32])
def test_other_strides_are_rejected(stride):
    with pytest.raises(ParamsError, match=r"key 'backbone': resnet38 needs output_stride 8"):
        BackboneParams.parse({"name": "resnet38", "output_stride": stride})


BRANCHES = {
    "identity": ([Convolution("2a", 2, 3, dilation=2), Convolution("2b1", 3, 3, dilation=2)], False),
    "stride": ([Convolution("2a", 2, 3, 2), Convolution("2b1", 4, 3)], True),
    "bottleneck": ([Convolution("2a", 2, 1), Convolution("2b1", 3, 3, dilation=4), Convolution("2b2", 4, 1)], True),
}


@pytest.mark.parametrize("kind", BRANCHES)
def test_block(kind):
    """shortcut + conv(relu(bn(...conv(relu(bn(x)))...))); a projection takes relu(bn(x)), the identity takes x."""
    torch.manual_seed(2)
    branch, project = BRANCHES[kind]
    block = Block(3, branch, project=project).double().eval()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 2)
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor)
    state, image = reference.state_of(block), torch.randn(1, 3, 5, 6, dtype=torch.float64)
    x = shortcut = image[0].numpy()
    for layer in branch:
        scale = state[f"bn_branch{layer.name}.weight"] / np.sqrt(state[f"bn_branch{layer.name}.running_var"] + 1e-5)
        mean, shift = state[f"bn_branch{layer.name}.running_mean"], state[f"bn_branch{layer.name}.bias"]
        x = np.maximum((x - mean[:, None, None]) * scale[:, None, None] + shift[:, None, None], 0)
        if layer.name == "2a" and project:
            shortcut = reference.conv(x, state["conv_branch1.weight"])[:, :: layer.stride, :: layer.stride]
        padding = layer.dilation * (layer.kernel // 2)
        x = reference.conv(x, state[f"conv_branch{layer.name}.weight"], None, padding, layer.dilation)
        x = x[:, :: layer.stride, :: layer.stride]
    np.testing.assert_allclose(block(image)[0].detach(), shortcut + x, atol=1e-12)
