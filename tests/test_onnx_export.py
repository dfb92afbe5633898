"""The exported network in ONNX Runtime against torch, for every backbone, at sizes other than the traced one."""

import contextlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import tiny_networks
import torch
import torch.nn.functional as F
from torch import nn

from auxseg.errors import DataError
from auxseg.maps import upsample
from auxseg.models import auxsegnet
from auxseg.models.inputs import to_tensor
from auxseg.onnx_export import (
    CHECKED,
    OPSET,
    TRACED,
    Deployed,
    checked_sizes,
    cubic_weights,
    export_onnx,
    largest_difference,
    resize_weights,
)
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.prediction import predict

NAMES = ("background", "cat", "traffic light", "dog")
SIDES = RuntimeParams(max_side=64)
"""Smaller than some of the images, so that these are reduced."""


def exported(path, network, runtime=SIDES, recognition=0.0) -> float:
    return export_onnx(path, network, NAMES, (0, 8, 9, 12), runtime, recognition, "auxseg r1")


def torch_result(network, image, runtime, recognition=0.0):
    """The prediction at scale 1, by the code of `auxseg predict`."""
    tensor = to_tensor(image, torch.device("cpu"), runtime)
    found = predict(network, tensor, [1.0], flip=False, combine="mean", low_precision=False, recognition=recognition)
    return upsample(found[1].numpy(), *image.shape[:2])


