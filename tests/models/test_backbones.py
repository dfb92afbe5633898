"""Backbones: grids, torchvision's own dilation, the ImageNet weights, rejections."""

import math
import re

import pytest
import torch
import torchvision
from torch import nn

from auxseg.errors import DataError, ParamsError
from auxseg.models.backbones import BACKBONES, build_backbone
from auxseg.models.pretrained import imagenet_state
from auxseg.params.backbone import BackboneParams


@pytest.fixture(scope="module")
def package_state():
    return imagenet_state("efficientnet_lite0")


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "resnet50"])
def test_output_grid(name, stride):
    backbone = build_backbone(BackboneParams(name=name, output_stride=stride), pretrained=False).eval()
    with torch.no_grad():
        for height, width in ((64, 97), (33, 32)):
            features = backbone(torch.rand(1, 3, height, width) * 255)
            grid = math.ceil(height / stride), math.ceil(width / stride)
            assert features.shape == (1, backbone.channels, *grid)
    assert backbone.channels == {"efficientnet_lite0": 1280, "resnet18": 512, "resnet50": 2048}[name]


@pytest.mark.parametrize(("stride", "replace"), [(32, [0, 0, 0]), (16, [0, 0, 1]), (8, [0, 1, 1])])
def test_resnet50_is_torchvisions_dilated_network(stride, replace):
    ours = BACKBONES["resnet50"](stride).eval()
    theirs = torchvision.models.resnet50(replace_stride_with_dilation=[bool(flag) for flag in replace]).eval()
    del theirs.avgpool, theirs.fc
    theirs.load_state_dict(ours.body.state_dict())
    for module in theirs.modules():  # random running statistics are 0 and 1; give them values
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.running_mean)
    ours.body.load_state_dict(theirs.state_dict())
    images = torch.rand(1, 3, 70, 64, dtype=torch.float64) * 255
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).double()
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1).double()
    with torch.no_grad():
        x = ((images.float() - ours.mean) / ours.std).contiguous(memory_format=torch.channels_last)
        assert torch.equal(ours(images.float()), run_in_order(theirs, x))
        ours, theirs = ours.double(), theirs.double()
        wanted = run_in_order(theirs, (images / 255 - mean) / std)
        torch.testing.assert_close(ours(images), wanted, rtol=1e-4, atol=1e-4)


def run_in_order(network, x):
    for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"):
        x = getattr(network, name)(x)
    return x


def test_dilated_resnet18_sees_what_the_plain_one_sees():
    """With the same weights, every fourth position of the dilated network has the features of the plain one."""
    torch.manual_seed(0)
    plain, dilated = BACKBONES["resnet18"](32).double().eval(), BACKBONES["resnet18"](8).double().eval()
    dilated.load_state_dict(plain.state_dict())
    images = torch.rand(1, 3, 128, 96, dtype=torch.float64) * 255
    with torch.no_grad():
        coarse, fine = plain(images), dilated(images)
    torch.testing.assert_close(fine[..., ::4, ::4], coarse)


@pytest.mark.parametrize(
    ("name", "count", "frozen"),
    [
        ("resnet18", 0, set()),
        ("resnet18", 1, {"conv1", "bn1"}),
        ("resnet18", 3, {"conv1", "bn1", "layer1", "layer2"}),
        ("efficientnet_lite0", 1, {"network.conv_stem", "network.bn1"}),
        ("efficientnet_lite0", 3, {"network.conv_stem", "network.bn1", "network.blocks.0", "network.blocks.1"}),
        (
            "efficientnet_lite0",
            7,
            {"network.conv_stem", "network.bn1", *(f"network.blocks.{group}" for group in range(6))},
        ),
    ],
)
def test_the_first_layers_are_frozen(name, count, frozen):
    backbone = BACKBONES[name](16)
    backbone.freeze(count)
    for name, parameter in backbone.body.named_parameters():
        assert parameter.requires_grad != any(name.startswith(f"{layer}.") for layer in frozen), name


@pytest.mark.parametrize("name", BACKBONES)
def test_more_layers_than_there_are_freeze_the_whole_backbone(name):
    with torch.device("meta"):
        backbone = BACKBONES[name](8)
    backbone.freeze(99)
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_efficientnet_normalisation():
    backbone = BACKBONES["efficientnet_lite0"](32)
    backbone.body = nn.Identity()
    images = torch.tensor([0.0, 127.0, 255.0]).view(1, 1, 1, 3).repeat(1, 3, 1, 1)
    assert backbone(images)[0, 0, 0].tolist() == [-127 / 128, 0.0, 1.0]


KINDS = {
    "conv_stem.weight": r"conv_stem\.weight",
    "conv_head.weight": r"conv_head\.weight",
    "expand_conv.weight": r"blocks\.[1-6]\.\d\.conv_pw\.weight",
    "depthwise_conv.weight": r"blocks\.\d\.\d\.conv_dw\.weight",
    "project_conv.weight": r"blocks\.(0\.0\.conv_pw|[1-6]\.\d\.conv_pwl)\.weight",
}


