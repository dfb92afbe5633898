"""timm's networks as backbones: grids, layers, weights and messages, for six architectures with random weights."""

import itertools
import math

import pytest
import timm
import torch
from safetensors.torch import save_file

from auxseg.artifacts.atomic import sha256_file
from auxseg.errors import DataError, ParamsError
from auxseg.models.auxsegnet import build_auxsegnet, check_auxsegnet
from auxseg.models.backbones import build_backbone
from auxseg.models.folding import fold_batch_norms
from auxseg.models.timm_backbone import build_timm
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams

CONVOLUTIONAL = {"mobilenetv3_small_050": (16, 288, 5), "regnetx_002": (8, 368, 5), "resnet10t": (16, 512, 5)}
TRANSFORMERS = {
    "vit_tiny_patch16_224": (16, 192, 13),
    "vit_small_patch14_dinov2": (14, 384, 13),
    "vit_small_patch16_dinov3": (16, 384, 13),
}
"""Name -> stride, channels and number of layers."""
ALL = CONVOLUTIONAL | TRANSFORMERS


def parameters(name, stride=None, **values):
    stride = stride or ALL[name][0]
    return BackboneParams(name=f"timm:{name}", output_stride=stride, **{"weights": "random", **values})


@pytest.fixture(scope="module")
def backbones():
    torch.manual_seed(0)
    return {name: build_backbone(parameters(name), pretrained=True).eval() for name in ALL}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(64, 64), (70, 101)])
def test_features_of_images_of_any_size(backbones, name, size):
    stride, channels, _ = ALL[name]
    with torch.no_grad():
        found = backbones[name](torch.rand(2, 3, *size) * 255)
    assert found.shape == (2, channels, *(math.ceil(side / stride) for side in size))
    assert found.dtype == torch.float32 and torch.isfinite(found).all()


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_patch_has_its_own_place_in_the_map(backbones, name):
    """A bright patch changes the features of its place most; a mirrored image has a changed place mirrored."""
    stride = ALL[name][0]
    image = torch.full((1, 3, 4 * stride, 6 * stride), 90.0)
    bright = image.clone()
    bright[..., stride : 2 * stride, 4 * stride : 5 * stride] += 120.0
    with torch.no_grad():
        change = (backbones[name](bright) - backbones[name](image)).norm(dim=1)[0]
    assert divmod(int(change.argmax()), 6) == (1, 4)


