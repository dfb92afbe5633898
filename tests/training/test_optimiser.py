"""Groups, learning rates, schedule, and what frozen means."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_networks import tiny_auxsegnet
from torch import nn

from auxseg.params.optimiser import OptimiserParams
from auxseg.params.train import TrainOptimiserParams
from auxseg.training.optimiser import build_optimiser, polynomial, set_batch_norm


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1))
        self.backbone_like = nn.Conv2d(4, 2, 1)  # a head whose name starts like the backbone's

    def forward(self, x):
        return self.backbone_like(self.backbone(x))


def test_groups():
    network = Network()
    network.backbone[0].weight.requires_grad_(False)
    sgd = build_optimiser(network, OptimiserParams(lr=0.01, new_layers=10.0, momentum=0.8, weight_decay=3e-4))
    backbone, heads = sgd.param_groups
    assert {id(p) for p in backbone["params"]} == {
        id(p) for name, p in network.backbone.named_parameters() if name != "0.weight"
    }
    assert {id(p) for p in heads["params"]} == {id(p) for p in network.backbone_like.parameters()}
    assert (backbone["lr"], heads["lr"]) == (0.01, pytest.approx(0.1))
    for group in sgd.param_groups:
        assert (group["momentum"], group["weight_decay"]) == (0.8, 3e-4)


@pytest.mark.parametrize(("cross_task", "rate"), [("new_layers", 0.1), ("pretrained", 0.01)])
def test_rate_of_the_cross_task_fusion(cross_task, rate):
    """Quirk 11: in the released code it is randomly initialised and learns at the backbone's rate."""
    network = tiny_auxsegnet(variant="auxsegnet_plus")
    sgd = build_optimiser(network, TrainOptimiserParams(lr=0.01, new_layers=10.0, cross_task=cross_task))
    rates = {id(parameter): group["lr"] for group in sgd.param_groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        expected = 0.01 if name.startswith("backbone.") else rate if name.startswith("cross_") else 0.1
        assert rates[id(parameter)] == pytest.approx(expected), name


def test_the_released_codes_momentum():
    """Quirk 1: momentum 1e-5 and no decay move the weight by almost lr x gradient, whatever came before."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 2.0)
    sgd = build_optimiser(network, TrainOptimiserParams(lr=0.1, new_layers=1.0, momentum=1e-5, weight_decay=0.0))
    for gradient in (1.0, -3.0, 0.5):
        before = network.weight.item()
        network.weight.grad = torch.full((1, 1), gradient)
        sgd.step()
        assert network.weight.item() - before == pytest.approx(-0.1 * gradient, abs=5e-6)


def test_momentum_and_weight_decay_act():
    """Quirk 1: the released code loses both. v <- m v + (g + wd w); w <- w - lr v, by hand over three steps."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 2.0)
    sgd = build_optimiser(network, OptimiserParams(lr=0.1, new_layers=2.0, momentum=0.9, weight_decay=0.5))
    weight, velocity = 2.0, 0.0
    for gradient in (1.0, -3.0, 0.5):
        network.weight.grad = torch.full((1, 1), gradient)
        sgd.step()
        velocity = 0.9 * velocity + gradient + 0.5 * weight
        weight -= 0.1 * 2.0 * velocity
        assert network.weight.item() == pytest.approx(weight, rel=1e-5)


@given(st.integers(1, 30), st.floats(0, 3), st.floats(1e-4, 1), st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_polynomial_schedule_with_warm_up(steps, power, rate, warmup):
    network = Network()
    sgd = build_optimiser(network, OptimiserParams(lr=rate, new_layers=10.0))
    schedule = polynomial(sgd, steps, power, warmup)
    rising = round(warmup * steps)
    for t in range(steps):
        wanted = rate * (1 - t / steps) ** power
        if t < rising:
            wanted *= (t + 1) / (rising + 1)
        np.testing.assert_allclose([group["lr"] for group in sgd.param_groups], [wanted, 10 * wanted], rtol=1e-6)
        sgd.step()
        schedule.step()


@pytest.mark.parametrize("mode", ["frozen", "train"])
def test_batch_norm(mode):
    torch.manual_seed(0)
    network = Network().train()
    set_batch_norm(network, mode)
    norm = network.backbone[1]
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    other = network.backbone[0].weight.detach().clone()
    sgd = build_optimiser(network, OptimiserParams(lr=0.1))
    network(torch.rand(2, 3, 4, 4) + 5).square().mean().backward()
    sgd.step()
    changed = {name for name, value in norm.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == (set() if mode == "frozen" else set(before))
    assert not torch.equal(network.backbone[0].weight, other)


def test_a_batch_norm_in_a_frozen_layer_keeps_its_statistics():
    network = Network().train()
    network.backbone[1].requires_grad_(False)
    set_batch_norm(network, "train")
    before = network.backbone[1].running_mean.clone()
    network(torch.rand(2, 3, 4, 4) + 5)
    assert torch.equal(network.backbone[1].running_mean, before)


def test_frozen_batch_norm_uses_its_statistics():
    network = Network().train()
    set_batch_norm(network, "frozen")
    x = torch.rand(2, 4, 4, 4) * 7 + 3
    torch.testing.assert_close(network.backbone[1](x), x / (1 + 1e-5) ** 0.5)