def test_imagenet_weights_go_to_layers_of_the_same_kind(package_state):
    backbone = build_backbone(BackboneParams(output_stride=32), pretrained=True)
    ours = backbone.body.state_dict()
    # find each of the package's tensors among ours by its values: a swap of two layers would show
    by_bytes = {}
    for name, value in ours.items():
        by_bytes.setdefault(value.numpy().tobytes(), []).append(name.removeprefix("network."))
    seen = set()
    for name, value in package_state.items():
        if name.startswith("_fc.") or name.endswith("num_batches_tracked"):
            continue
        block = re.match(r"_blocks\.\d+\._(.*)", name)
        layer = block[1] if block else name.lstrip("_")
        found = by_bytes[value.numpy().tobytes()]
        kind, _, entry = layer.rpartition(".")
        if kind.startswith("bn"):
            first = name.startswith("_blocks.0.")  # it has no expansion, so its batch norms count from one less
            place = r"blocks\.\d\.\d\." if block else ""
            pattern = rf"{place}bn{int(kind[2:]) + (0 if first else 1)}\.{entry}"
        else:
            pattern = KINDS[layer]
        assert any(re.fullmatch(pattern, candidate) for candidate in found), (name, found)
        seen.update(found)
    assert {name for name in seen if not name.endswith("num_batches_tracked")} == {
        name.removeprefix("network.") for name in ours if not name.endswith("num_batches_tracked")
    }


def test_imagenet_features_equal_the_packages_own_network(package_state):
    theirs_package = pytest.importorskip("efficientnet_lite_pytorch")  # not a dependency
    theirs = theirs_package.EfficientNet.from_name("efficientnet-lite0").eval()
    theirs.load_state_dict(package_state)
    ours = build_backbone(BackboneParams(output_stride=32), pretrained=True).eval()
    images = torch.rand(1, 3, 224, 224) * 255
    with torch.no_grad():
        wanted = theirs.extract_features((images - 127) / 128)
        torch.testing.assert_close(ours(images), wanted, rtol=1e-3, atol=1e-3)
    assert wanted.std() > 0.05


def rejected(weights, name="efficientnet_lite0"):
    with pytest.raises(DataError) as caught:
        build_backbone(BackboneParams(name=name, weights=str(weights), sha256="0" * 64), pretrained=True)
    return str(caught.value)


def test_weights_from_a_file(tmp_path):
    torch.manual_seed(5)
    state = torchvision.models.resnet18().state_dict()
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}  # as old files
    torch.save(state, tmp_path / "old.pth")
    params = BackboneParams(name="resnet18", output_stride=8, weights=str(tmp_path / "old.pth"), sha256="0" * 64)
    loaded = build_backbone(params, pretrained=True).body.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items() if not name.startswith("fc."))


def test_not_pretrained_does_not_open_the_file():
    build_backbone(BackboneParams(name="resnet18", weights="nowhere.pth"), pretrained=False)


def test_random_weights_depend_on_the_seed_alone():
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        backbone = build_backbone(BackboneParams(name="resnet18", weights="random"), pretrained=True)
        states.append(backbone.body.conv1.weight)
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_a_file_that_was_never_scanned(tmp_path):
    (tmp_path / "new.pth").touch()
    params = BackboneParams(name="resnet18", weights=str(tmp_path / "new.pth"))
    with pytest.raises(ParamsError, match=r"'backbone\.sha256'.*backbone\.weights.*auxseg scan"):
        build_backbone(params, pretrained=True)


def test_a_file_that_is_not_there():
    params = BackboneParams(name="resnet18", weights="nowhere.pth")
    with pytest.raises(ParamsError, match=r"'backbone\.weights'.*'nowhere\.pth'"):
        build_backbone(params, pretrained=True)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_file(tmp_path, suffix):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(b"\x80\x02damaged")
    assert str(path) in rejected(path)


def test_weights_of_another_network(tmp_path):
    path = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    message = rejected(path, "resnet50")
    assert str(path) in message
    assert "tensor 'layer1.0.bn3.bias' has shape None, resnet50 expects (256,)" in message


def test_the_packages_names_with_another_number_of_layers(tmp_path, package_state):
    path = tmp_path / "lite1.pth"
    fewer = {name: value for name, value in package_state.items() if not name.startswith("_blocks.15.")}
    torch.save(fewer, path)
    message = rejected(path)
    assert str(path) in message
    assert "efficientnet_lite0" in message


@pytest.mark.parametrize(
    "content", [{"state_dict": {"conv1.weight": torch.zeros(1)}, "epoch": 3}, [torch.zeros(2)], torch.zeros(3)]
)
def test_a_checkpoint_that_is_no_state_dict(tmp_path, content):
    path = tmp_path / "checkpoint.pth"
    torch.save(content, path)
    assert str(path) in rejected(path, "resnet18")