@pytest.mark.parametrize("name", ALL)
def test_layers_cover_the_network_from_the_input_on(name):
    network, count = build_backbone(parameters(name), pretrained=False), ALL[name][2]
    assert len(network._layers) == count
    trained = [sum(p.requires_grad for p in network.parameters())]
    for layers in range(1, count + 1):
        network.freeze(layers)
        trained.append(sum(p.requires_grad for p in network.parameters()))
    assert all(later < earlier for earlier, later in itertools.pairwise(trained))
    assert trained[-1] == 0


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_chosen_block_is_that_of_the_whole_network(name):
    torch.manual_seed(1)
    whole = timm.create_model(name, dynamic_img_size=True, dynamic_img_pad=True).eval()
    network = build_backbone(parameters(name, layer=5), pretrained=False).eval()
    state = whole.state_dict()
    network.body.network.load_state_dict({key: state[key] for key in network.body.network.state_dict()})
    image = torch.rand(1, 3, 64, 90) * 255
    mean, std = (255 * torch.tensor(whole.pretrained_cfg[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        wanted = whole.forward_intermediates((image - mean) / std, indices=[4], norm=True, intermediates_only=True)[0]
        assert torch.allclose(network(image), wanted, atol=1e-5)
    assert sum("blocks." in key for key in network.state_dict()) < sum("blocks." in key for key in state)


def test_depthwise_convolutions_are_told_from_dense_ones(backbones):
    dense = {name: network.dense_convolutions for name, network in backbones.items()}
    assert [name for name, value in dense.items() if not value] == ["mobilenetv3_small_050", "regnetx_002"]


@pytest.mark.parametrize("name", ["regnetx_002", "vit_tiny_patch16_224"])
def test_the_multi_task_network_learns_on_it(name):
    """One step in bfloat16 with folded batch norms changes backbone and branches."""
    torch.manual_seed(0)
    params = parameters(name, 16)
    network = build_auxsegnet(params, NetworkParams(channels=16, rates=[1, 2, 3]), 3).train()
    fold_batch_norms(network)
    outputs = network(torch.rand(2, 3, 64, 64) * 255, low_precision=True)
    assert outputs.refined_segmentation.shape == (2, 4, 4, 4)
    (outputs.refined_segmentation.square().mean() + outputs.classification.square().mean()).backward()
    touched = {key.split(".")[0] for key, value in network.named_parameters() if value.grad is not None}
    assert {"backbone", "classification"} < touched


@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224"])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_of_a_file(tmp_path, name, suffix):
    torch.manual_seed(3)
    whole, path = timm.create_model(name), tmp_path / f"net.{suffix}"
    if suffix == "pth":
        torch.save(whole.state_dict(), path)
    else:
        save_file(whole.state_dict(), path)
    params = parameters(name, 16, weights=str(path), sha256=sha256_file(path))
    found = build_backbone(params, pretrained=True).body.state_dict()
    wanted = {f"network.{key}": value for key, value in whole.state_dict().items()}
    assert found.keys() <= wanted.keys()
    assert all(torch.equal(value, wanted[key]) for key, value in found.items())


def test_a_file_of_another_network_is_one_line(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file({"a.weight": torch.zeros(3)}, path)
    params = parameters("resnet10t", weights=str(path), sha256=sha256_file(path))
    with pytest.raises(
        DataError, match=r"backbone\.weights: .*net\.safetensors: has no tensor 'conv1.0.weight'"
    ) as error:
        build_backbone(params, pretrained=True)
    assert "\n" not in str(error.value)


def test_a_pickle_with_code_is_never_run(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(b"cposix\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    params = parameters("resnet10t", weights=str(path), sha256=sha256_file(path))
    with pytest.raises(DataError, match=r"net\.pth: not readable as weights"):
        build_backbone(params, pretrained=True)
    assert not (tmp_path / "ran").exists()


def test_without_a_network_the_message_says_where_weights_come_from(monkeypatch):
    monkeypatch.setattr("timm.create_model", _offline)
    with pytest.raises(DataError, match=r"pretrained: not available for timm:resnet10t \(no hub\); download"):
        build_timm(parameters("resnet10t", weights="pretrained"), pretrained=True)


def _offline(name, **options):
    if "dynamic_img_size" in options:
        raise TypeError("unexpected keyword argument")
    raise OSError("no hub")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "timm:resnet5x"}, "has no model 'resnet5x'; for example: "),
        ({"name": "timm:nothing_at_all"}, "has no model 'nothing_at_all'"),
        (
            {"name": "timm:vit_tiny_patch16_224", "output_stride": 8},
            "'backbone.output_stride': .* has 16; set it to 16",
        ),
        (
            {"name": "timm:resnet10t", "output_stride": 14},
            "'backbone.output_stride': .* cannot have stride 14",
        ),
        ({"name": "timm:vit_tiny_patch16_224", "layer": 13}, "'backbone.layer': .* has 12 blocks; set it to 1..12"),
        ({"name": "timm:resnet10t", "layer": 3}, "'backbone.layer': .* is not a transformer; set it to null"),
        ({"name": "timm:swin_tiny_patch4_window7_224"}, "takes neither an output stride nor images of any size"),
    ],
)
def test_what_timm_cannot_do_is_one_line(values, message):
    with pytest.raises(ParamsError, match=message) as error:
        build_backbone(BackboneParams(**{"weights": "random", **values}), pretrained=True)
    assert "\n" not in str(error.value)


def test_the_check_takes_every_network_and_makes_no_weights():
    for name in (*ALL, "vit_giant_patch14_dinov2"):  # which has 4.5 GB of weights
        check_auxsegnet(parameters(name, stride=14 if "giant" in name else None), NetworkParams())
    with pytest.raises(ParamsError, match="has no model"):
        check_auxsegnet(BackboneParams(name="timm:resnet5x", weights="random"), NetworkParams())
    assert torch.zeros(1).device.type == "cpu"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "resnet19"}, r"name is one of efficientnet_lite0, .*resnet38, or timm:<model>; got 'resnet19'"),
        ({"name": "timm:resnet10t", "weights": "imagenet"}, "pretrained, random or a file, not imagenet"),
        ({"weights": "pretrained"}, "pretrained is for timm:<model>"),
        ({"output_stride": 14}, "efficientnet_lite0 is not a transformer"),
        ({"layer": 3}, "efficientnet_lite0 is not a transformer"),
    ],
)
def test_parameters_that_do_not_go_together(values, message):
    with pytest.raises(ParamsError, match=message):
        BackboneParams.parse(values)
