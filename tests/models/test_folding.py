"""Folded batch norms: the same function and gradients, fewer modules that compute, the same names of tensors."""

import copy
import gc
import weakref

import pytest
import torch
from tiny_networks import narrow_resnet38
from torch import nn

from auxseg.models.backbones import Backbone, build_backbone
from auxseg.models.folding import fold_batch_norms
from auxseg.params.backbone import BackboneParams
from auxseg.training.optimiser import set_batch_norm

# name, stride, batch norms, those that read a convolution
NETWORKS = [
    ("efficientnet_lite0", 16, 49, 49),
    ("resnet18", 16, 20, 20),
    ("resnet50", 16, 53, 53),
    ("narrow_resnet38", 8, 9, 6),
]


def backbone_of(name, stride):
    """A backbone whose statistics and affine parameters are not those of an untrained network."""
    torch.manual_seed(0)
    if name == "narrow_resnet38":
        backbone = narrow_resnet38()
    else:
        backbone = build_backbone(BackboneParams(name=name, output_stride=stride), pretrained=False)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    return backbone


def norms_of(network):
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@pytest.mark.parametrize(("name", "stride", "norms", "foldable"), NETWORKS)
def test_same_function_and_gradients(name, stride, norms, foldable):
    plain = backbone_of(name, stride).train()
    set_batch_norm(plain, "frozen")
    for module in plain.modules():
        if isinstance(module, nn.Dropout2d):
            module.eval()
    plain.double()
    folded = copy.deepcopy(plain)
    assert len(norms_of(plain)) == norms
    assert fold_batch_norms(folded) == foldable
    images = torch.rand(1, 3, 24, 17, dtype=torch.float64) * 255
    wanted, found = plain(images), folded(images)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))
    direction = torch.randn_like(wanted)
    for features in (wanted, found):
        (features * direction).sum().backward()
    for (key, one), (_, two) in zip(plain.named_parameters(), folded.named_parameters(), strict=True):
        assert (one.grad is None) == (two.grad is None), key
        if one.grad is not None:
            torch.testing.assert_close(two.grad, one.grad, rtol=1e-5, atol=1e-5 * float(one.grad.abs().max()), msg=key)
    assert list(folded.state_dict()) == list(plain.state_dict())


def test_the_first_batch_norm_of_a_block_of_resnet38_reads_a_sum():
    """Of two branches, in all blocks but the first; so does the last batch norm of all."""
    with torch.device("meta"):  # structure alone: the weights are 500 MB
        backbone = build_backbone(BackboneParams(name="resnet38", output_stride=8), pretrained=False).train()
    set_batch_norm(backbone, "frozen")
    assert len(norms_of(backbone)) == 37
    assert fold_batch_norms(backbone) == 37 - 17


@pytest.mark.parametrize(("name", "stride"), [row[:2] for row in NETWORKS])
def test_a_folded_network_ends_with_its_last_name(name, stride):
    """On a GPU, memory that waits for the garbage collector is missing in what comes next."""
    backbone = backbone_of(name, stride).eval().requires_grad_(False)
    fold_batch_norms(backbone)
    backbone.run_example()
    gc.collect()
    gc.disable()
    try:
        held = [weakref.ref(value) for value in backbone.parameters()]
        del backbone
        assert held and all(one() is None for one in held)
    finally:
        gc.enable()


def test_a_copy_of_a_folded_network_has_its_own_kernels():
    folded = backbone_of("resnet18", 16).eval().requires_grad_(False)
    fold_batch_norms(folded)
    images = torch.rand(1, 3, 32, 32) * 255
    before, copied = folded(images), copy.deepcopy(folded)
    copied.load_state_dict({key: torch.zeros_like(value) for key, value in copied.state_dict().items()})
    assert torch.equal(folded(images), before) and not torch.equal(copied(images), before)


def test_modes_and_statistics_stay():
    backbone = backbone_of("efficientnet_lite0", 16).train()
    set_batch_norm(backbone, "frozen")
    state, modes = copy.deepcopy(backbone.state_dict()), [module.training for module in backbone.modules()]
    generator = torch.get_rng_state()
    fold_batch_norms(backbone)
    assert [module.training for module in backbone.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in backbone.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)


def test_batch_norms_that_learn_are_not_folded():
    backbone = backbone_of("resnet18", 16).train()
    assert fold_batch_norms(backbone) == 0
    backbone.freeze(2)  # the first convolution and the first group of blocks
    set_batch_norm(backbone, "train")
    assert fold_batch_norms(backbone) == 1 + 4


def test_a_changed_kernel_counts_at_once():
    backbone = backbone_of("resnet18", 16).eval().requires_grad_(False)
    fold_batch_norms(backbone)
    images = torch.rand(1, 3, 32, 32) * 255
    before = backbone(images)
    other = {key: value * 1.1 for key, value in backbone.state_dict().items() if value.is_floating_point()}
    backbone.load_state_dict(other, strict=False)
    fresh = backbone_of("resnet18", 16).eval()
    fresh.load_state_dict(other, strict=False)
    assert not torch.allclose(backbone(images), before)
    torch.testing.assert_close(backbone(images), fresh(images), rtol=1e-4, atol=1e-4)


def test_a_batch_norm_after_a_convolution_with_bias_and_without_affine():
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False))
    nn.init.normal_(body[1].running_mean)
    nn.init.uniform_(body[1].running_var, 0.5, 2)
    plain = Backbone(body, [], 4, [0.0] * 3, [1.0] * 3, dense_convolutions=True).eval()
    folded = copy.deepcopy(plain)
    assert fold_batch_norms(folded) == 1
    images = torch.rand(2, 3, 9, 9)
    torch.testing.assert_close(folded(images), plain(images), rtol=1e-5, atol=1e-5)
