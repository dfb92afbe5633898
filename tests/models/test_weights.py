"""Weights in and out of files: bit-exact, the same content in the same bytes, rejections that name file and tensor."""

import json
import struct

import numpy as np
import pytest
import torch
from tiny_networks import CLASSES, STRIDE, network_params, tiny_auxsegnet, tiny_backbone, tiny_classifier
from torch import nn

from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.errors import DataError
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.weights import load_weights, save_weights


def normed(seed):
    """A network with every kind of state: weights, statistics, and a step counter, which is a scalar."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network(torch.rand(2, 3, 8, 8))
    return network


def test_round_trip_is_exact(tmp_path):
    saved, loaded = normed(0), normed(1)
    loaded(torch.rand(2, 3, 8, 8))
    save_weights(tmp_path / "w.safetensors", saved, {"classes": ["cat"]})
    assert load_weights(tmp_path / "w.safetensors", loaded) == []
    for name, value in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert loaded[1].num_batches_tracked.item() == 1
    assert TensorFile(tmp_path / "w.safetensors").metadata == {"classes": ["cat"]}


def test_special_values_survive(tmp_path):
    network = nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        network.weight[0] = torch.tensor([-0.0, 3e38, 1e-45, -3e38])
    save_weights(tmp_path / "w.safetensors", network, {})
    other = nn.Linear(4, 1, bias=False)
    load_weights(tmp_path / "w.safetensors", other)
    assert other.weight.detach().numpy().tobytes() == network.weight.detach().numpy().tobytes()


def test_memory_layout_does_not_change_the_file(tmp_path):
    network = normed(0)
    save_weights(tmp_path / "a.safetensors", network, {"b": 1, "a": 2})
    save_weights(tmp_path / "b.safetensors", network.to(memory_format=torch.channels_last), {"a": 2, "b": 1})
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    loaded = normed(1)
    load_weights(tmp_path / "b.safetensors", loaded)
    assert torch.equal(loaded[0].weight, network[0].weight)


def test_round_1_starts_from_the_classifier(tmp_path):
    classifier, network = tiny_classifier(1), tiny_auxsegnet(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    save_weights(tmp_path / "r0.safetensors", classifier, {})
    missing = load_weights(tmp_path / "r0.safetensors", network, partial=True)
    shared = {"backbone.body.weight", "backbone.body.bias", "classification.linear.weight"}
    assert set(missing) == set(before) - shared
    assert missing == sorted(missing)
    after = network.state_dict()
    assert all(torch.equal(after[name], classifier.state_dict()[name]) for name in shared)
    assert all(torch.equal(after[name], before[name]) for name in missing)


def test_a_missing_tensor_is_rejected_unless_partial(tmp_path):
    path = tmp_path / "r0.safetensors"
    save_weights(path, tiny_classifier(), {})
    with pytest.raises(DataError, match=r"r0\.safetensors: tensor 'cross_pairwise\.mix\.weight' is missing"):
        load_weights(path, tiny_auxsegnet())


def test_another_number_of_classes_is_rejected(tmp_path):
    path = tmp_path / "r0.safetensors"
    save_weights(path, tiny_auxsegnet(), {})
    other = AuxSegNet(tiny_backbone(), CLASSES + 1, STRIDE, network_params())
    for partial in (False, True):
        with pytest.raises(DataError, match=r"'classification\.linear\.weight' has shape \(3, 5\).*expects \(4, 5\)"):
            load_weights(path, other, partial=partial)


def test_an_unknown_tensor_is_rejected(tmp_path):
    write_tensors(tmp_path / "w.safetensors", {"stranger": np.zeros(3, np.float32)})
    with pytest.raises(DataError, match=r"w\.safetensors: tensor 'stranger' .* the network expects None"):
        load_weights(tmp_path / "w.safetensors", tiny_classifier(), partial=True)


@pytest.mark.parametrize("content", [None, b"", b"no weights" * 10])
def test_a_damaged_file_is_rejected(tmp_path, content):
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"w\.safetensors: not a readable safetensors file"):
        load_weights(path, tiny_classifier())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_are_rejected(tmp_path, value):
    network = tiny_classifier()
    with torch.no_grad():
        network.classification.linear.weight[1, 2] = value
    save_weights(tmp_path / "w.safetensors", network, {})
    with pytest.raises(DataError, match=r"w\.safetensors: tensor 'classification\.linear\.weight' contains values"):
        load_weights(tmp_path / "w.safetensors", tiny_classifier())


def test_whole_numbers_are_rejected_where_the_network_has_fractions(tmp_path):
    state = {name: value.numpy() for name, value in tiny_classifier().state_dict().items()}
    state["backbone.body.weight"] = state["backbone.body.weight"].astype(np.int8)
    write_tensors(tmp_path / "w.safetensors", state)
    with pytest.raises(DataError, match=r"'backbone\.body\.weight' has elements of int8, the network expects float32"):
        load_weights(tmp_path / "w.safetensors", tiny_classifier())


@pytest.mark.parametrize("kind", ["BF16", "U16", "F8_E4M3"])
def test_types_that_are_not_written_here_are_one_line(tmp_path, kind):
    size = 1 if kind == "F8_E4M3" else 2
    header = json.dumps({"a": {"dtype": kind, "shape": [1], "data_offsets": [0, size]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    with pytest.raises(DataError, match=r"w\.safetensors: ") as error:
        load_weights(tmp_path / "w.safetensors", tiny_classifier())
    assert "\n" not in str(error.value)
