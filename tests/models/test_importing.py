"""Published weights under our names: every tensor arrives where it belongs, and nothing is lost silently."""

import numpy as np
import pytest
import torch
import torchvision
from mxnet_file import file_bytes
from released import mxnet_names, shapes_of_auxsegnet, shapes_of_resnet38, state_of

from auxseg.artifacts.tensors import TensorFile
from auxseg.cli.main import main
from auxseg.errors import DataError
from auxseg.models.backbones import build_backbone
from auxseg.models.importing import import_auxsegnet, import_backbone, import_classifier, read_published
from auxseg.params.backbone import BackboneParams

DEAD = ("seg_att.g.", "seg_att.W_z.", "sal_att.g.", "sal_att.W_z.")
PLACES = {
    "fc8.weight": "classification.linear.weight",
    "cross_att.0.weight": "cross_pairwise.mix.weight",
    "cross_att.2.weight": "cross_pairwise.weigh.weight",
    "cross_att.2.bias": "cross_pairwise.weigh.bias",
    "seg_conv1.weight": "segmentation.reduce.weight",
    "seg_conv2.bias": "segmentation.context.bias",
    "sal_conv3.weight": "saliency.fuse.weight",
    "sal_conv4.weight": "saliency.predict.weight",
    "seg_att.theta.weight": "segmentation.affinity.query.weight",
    "sal_att.phi.bias": "saliency.affinity.key.bias",
    "seg_g.bias": "segmentation.affinity.value.bias",
    "sal_W.weight": "saliency.affinity.out.weight",
    "conv1a.weight": "backbone.body.conv1a.weight",
    "b4_3.bn_branch2b1.running_var": "backbone.body.b4_3.bn_branch2b1.running_var",
    "bn7.bias": "backbone.body.bn7.bias",
}


@pytest.fixture
def save(tmp_path):
    """Save a state dict as the field does; return the file."""

    def save_(state, name="published.pth"):
        torch.save(state, tmp_path / name)
        return tmp_path / name

    return save_


def number(value):
    """The one number that a tensor of `state_of` repeats."""
    return float(value[(0,) * value.dim()])


def test_the_released_network(save):
    state = state_of(shapes_of_auxsegnet())
    imported = import_auxsegnet(save(state))
    assert set(imported.unused) == {name for name in state if name.startswith(DEAD)}
    assert len(imported.unused) == 18
    assert imported.counters == 0
    for theirs, ours in PLACES.items():
        assert number(imported.state[ours]) == number(state[theirs]), theirs
    arrived = sorted(number(value) for name, value in imported.state.items() if not name.endswith("tracked"))
    sent = sorted(number(value) for name, value in state.items() if name not in imported.unused)
    assert arrived == sorted(set(arrived))  # none twice
    assert set(arrived) <= set(sent)
    assert len(imported.state) == len(sent)
    assert imported.state["classification.linear.weight"].shape == (20, 4096)


@pytest.mark.parametrize("classes", [3, 20])
def test_number_of_classes_is_the_files(save, classes):
    state = import_auxsegnet(save(state_of(shapes_of_auxsegnet(classes)))).state
    assert state["segmentation.predict.weight"].shape == (classes + 1, 128, 1, 1)


def test_the_classifier(save):
    """PSA's file: old enough to lack step counters, saved from a parallel network."""
    state = state_of(shapes_of_resnet38(counters=False) | {"fc8.weight": (20, 4096, 1, 1)})
    imported = import_classifier(save({f"module.{name}": value for name, value in state.items()}))
    assert imported.unused == {}
    assert imported.counters == sum(name.endswith("running_var") for name in state)
    assert len(imported.state) == len(state) + imported.counters
    assert number(imported.state["backbone.body.b7.conv_branch2b2.weight"]) == number(state["b7.conv_branch2b2.weight"])
    assert imported.state["backbone.body.bn7.num_batches_tracked"] == 0


def test_the_backbone_of_a_whole_network(save):
    state = state_of(shapes_of_auxsegnet())
    imported = import_backbone(save(state), "resnet38")
    body = shapes_of_resnet38()
    assert {name: tuple(value.shape) for name, value in imported.state.items()} == body
    assert all(number(imported.state[name]) == number(state[name]) for name in body if not name.endswith("tracked"))
    assert set(imported.unused) == set(state) - set(body)


def test_mxnets_names(tmp_path):
    names = mxnet_names()
    assert set(names.values()) == set(shapes_of_resnet38(counters=False))
    path = tmp_path / "ilsvrc.params"
    arrays = {name: np.array([i], np.float32) for i, name in enumerate(names)}
    path.write_bytes(file_bytes(arrays | {"arg:linear1000_weight": np.zeros(1, np.float32)}, 0))
    state = read_published(path)
    assert {name: int(value) for name, value in state.items() if not name.startswith("linear1000")} == {
        ours: i for i, ours in enumerate(names.values())
    }


def test_an_mxnet_file_of_a_backbone(tmp_path):
    """Small arrays in place of the published ones: the names fit, the first shape does not."""
    path = tmp_path / "ilsvrc.params"
    arrays = {name: np.zeros(1, np.float32) for name in mxnet_names()}
    path.write_bytes(file_bytes(arrays | {"arg:linear1000_bias": np.zeros(1000, np.float32)}, 2))
    with pytest.raises(DataError, match=r"'b2\.bn_branch2a\.bias' has shape \(1,\), resnet38 expects \(64,\)"):
        import_backbone(path, "resnet38")