def patches(seed, batch, height, width) -> np.ndarray:
    """Images, uint8 (B, H, W, 3), of random colours in squares of 16 pixels, with noise."""
    random = np.random.default_rng(seed)
    colours = (
        random.integers(0, 200, (batch, height // 16 + 1, width // 16 + 1, 3)).repeat(16, axis=1).repeat(16, axis=2)
    )
    return (colours[:, :height, :width] + random.integers(0, 56, (batch, height, width, 3))).astype(np.uint8)


def calibrated(network):
    """Set the batch norms of a random network to what its images have: its output would else be nearly constant."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(patches(9, 4, 64, 64)).permute(0, 3, 1, 2).float())
        for branch in (network.saliency, network.segmentation):  # a uniform affinity would average all positions
            for layer in (branch.predict, branch.affinity.query, branch.affinity.key):
                layer.weight *= 12
    return network.eval()


def compare(path, network, runtime, recognition=0.0, sizes=CHECKED):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [(one.name, one.type) for one in session.get_inputs()] == [("images", "tensor(uint8)")]
    varied = 0.0
    for number, (batch, height, width) in enumerate(sizes):
        images = patches(number, batch, height, width)
        classes, probabilities = session.run(None, {"images": images})
        assert (classes.dtype, classes.shape) == (np.uint8, (batch, height, width))
        expected = np.stack([torch_result(network, image, runtime, recognition) for image in images])
        np.testing.assert_allclose(probabilities, expected, atol=1e-4, rtol=0)
        np.testing.assert_array_equal(classes, probabilities.argmax(axis=1))
        varied = max(varied, float(expected.std(axis=(2, 3)).max()))
    assert varied > 5e-4, "a constant result would compare nothing"


@pytest.mark.parametrize(
    ("name", "stride", "decoder"),
    [
        ("efficientnet_lite0", 16, None),
        ("efficientnet_lite0", 16, 8),
        pytest.param("efficientnet_lite0", 32, None, marks=pytest.mark.nightly),
        ("resnet18", 8, None),
        pytest.param("resnet50", 32, 8, marks=pytest.mark.nightly),
    ],
)
def test_every_backbone_agrees_at_six_sizes(name, stride, decoder, tmp_path):
    torch.manual_seed(0)
    backbone = BackboneParams(name=name, weights="random", output_stride=stride)
    network = calibrated(auxsegnet.build_auxsegnet(backbone, NetworkParams(channels=8, decoder=decoder), 3))
    if decoder:
        nn.init.normal_(network.decoder.predict.weight)
    assert exported(tmp_path / "n.onnx", network) <= 1e-4
    assert len(checked_sizes(SIDES)) == 6 and TRACED not in checked_sizes(SIDES)
    compare(tmp_path / "n.onnx", network, SIDES)


@pytest.mark.parametrize(
    ("name", "stride"),
    [
        ("resnet10t", 16),
        ("vit_tiny_patch16_224", 16),  # position embeddings are resampled
        ("vit_small_patch14_dinov2", 14),
        ("vit_tiny_patch16_dinov3_qkvb", 16),  # rotary position embeddings
    ],
)
def test_networks_of_timm_agree_at_six_sizes(name, stride, tmp_path):
    torch.manual_seed(0)
    layer = 1 if "vit" in name else None
    backbone = BackboneParams(name=f"timm:{name}", weights="random", output_stride=stride, layer=layer)
    network = auxsegnet.build_auxsegnet(backbone, NetworkParams(channels=8), 3)
    for key, value in network.named_parameters():
        if key.endswith("pos_embed"):
            torch.nn.init.normal_(value)  # timm's are nearly zero, and would compare nothing
    assert exported(tmp_path / "n.onnx", calibrated(network)) <= 1e-4
    compare(tmp_path / "n.onnx", network, SIDES)


@pytest.mark.parametrize("target", [1, 5, 14, 37])
def test_cubic_weights_are_torchs_anti_aliased_interpolation(target):
    torch.manual_seed(0)
    maps = torch.rand(1, 3, 14, 14)
    expected = F.interpolate(maps, size=(target, 14), mode="bicubic", antialias=True)
    torch.testing.assert_close(cubic_weights(14, torch.tensor(target)) @ maps, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("eva02_tiny_patch14_224", "onnxruntime cannot run the graph"),
        ("vit_tiny_patch16_224", "torch cannot export this network"),
    ],
)
def test_what_cannot_be_exported_is_one_line(name, message, tmp_path, monkeypatch, capfd):
    if name.startswith("vit"):
        monkeypatch.setattr("auxseg.onnx_export._CubicByProducts", contextlib.nullcontext)
    stride = int(name.split("patch")[1][:2])
    backbone = BackboneParams(name=f"timm:{name}", weights="random", output_stride=stride, layer=1)
    network = auxsegnet.build_auxsegnet(backbone, NetworkParams(channels=8), 3).eval()
    with pytest.raises(DataError, match=message) as error:
        exported(tmp_path / "n.onnx", network)
    assert "\n" not in str(error.value) and list(tmp_path.iterdir()) == []
    assert "graph(" not in "".join(capfd.readouterr())


def test_resnet38_narrowed_agrees(tmp_path, monkeypatch):
    """P1's backbone with its own blocks; the whole one has 500 MB."""
    torch.manual_seed(4)  # a seed whose result varies
    small = tiny_networks.narrow_resnet38()
    network = calibrated(auxsegnet.AuxSegNet(small, 3, 8, NetworkParams(channels=8)))
    exported(tmp_path / "n.onnx", network)
    compare(tmp_path / "n.onnx", network, SIDES)


@pytest.mark.parametrize(
    "values",
    [
        {"variant": "auxsegnet"},
        {"affinity": "none"},
        {"affinity": "segmentation", "refine_with": "mean"},
        {"cross_task": {"kernel": 3, "renormalise": False, "scale": "positions"}},
        {"features_with": "unary", "refine_with": "pairwise"},
    ],
    ids=lambda values: "-".join(values),
)
def test_every_form_of_the_network_agrees(values, tmp_path):
    network = tiny_networks.tiny_auxsegnet(**values)
    exported(tmp_path / "n.onnx", network)
    compare(tmp_path / "n.onnx", network, SIDES)


@pytest.mark.parametrize("runtime", [RuntimeParams(max_side=64, min_side=64), RuntimeParams(max_side=1024), SIDES])
def test_sizes_that_the_network_sees(runtime):
    """Against RuntimeParams.factor and the rounding of `scaled`, for many sizes."""
    deployed = Deployed(tiny_networks.tiny_auxsegnet(), runtime, 0.0)
    random = np.random.default_rng(0)
    sizes = [(1, 1), (64, 64), (65, 64), (3000, 2), (2, 3000), *random.integers(1, 3000, (300, 2)).tolist()]
    for height, width in sizes:
        factor = runtime.factor(max(height, width))
        expected = [max(1, round(side * factor)) for side in (height, width)]
        assert [int(one) for one in deployed._network_size(torch.tensor([height, width]))] == expected


def test_enlarged_images_agree(tmp_path):
    runtime = RuntimeParams(max_side=200, min_side=100)
    network = tiny_networks.tiny_auxsegnet()
    exported(tmp_path / "n.onnx", network, runtime)
    compare(tmp_path / "n.onnx", network, runtime)


@pytest.mark.parametrize(("size", "target"), [(90, 37), (37, 90), (64, 64), (4000, 1024), (3, 1)])
def test_resizing_is_torchs(size, target):
    image = torch.rand(1, 3, size, 5, generator=torch.Generator().manual_seed(0)) * 255
    expected = F.interpolate(image, (target, 5), mode="bilinear", align_corners=False, antialias=target < size)
    found = resize_weights(torch.tensor(size), torch.tensor(target)) @ image
    np.testing.assert_allclose(found, expected, atol=0.02, rtol=0)  # of 255; torch computes weights in float32


def test_a_large_image_agrees(tmp_path):
    network = tiny_networks.tiny_auxsegnet()
    exported(tmp_path / "n.onnx", network)
    compare(tmp_path / "n.onnx", network, SIDES, sizes=[(1, 700, 900)])


@pytest.mark.parametrize("max_side", [64, 1024])
def test_one_of_the_checked_images_is_reduced(max_side):
    runtime = RuntimeParams(max_side=max_side)
    assert min(runtime.factor(max(height, width)) for _, height, width in checked_sizes(runtime)) < 1


def test_recognition_is_in_the_graph_only_if_it_is_used(tmp_path):
    network = tiny_networks.tiny_auxsegnet()
    exported(tmp_path / "with.onnx", network, recognition=1.0)
    exported(tmp_path / "without.onnx", network)
    compare(tmp_path / "with.onnx", network, SIDES, recognition=1.0)
    linear = network.classification.linear.weight.numel()  # no other tensor has as many values
    graphs = [onnx.load(tmp_path / f"{key}.onnx").graph for key in ("with", "without")]
    assert [linear in [np.prod(one.dims) for one in graph.initializer] for graph in graphs] == [True, False]


def test_a_branch_that_nothing_reads_is_left_out(tmp_path):
    network = tiny_networks.tiny_auxsegnet(affinity="segmentation")
    exported(tmp_path / "n.onnx", network)
    names = [one.name for one in onnx.load(tmp_path / "n.onnx").graph.initializer]
    assert not [name for name in names if "saliency" in name] and [name for name in names if "segmentation" in name]


def test_metadata_and_opset(tmp_path):
    exported(tmp_path / "n.onnx", tiny_networks.tiny_auxsegnet())
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx", providers=["CPUExecutionProvider"])
    found = {key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items()}
    assert found == {"classes": list(NAMES), "mask_values": [0, 8, 9, 12], "source": "auxseg r1"}
    model = onnx.load(tmp_path / "n.onnx")
    onnx.checker.check_model(model)
    assert [one.version for one in model.opset_import if not one.domain] == [OPSET]
    assert [one.dim_param for one in model.graph.input[0].type.tensor_type.shape.dim] == [
        "batch",
        "height",
        "width",
        "",
    ]


def test_a_network_that_differs_is_not_written(tmp_path, monkeypatch):
    network, other = tiny_networks.tiny_auxsegnet(0), tiny_networks.tiny_auxsegnet(1)
    exported(tmp_path / "n.onnx", network)
    assert largest_difference(tmp_path / "n.onnx", other, SIDES, 0.0) > 1e-2
    monkeypatch.setattr("auxseg.onnx_export.largest_difference", lambda *_: 2e-4)
    with pytest.raises(DataError, match=r"not written, because ONNX Runtime and torch differ by 0\.0002"):
        exported(tmp_path / "other.onnx", network)
    assert [path.name for path in tmp_path.iterdir()] == ["n.onnx"]