def test_a_whole_mxnet_file_arrives_in_the_right_tensors(tmp_path):
    """Published shapes in half precision, each array one number of its own, repeated."""
    path, names, shapes = tmp_path / "ilsvrc.params", mxnet_names(), shapes_of_resnet38(counters=False)
    sent = {ours: i + 1 for i, ours in enumerate(names.values())}
    arrays = {theirs: np.full(shapes[ours], sent[ours], np.float16) for theirs, ours in names.items()}
    path.write_bytes(file_bytes(arrays | {"arg:linear1000_bias": np.zeros(1000, np.float16)}, 2))
    imported = import_backbone(path, "resnet38")
    arrived = {name: value for name, value in imported.state.items() if not name.endswith("tracked")}
    assert {name: number(value) for name, value in arrived.items()} == sent
    assert all(bool((value == sent[name]).all()) for name, value in arrived.items())
    assert {name: tuple(value.shape) for name, value in arrived.items()} == shapes
    assert {value.dtype for value in arrived.values()} == {torch.float32}
    assert set(imported.unused) == {"linear1000.bias"}
    assert imported.counters == len(imported.state) - len(sent)


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_torchvisions_networks(save, name):
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in getattr(torchvision.models, name)().state_dict().items()}
    imported = import_backbone(save(state_of(shapes)), name)
    assert set(imported.unused) == {"fc.weight", "fc.bias"}
    assert set(imported.state) == set(shapes) - {"fc.weight", "fc.bias"}


MISFITS = [
    ({"seg_conv1.weight": None}, r"has no tensor 'seg_conv1\.weight'"),
    ({"fc8.weight": None}, r"has no tensor 'fc8\.weight'; --network takes checkpoints of PSA and AuxSegNet"),
    ({"bn7.bias": None, "seg_g.bias": None}, r"2 tensors missing \(backbone\.body\.bn7\.bias, segmentation\.affinity"),
    ({"f9.weight": (3, 3)}, r"0 tensors missing; 1 tensors unknown \(f9\.weight\)"),
    ({"b5.conv_branch2a.weight": (512, 512, 1, 1)}, r"has shape \(512, 512, 1, 1\), .* expects \(512, 512, 3, 3\)"),
    ({"fc8.weight": (20, 4096, 3, 3)}, r"'classification\.linear\.weight' has shape \(20, 4096, 3, 3\)"),
    ({"sal_conv4.weight": (2, 128, 1, 1)}, r"'saliency\.predict\.weight' has shape \(2, 128, 1, 1\)"),
]


@pytest.mark.parametrize(("change", "message"), MISFITS)
def test_a_network_that_does_not_fit(save, change, message):
    shapes = shapes_of_auxsegnet() | change
    path = save(state_of({name: shape for name, shape in shapes.items() if shape is not None}))
    with pytest.raises(DataError, match=message) as caught:
        import_auxsegnet(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_tensors_left_out_on_request(save):
    """PSA's AffinityNet has layers that our networks do not have."""
    path = save(state_of(shapes_of_resnet38() | {"f8_3.weight": (64, 512, 1, 1), "f9.weight": (448, 448, 1, 1)}))
    with pytest.raises(DataError, match=r"2 tensors unknown \(f8_3\.weight, f9\.weight\)"):
        import_backbone(path, "resnet38")
    imported = import_backbone(path, "resnet38", leave_out=("f8_", "f9."))
    assert set(imported.unused) == {"f8_3.weight", "f9.weight"}


def test_a_file_that_would_run_code_is_rejected(tmp_path):
    path = tmp_path / "published.pth"
    torch.save({"fc8.weight": Trap()}, path)
    with pytest.raises(DataError, match=r"not readable as weights \(it contains code or objects\)") as error:
        import_classifier(path)
    assert "weights_only" not in str(error.value)  # torch's advice would run the code


@pytest.mark.parametrize("name", ["junk.pth", "junk.safetensors"])
def test_a_file_of_something_else_is_rejected(tmp_path, name):
    (tmp_path / name).write_bytes(b"junk" * 9)
    with pytest.raises(DataError, match=r"not readable as weights \(damaged, or another format\); give a state dict"):
        import_classifier(tmp_path / name)


class Trap:
    """An object whose unpickling would call a function."""

    def __reduce__(self):
        return print, ("run",)


def test_the_command(tmp_path, capsys):
    """torchvision's ResNet-18, from its file to `backbone.weights`."""
    torch.manual_seed(0)
    state = torchvision.models.resnet18().state_dict()
    published, out = tmp_path / "resnet18.pth", tmp_path / "weights/resnet18.safetensors"
    torch.save({name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}, published)
    command = ["weights", "import", str(published), "--backbone", "resnet18", "--to", str(out)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "written: 120 tensors, 11,176,512 parameters" in printed  # 11,689,512 of the whole, 513,000 of fc
    assert "unused: 2 tensors, 513,000 parameters\n  fc.bias (1000,)\n  fc.weight (1000, 512)\n" in printed
    assert "missing: none but 20 step counters, set to 0" in printed
    params = BackboneParams(name="resnet18", output_stride=8, weights=str(out), sha256="0" * 64)
    loaded = build_backbone(params, pretrained=True).body.state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in TensorFile(out))
    first = out.read_bytes()
    assert main(command) == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--backbone": "resnet50"}, "does not fit resnet50"),
        ({"--backbone": "resnet38x"}, "no such backbone; did you mean 'resnet38'?"),
        ({"--to": "weights.pth"}, "expected a name that ends in .safetensors"),
        ({"import": "nowhere.pth"}, "nowhere.pth: no such file"),
    ],
)
def test_rejections_of_the_command(tmp_path, capsys, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    torch.save(torchvision.models.resnet18().state_dict(), "resnet18.pth")
    options = {"import": "resnet18.pth", "--backbone": "resnet18", "--to": "out.safetensors", **change}
    assert main(["weights", *(word for pair in options.items() for word in pair)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["resnet18.pth"]
